"""TRL's conversational rows: messages, prompt and completion, or prompt, chosen and rejected; Parquet or JSON.

Source: TRL, docs/source/dataset_formats.md (conversational and standard formats, vision datasets). A `chosen` and a
`rejected` that hold the prompt themselves are understood, too, and a system message that opens a conversation is.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from mht.storage import Storage
from mht.training.sources._conversation import Said, apart, said, text_of, told, turns_of
from mht.training.sources._file_source import FileSource
from mht.training.sources._images import image_of
from mht.training.sources._listing import FileParams, Format, Understood
from mht.training.sources._unfit import Unfit

_SPOKEN = ("messages", "prompt", "completion", "chosen", "rejected")
_IMAGES = ("images", "image")


class Params(FileParams):
    """Which files; `id` is the column that names the rows, if they have one."""

    id: str | None = None


class Source(FileSource):
    """Conversations about one image, or none, with a wrong last answer where there is one."""

    def __init__(self, params: Params, storage: Storage) -> None:
        columns = (*_SPOKEN, *_IMAGES, *([params.id] if params.id else []))
        super().__init__(params, storage, Format(partial(understand, params=params), columns))


def understand(row: dict[str, Any], params: Params) -> Understood:
    """Raises Unfit with the reason why the row cannot be learnt."""
    image = image_of(next((row[name] for name in _IMAGES if row.get(name) is not None), None))
    prompt, completion, chosen, rejected, messages = (
        _messages(row.get(name), "user" if name == "prompt" else "assistant")
        for name in ("prompt", "completion", "chosen", "rejected", "messages")
    )
    system, spoken = apart(messages or prompt + (chosen or completion))
    turns = turns_of(spoken, image is not None)
    other, refused = apart(prompt + rejected)
    wrong = turns_of(refused, image is not None) if rejected else None
    if wrong is not None and (other, wrong[:-1], wrong[-1].question) != (
        system,
        turns[:-1],
        turns[-1].question,
    ):
        raise Unfit("rejected_of_another_question")
    named = row.get(params.id) if params.id else None
    return Understood(named, image, turns, wrong[-1].answer if wrong else None, system=system)


def _messages(value: Any, by: Literal["user", "assistant"]) -> list[Said]:
    """A list of messages, or a text, which is said by the one whose place it is."""
    if value is None:
        return []
    if isinstance(value, str):
        return [said(by, text_of(value, "text"))]
    if not isinstance(value, list):
        raise Unfit("not_a_message")
    return [_said(message) for message in value]


def _said(message: Any) -> Said:
    if not isinstance(message, dict):
        raise Unfit("not_a_message")
    by = message.get("role")
    if by not in ("system", "user", "assistant"):
        raise Unfit("unknown_role", repr(by)[:40])
    content = message.get("content")
    if not isinstance(content, list):
        return said(by, told(by, content))
    kinds = [part.get("type") if isinstance(part, dict) else None for part in content]
    if not all(kind in ("text", "image") for kind in kinds):
        raise Unfit("unknown_content", repr(kinds)[:60])
    texts = [
        text_of(part.get("text"), "text") for part, kind in zip(content, kinds, strict=True) if kind == "text"
    ]
    return said(by, "".join(texts), kinds.count("image"))
