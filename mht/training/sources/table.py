"""Tables of one question and answer a row: Hugging Face datasets on disk (Parquet), or JSON, with columns by name."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field, model_validator

from mht.storage import Storage
from mht.training.sources._conversation import said, text_of, turns_of
from mht.training.sources._file_source import FileSource
from mht.training.sources._images import image_of
from mht.training.sources._listing import FileParams, Format, Understood


class Params(FileParams):
    """Which files, and what their columns are called; null for one that they do not have.

    The image is its bytes, {bytes, path} or a path. `ask` is the question where no column holds it (captions).
    Rows of one `group` (a patient, a case) are never both trained on and held out by `validation_share`.
    """

    image: str | None = "image"
    question: str | None = "question"
    answer: str = Field(default="answer", min_length=1)
    rejected: str | None = None
    id: str | None = None
    group: str | None = None
    ask: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _something_is_asked(self) -> Params:
        if (self.question is None) == (self.ask is None):
            raise ValueError("name a question column, or set question=null and ask='…'")
        return self


class Source(FileSource):
    """One exchange a row."""

    def __init__(self, params: Params, storage: Storage) -> None:
        named = (params.image, params.question, params.answer, params.rejected, params.id, params.group)
        columns = tuple(name for name in named if name is not None)
        super().__init__(params, storage, Format(partial(understand, params=params), columns, columns))


def understand(row: dict[str, Any], params: Params) -> Understood:
    """Raises Unfit with the reason why the row cannot be learnt."""
    image = image_of(row.get(params.image)) if params.image else None
    question = params.ask if params.question is None else row.get(params.question)
    messages = [
        said("user", text_of(question, "question")),
        said("assistant", text_of(row.get(params.answer), "answer")),
    ]
    wrong = row.get(params.rejected) if params.rejected else None
    return Understood(
        row.get(params.id) if params.id else None,
        image,
        turns_of(messages, image is not None),
        said("assistant", text_of(wrong, "rejected")).text if wrong not in (None, "") else None,
        row.get(params.group) if params.group else None,
    )
