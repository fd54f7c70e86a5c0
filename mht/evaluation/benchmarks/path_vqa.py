"""PathVQA: questions about pathology images from textbooks and a digital library.

Files: the hub's Parquet release (`train-…`, `validation-…` and `test-….parquet`, in the folder or in `data`), whose
rows hold the image. The authors' own release is pickles, which are not opened: loading one runs what it says. Source:
He et al., arXiv 2003.10286 (MIT). Rows have no ids: they are called by split and place, `test/17`; images by their
hash. A question whose answer is yes or no is closed, any other open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

from mht.errors import InputError
from mht.evaluation.benchmarks._benchmark import CopyParams, FileBenchmark, Format, Understood
from mht.evaluation.benchmarks._images import held
from mht.evaluation.benchmarks._parts import Part, not_there
from mht.evaluation.benchmarks._rows import Row
from mht.evaluation.benchmarks._words import YES_OR_NO, kind_of, text_in, with_suffix
from mht.knowledge.polarity import opening
from mht.questions import Question
from mht.storage import Listing, Storage

COLUMNS = ("image", "question", "answer")
_SPLIT = re.compile(r"(?:^|/)(train|validation|val|test)(?:-[^/]*)?\.parquet$")
_REMARKS = ("licence: MIT (arXiv 2003.10286); the textbooks' own terms may apply to the images",)


class Params(CopyParams):
    """Where the copy is, and which split is asked. `suffix` follows questions whose answer is yes or no."""

    split: Literal["train", "validation", "test"] = "test"
    suffix: str = YES_OR_NO


class Benchmark(FileBenchmark):
    """PathVQA's questions of one split."""

    def __init__(self, params: Params, storage: Storage) -> None:
        form = Format(
            "path_vqa",
            partial(find, storage, params.path),
            partial(understand, suffix=params.suffix),
            (),
            _REMARKS,
            columns=COLUMNS,
        )
        super().__init__(params, storage, form, (params.split,))


def find(storage: Storage, path: str) -> list[Part]:
    """The Parquet files by split, in the order of their names. Raises InputError for pickles, or another layout."""
    listings = list(storage.list(storage.absolute(path)))
    parts = list(_parts(listings))
    if parts:
        return parts
    pickles = [listing.name for listing in listings if listing.name.endswith((".pkl", ".pickle"))]
    if pickles:
        raise InputError(
            f"{path!r}: holds pickles ({pickles[0]} …), which are not opened: loading one runs what it says. Take the "
            "Parquet release of the hub (flaviagiammarino/path-vqa)."
        )
    raise not_there(storage, path, "PathVQA", ["data/{train,validation,test}-*.parquet"])


def _parts(listings: Sequence[Listing]) -> Iterator[Part]:
    for listing in listings:
        found = _SPLIT.search(listing.name)
        if found:
            split = "validation" if found[1] == "val" else found[1]
            yield Part(listing.name, listing.uri, split, listing.version)


def understand(row: Row, part: Part, number: int, *, suffix: str) -> Understood:
    truth = text_in(row, "answer", "answer")
    kind, polarity = kind_of(None, truth), opening(truth)
    image = held(row.get("image"))
    question = Question(
        benchmark="path_vqa",
        row_id=f"{part.split}/{part.name.rpartition('/')[2]}:{number}",
        image_id="",
        image=None,
        question=with_suffix(text_in(row, "question", "question"), kind, polarity, suffix),
        truth=truth,
        kind=kind,
        polarity=polarity,
    )
    return Understood(question, image if isinstance(image, bytes) else None)
