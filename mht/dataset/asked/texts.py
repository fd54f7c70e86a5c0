"""The text stage: a captioner's model describes or corrects, image by image, while the next images are decoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from mht.dataset.asked.ask import Generate
from mht.dataset.asked.kept import Spent
from mht.generation import Reply, Request
from mht.imaging.guard import Decoded
from mht.records import PlannedImage, Reason, Refusal
from mht.seeds import row_seed

STAGE = "texts"


@dataclass(frozen=True, slots=True)
class Text:
    """What became of one image: a text, or a reason, and at which stage (image or caption); and what that cost."""

    image_id: str
    stage: str
    text: str | None
    reason: str | None
    detail: str | None
    calls: int
    prompt_tokens: int
    tokens: int


def describe(
    rows: Sequence[PlannedImage],
    raw: Sequence[str | Refusal | None],
    images: Sequence[Decoded],
    captioner: tuple[ModuleType, Any],
    seed: int,
    generate: Generate,
) -> Iterator[Text]:
    """A text for each image, in order. An image that cannot be decoded is not asked about."""
    module, params = captioner
    asked = [
        _request(row, text, image, module, params, seed)
        for row, text, image in zip(rows, raw, images, strict=True)
    ]
    replies = iter(generate([request for request in asked if isinstance(request, Request)]))
    for row, image, request in zip(rows, images, asked, strict=True):
        if isinstance(request, Refusal):
            stage = "image" if isinstance(image.result, Refusal) else "caption"
            yield text_row(row, stage, request, Spent())
            continue
        reply: Reply = next(replies)
        yield text_row(row, "caption", module.read(request, reply, params), Spent.of([reply]))


def _request(
    row: PlannedImage,
    raw: str | Refusal | None,
    image: Decoded,
    module: ModuleType,
    params: Any,
    seed: int,
) -> Request | Refusal:
    if isinstance(image.result, Refusal):
        return image.result
    if isinstance(raw, Refusal):
        return raw
    row_own = row_seed(seed, STAGE, row.image_id)
    request: Request | Refusal = module.ask(
        row.image_id, raw, row.item.modality, image.result.data, params, row_own
    )
    return request


def text_row(row: PlannedImage, stage: str, said: str | Refusal, spent: Spent) -> Text:
    """An image's row of the stage."""
    text, reason, detail = (
        (None, said.reason.value, said.detail) if isinstance(said, Refusal) else (said, None, None)
    )
    return Text(row.image_id, stage, text, reason, detail, spent.calls, spent.prompt_tokens, spent.tokens)


def captions_from(kept: Sequence[Mapping[str, Any]]) -> list[str | Refusal]:
    """The kept texts as the caption stage takes them."""
    return [
        row["text"] if row["reason"] is None else Refusal(Reason(row["reason"]), row["detail"])
        for row in kept
    ]
