"""MedHallTune: faithful (positive) and hallucinated (negative) questions of its validation split, answered in full.

Files, by split: `positive.jsonl` and `negative.jsonl`, or the names that the release gave them over time
(`positive_qa.jsonl`, `val_positive_qa-filtered.jsonl`, `llava-med-prediction-postive-GPT4o-eval-filtered.jsonl` and
their negatives), in the folder or in `results_save_dir`; images in `images` or beside them. Source: arXiv 2502.20780,
github.com/russellyq/MedHallTune. `gpt4_answer` is the reference answer (the newest question files hold none),
`answer` another model's, which is never read. A `question_id` is unique within its split only: rows are called
`positive/17`. `predicted` reads the files in which the release keeps a model's answers, `official_files` makes them for
the official script and its page, with a judge's scores in `result` as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Literal

from pydantic import Field

from mht.errors import InputError
from mht.evaluation.benchmarks._benchmark import CopyParams, FileBenchmark, Format, Understood
from mht.evaluation.benchmarks._parts import Part, find_parts
from mht.evaluation.benchmarks._refused import Unfit
from mht.evaluation.benchmarks._rows import RawRow, Row, read_rows
from mht.evaluation.benchmarks._words import kind_of, text_in, text_or_none, with_suffix, without_marker
from mht.judgements import Judgement, write_official
from mht.knowledge.polarity import opening
from mht.predictions import Prediction
from mht.questions import Question
from mht.records import State
from mht.storage import Storage

_STATES = {"positive": State.FAITHFUL, "negative": State.HALLUCINATED}
NAMES: dict[str, str | None] = {
    name.format(word): split
    for split, words in {"positive": ("positive", "postive"), "negative": ("negative",)}.items()
    for word in words
    for name in (
        "{}.jsonl",
        "val_{}_qa-filtered.jsonl",
        "{}_qa.jsonl",
        "llava-med-prediction-{}-GPT4o-eval-filtered.jsonl",
    )
}
_OTHERS = ("result", "reference_scores", "reference_answers")
"""What a judge said of another model's answer."""
_REMARKS = (
    "positive and negative questions stand on different images, so a difference between the two is one of images, too",
    "licence: the release has no licence file; an old note says CC BY-NC 4.0 (research only)",
)


class Params(CopyParams):
    """Where the copy is, and which splits are asked.

    The questions are the official ones; a `suffix` would follow those whose reference answer begins with yes or no.
    """

    split: tuple[Literal["positive", "negative"], ...] = Field(default=("positive", "negative"), min_length=1)
    suffix: str = ""


class Benchmark(FileBenchmark):
    """MedHallTune's questions of one split or both."""

    def __init__(self, params: Params, storage: Storage) -> None:
        parts = partial(find_parts, storage, params.path, _RELEASE, NAMES, _BELOW)
        form = Format("medhalltune", parts, partial(understand, suffix=params.suffix), _FOLDERS, _REMARKS)
        super().__init__(params, storage, form, params.split)

    def official_files(self, predictions: Sequence[Prediction]) -> dict[str, tuple[bytes, str]]:
        """By name, for each split, the release's own rows with our `answer`, and how many of them it holds.

        Of each judge there are the same once more, in a folder of its name, with its scores in `result` as the official
        judge writes them. A row without a reply, or there without scores, is left out: the official script would score
        whatever stood there. Raises InputError for a prediction of no row, or of the same row twice.
        """
        rows: dict[str, Prediction] = {}
        for row in predictions:
            if row.row_id in rows:
                raise InputError(
                    f"medhalltune: two predictions for row {row.row_id!r}. Write one run at a time."
                )
            rows[row.row_id] = row
        unknown = rows.keys() - {question.row_id for question in self.questions()}
        if unknown:
            raise InputError(
                f"medhalltune: this copy has no row {min(unknown)!r}. Write with the copy that was asked."
            )
        judges = sorted({given.judge for row in predictions for given in row.judgements})
        return {
            f"{_folder(judge)}{part.split}.jsonl": self._official(part, rows, judge)
            for judge in (None, *judges)
            for part in self._asked_parts
        }

    def _official(self, part: Part, found: Mapping[str, Prediction], judge: str | None) -> tuple[bytes, str]:
        lines, rows = [], 0
        for raw in self._rows(part):
            rows += 1
            if isinstance(raw.row, Unfit):
                continue
            row = found.get(_row_id(part, raw.row))
            if row is None or row.reply is None:
                continue
            told = official(raw.row, row.reply)
            if judge is not None:
                result = write_official(row.judged_by(judge) or Judgement(judge, failure="not_judged"))
                if result is None:
                    continue
                told |= {"result": result}
            lines.append(json.dumps(told) + "\n")
        what = "a reply" if judge is None else f"scores of {judge}"
        lacks = f"; {rows - len(lines):,} without {what} are not in it" if rows > len(lines) else ""
        whole = "" if judge is None else f", {judge}'s scores in whole points"
        return "".join(lines).encode(), f"{len(lines):,} of {rows:,} rows{whole}{lacks}"


def _folder(judge: str | None) -> str:
    """Where a judge's files are: its name in the configuration, without its model's."""
    return "" if judge is None else f"{judge.partition(' (')[0]}/"


def predicted(storage: Storage, path: str) -> Iterator[tuple[str, RawRow]]:
    """(file, row) of a model's answers as the release keeps them, with the `row_id` and `reply` that they are here.

    `path` is a file or folder with the names above. What the released judge said stands in `result`.
    """
    for part in find_parts(storage, path, _RELEASE, NAMES, _BELOW):
        for raw in read_rows(storage, part.uri):
            if not isinstance(raw.row, Unfit) and raw.row.keys() >= {"question_id", "answer"}:
                told = {"row_id": _row_id(part, raw.row), "reply": raw.row["answer"]}
                raw = RawRow(raw.number, raw.row | told, raw.member)
            yield part.uri, raw


def _row_id(part: Part, row: Row) -> str:
    return f"{part.split}/{row.get('question_id')}"


_RELEASE, _BELOW = "MedHallTune", (".", "results_save_dir")
_FOLDERS = ("images", "image", "imgs", ".", "../images", "../image")


def official(row: Row, reply: str) -> Row:
    """The release's row with the reply in it, and nothing that was said of another model's."""
    kept = {name: value for name, value in row.items() if name not in _OTHERS}
    asked = without_marker(str(row.get("text") or row.get("question")))
    return kept | {"question": asked, "answer": reply}


def understand(row: Row, part: Part, number: int, *, suffix: str) -> Understood:
    column = "text" if "text" in row else "question"
    asked = without_marker(text_in(row, column, "question"))
    if not asked:
        raise Unfit("empty_question")
    truth = text_or_none(row, "gpt4_answer", "answer") or ""
    kind, polarity = kind_of(None, truth), opening(truth)
    image = text_in(row, "image", "image")
    question = Question(
        benchmark="medhalltune",
        row_id=f"{part.split}/{text_in(row, 'question_id', 'id')}",
        image_id=image,
        image=None,
        question=with_suffix(asked, kind, polarity, suffix),
        truth=truth,
        kind=kind,
        state=_STATES[str(part.split)],
        polarity=polarity,
        caption=text_or_none(row, "fig_caption", "caption"),
    )
    return Understood(question, image)
