"""SLAKE 1.0: questions in English and Chinese about CT, MR and X-ray images.

Files: `train.json`, `validate.json` (`validation.json` on the hub) and `test.json`, in the folder or in `Slake1.0`,
the images as `imgs/<img_name>`. Source: Liu et al., ISBI 2021, arXiv 2102.09542 (CC BY 4.0). Open and closed are the
release's own words; `type` is its kind of content, `site` its location. The yes and no of Chinese answers are not
read.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import Field

from mht.evaluation.benchmarks._benchmark import CopyParams, FileBenchmark, Format, Understood
from mht.evaluation.benchmarks._parts import Part, find_parts
from mht.evaluation.benchmarks._refused import Unfit
from mht.evaluation.benchmarks._rows import Row
from mht.evaluation.benchmarks._words import YES_OR_NO, kind_of, text_in, text_or_none, with_suffix
from mht.knowledge.polarity import opening
from mht.questions import Question
from mht.storage import Storage

NAMES: dict[str, str | None] = {
    "train.json": "train",
    "validate.json": "validation",
    "validation.json": "validation",
    "test.json": "test",
}
_REMARKS = ("licence: CC BY 4.0 (arXiv 2102.09542)",)


class Params(CopyParams):
    """Where the copy is, which split and languages are asked.

    `suffix` follows closed questions whose answer is yes or no in English.
    """

    split: Literal["train", "validation", "test"] = "test"
    languages: tuple[Literal["en", "zh"], ...] = Field(default=("en",), min_length=1)
    suffix: str = YES_OR_NO


class Benchmark(FileBenchmark):
    """SLAKE's questions of one split."""

    def __init__(self, params: Params, storage: Storage) -> None:
        parts = partial(find_parts, storage, params.path, "SLAKE", NAMES, (".", "Slake1.0"))
        understood = partial(understand, suffix=params.suffix)
        split = partial(split_of, languages=params.languages)
        others = tuple(
            f"{name} ({other})" for name in dict.fromkeys(NAMES.values()) for other in ("en", "zh")
        )
        form = Format("slake", parts, understood, ("imgs", "images"), _REMARKS, (), split, others)
        super().__init__(params, storage, form, (params.split,))


def split_of(row: Row, part: Part, *, languages: tuple[str, ...]) -> str:
    """Rows in a language that is not asked are counted as a split of their own."""
    language = text_in(row, "q_lang", "language").casefold()
    if language not in ("en", "zh"):
        raise Unfit("unknown_language", repr(language)[:40])
    return str(part.split) if language in languages else f"{part.split} ({language})"


def understand(row: Row, part: Part, number: int, *, suffix: str) -> Understood:
    truth = text_in(row, "answer", "answer")
    kind, polarity = kind_of(text_or_none(row, "answer_type", "answer_type"), truth), opening(truth)
    image = text_in(row, "img_name", "image_name")
    question = Question(
        benchmark="slake",
        row_id=text_in(row, "qid", "id"),
        image_id=image,
        image=None,
        question=with_suffix(text_in(row, "question", "question"), kind, polarity, suffix),
        truth=truth,
        kind=kind,
        type=text_or_none(row, "content_type", "content_type"),
        modality=text_or_none(row, "modality", "modality"),
        site=text_or_none(row, "location", "location"),
        polarity=polarity,
    )
    return Understood(question, image)
