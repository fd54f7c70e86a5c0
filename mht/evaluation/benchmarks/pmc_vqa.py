"""PMC-VQA: questions with four options about figures of PubMed Central.

Files: `train.csv`, `test.csv` and `test_clean.csv` of the first version (`Answer_label` is the right letter) and
`train_2.csv` and `test_2.csv` of the second (`Answer` is); each is a split. Images in `images`, `figures` or
`images_2`. Source: Zhang et al., arXiv 2305.10415. The truth is the right option's text; the group is the article
(`PMC…`), whose figures are often of one patient. Questions and options are asked on lines of their own.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Literal

from mht.evaluation.benchmarks._benchmark import CopyParams, FileBenchmark, Format, Understood
from mht.evaluation.benchmarks._parts import Part, find_parts
from mht.evaluation.benchmarks._rows import Row
from mht.evaluation.benchmarks._words import (
    BY_LETTER,
    option_text,
    right_option,
    text_in,
    text_or_none,
    with_options,
    with_suffix,
)
from mht.questions import Kind, Question
from mht.storage import Storage

NAMES: dict[str, str | None] = {
    f"{split}.csv": split for split in ("train", "train_2", "test", "test_2", "test_clean")
}
_ARTICLE = re.compile(r"PMC\d+")
_REMARKS = ("licence: the articles' own (open access subset of PubMed Central)",)


class Params(CopyParams):
    """Where the copy is, and which file's questions are asked. `suffix` follows the options."""

    split: Literal["train", "train_2", "test", "test_2", "test_clean"] = "test"
    suffix: str = BY_LETTER


class Benchmark(FileBenchmark):
    """PMC-VQA's questions of one file."""

    def __init__(self, params: Params, storage: Storage) -> None:
        parts = partial(find_parts, storage, params.path, "PMC-VQA", NAMES)
        understood = partial(understand, suffix=params.suffix)
        form = Format("pmc_vqa", parts, understood, ("images", "figures", "images_2"), _REMARKS)
        super().__init__(params, storage, form, (params.split,))


def understand(row: Row, part: Part, number: int, *, suffix: str) -> Understood:
    letters = [letter for letter in "ABCD" if text_or_none(row, f"Choice {letter}", "option") is not None]
    options = tuple(option_text(text_in(row, f"Choice {letter}", "option"), letter) for letter in letters)
    label = "Answer_label" if "Answer_label" in row else "Answer"
    truth = right_option(options, letters, text_in(row, label, "answer"))
    image = text_in(row, "Figure_path", "image_name")
    article = _ARTICLE.match(image)
    asked = with_options(text_in(row, "Question", "question"), options)
    question = Question(
        benchmark="pmc_vqa",
        row_id=f"{part.split}/{number}",
        image_id=image,
        image=None,
        question=with_suffix(asked, Kind.CHOICE, None, suffix),
        truth=truth,
        kind=Kind.CHOICE,
        options=options,
        group=article[0] if article else None,
        caption=text_or_none(row, "Caption", "caption"),
    )
    return Understood(question, image)
