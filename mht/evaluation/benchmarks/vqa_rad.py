"""VQA-RAD: questions of clinicians about radiology images; its official test split are the rows `test_…`.

Files: `VQA_RAD Dataset Public.json` as on OSF (osf.io/89kps), or its rows by lines as `train.jsonl` and `test.jsonl`;
the images in `VQA_RAD Image Folder` or `images` beside them. Source: Lau et al., Scientific Data 2018 (CC0). Answers
may be numbers; open and closed are the release's own words, and some closed answers are neither yes nor no. `type` is
its kind of question (`PRES`, `POS` …), `site` its organ, the group its MedPix case where the release has one.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from mht.evaluation.benchmarks._benchmark import CopyParams, FileBenchmark, Format, Understood
from mht.evaluation.benchmarks._parts import Part, find_parts
from mht.evaluation.benchmarks._refused import Unfit
from mht.evaluation.benchmarks._rows import Row
from mht.evaluation.benchmarks._words import YES_OR_NO, kind_of, text_in, text_or_none, with_suffix
from mht.knowledge.polarity import opening
from mht.questions import Question
from mht.storage import Storage

NAMES = {"VQA_RAD Dataset Public.json": None, "train.jsonl": "train", "test.jsonl": "test"}
FOLDERS = ("VQA_RAD Image Folder", "images", "imgs")
_SPLITS = {"freeform": "train", "para": "train", "test_freeform": "test", "test_para": "test"}
_SITES = {"HEAD": "head", "CHEST": "chest", "ABD": "abdomen"}
_REMARKS = ("licence: CC0 (osf.io/89kps)",)
_PUBLISHED = (
    "leakage: in the release 202 of the 203 images of test also stand in train, by name; a model that was trained on "
    "VQA-RAD has seen them",
)


class Params(CopyParams):
    """Where the copy is, and which split is asked. `suffix` follows closed questions whose answer is yes or no."""

    split: Literal["train", "test"] = "test"
    suffix: str = YES_OR_NO


class Benchmark(FileBenchmark):
    """VQA-RAD's questions of one split."""

    def __init__(self, params: Params, storage: Storage) -> None:
        parts = partial(find_parts, storage, params.path, "VQA-RAD", NAMES)
        form = Format(
            "vqa_rad",
            parts,
            partial(understand, suffix=params.suffix),
            FOLDERS,
            _REMARKS,
            _PUBLISHED,
            split_of,
        )
        super().__init__(params, storage, form, (params.split,))


def split_of(row: Row, part: Part) -> str:
    """By the row's phrase type, whatever file it stands in."""
    phrasing = text_in(row, "phrase_type", "phrase_type")
    if phrasing not in _SPLITS:
        raise Unfit("unknown_phrase_type", repr(phrasing)[:40])
    return _SPLITS[phrasing]


def understand(row: Row, part: Part, number: int, *, suffix: str) -> Understood:
    truth = text_in(row, "answer", "answer")
    kind, polarity = kind_of(text_or_none(row, "answer_type", "answer_type"), truth), opening(truth)
    image = text_in(row, "image_name", "image_name")
    organ = text_or_none(row, "image_organ", "image_organ")
    question = Question(
        benchmark="vqa_rad",
        row_id=text_in(row, "qid", "id"),
        image_id=image,
        image=None,
        question=with_suffix(text_in(row, "question", "question"), kind, polarity, suffix),
        truth=truth,
        kind=kind,
        group=text_or_none(row, "image_case_url", "case"),
        type=text_or_none(row, "question_type", "question_type"),
        site=_SITES.get(organ or "", organ),
        polarity=polarity,
    )
    return Understood(question, image)
