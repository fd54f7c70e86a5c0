"""LLaVA's JSON: a list, or lines, of {id, image, conversations}, the images below a folder.

Source: LLaVA, docs/Finetune_Custom_Data.md. As in its trainer, an answer that opens a conversation is passed over.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from mht.storage import Storage
from mht.training.sources._conversation import Role, Said, apart, said, told, turns_of
from mht.training.sources._file_source import FileSource
from mht.training.sources._images import image_of
from mht.training.sources._listing import FileParams, Format, Understood
from mht.training.sources._unfit import Unfit

_SPEAKERS: dict[str, Role] = {"system": "system", "human": "user", "gpt": "assistant"}


class Params(FileParams):
    """Which files, and what they call the conversation: some releases spell it otherwise (`conversatons`)."""

    conversations: str = Field(default="conversations", min_length=1)


class Source(FileSource):
    """Conversations about one image, or none."""

    def __init__(self, params: Params, storage: Storage) -> None:
        columns = ("id", "image", params.conversations)
        super().__init__(params, storage, Format(partial(understand, params=params), columns))


def understand(row: dict[str, Any], params: Params) -> Understood:
    """Raises Unfit with the reason why the row cannot be learnt."""
    image = image_of(row.get("image"))
    messages = row.get(params.conversations)
    if not isinstance(messages, list):
        raise Unfit("no_conversation", f"no list called {params.conversations!r}")
    system, spoken = apart([_said(message) for message in messages])
    while spoken and spoken[0].by == "assistant":
        spoken = spoken[1:]
    return Understood(row.get("id"), image, turns_of(spoken, image is not None), system=system)


def _said(message: Any) -> Said:
    if not isinstance(message, dict) or "value" not in message:
        raise Unfit("not_a_message")
    speaker = message.get("from")
    if speaker not in tuple(_SPEAKERS):
        raise Unfit("unknown_speaker", repr(speaker)[:40])
    by = _SPEAKERS[speaker]
    return said(by, told(by, message["value"]))
