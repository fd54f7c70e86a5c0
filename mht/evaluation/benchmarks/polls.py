"""Polls of yes-no questions in POPE's form: is the thing there, as often no as yes.

Files: `path` is one of lines `{question_id, image, text, label: yes|no}`, or a folder or a pattern (`polls/*.jsonl`);
POPE calls its files `.json` though they are lines. Images lie beside them or in `images`. Source: POPE, arXiv
2305.10355. Each file is a kind of poll (random, popular, adversarial): its name is the question's `type`.
"""

from __future__ import annotations

from functools import partial

from mht.errors import InputError
from mht.evaluation.benchmarks._benchmark import CopyParams, FileBenchmark, Format, Understood
from mht.evaluation.benchmarks._parts import Part
from mht.evaluation.benchmarks._refused import Unfit
from mht.evaluation.benchmarks._rows import Row
from mht.evaluation.benchmarks._words import YES_OR_NO, text_in, with_suffix, without_marker
from mht.knowledge.polarity import NO, YES
from mht.questions import Kind, Question
from mht.storage import Storage

_SUFFIXES = (".jsonl", ".ndjson", ".json")


class Params(CopyParams):
    """Where the polls are. `suffix` follows every question."""

    suffix: str = YES_OR_NO


class Benchmark(FileBenchmark):
    """The polls of one file or several."""

    def __init__(self, params: Params, storage: Storage) -> None:
        understood = partial(understand, suffix=params.suffix)
        form = Format("polls", partial(find, storage, params.path), understood, ("images", "."), trains=False)
        super().__init__(params, storage, form, (_POLLS,))


_POLLS = "polls"


def find(storage: Storage, path: str) -> list[Part]:
    """The files of lines. Raises InputError where there are none."""
    found = [listing for listing in storage.glob(storage.absolute(path)) if "/" not in listing.name]
    parts = [Part(x.name, x.uri, _POLLS, x.version) for x in found if x.name.lower().endswith(_SUFFIXES)]
    if not parts:
        raise InputError(f"{path!r}: no {', '.join(_SUFFIXES)} among {len(found):,} files. Check the path.")
    return parts


def understand(row: Row, part: Part, number: int, *, suffix: str) -> Understood:
    label = text_in(row, "label", "label").casefold()
    if label not in (YES, NO):
        raise Unfit("label_neither_yes_nor_no", repr(label)[:40])
    image, kind = text_in(row, "image", "image_name"), part.name.rpartition(".")[0]
    question = Question(
        benchmark="polls",
        row_id=f"{kind}/{text_in(row, 'question_id', 'id')}",
        image_id=image,
        image=None,
        question=with_suffix(without_marker(text_in(row, "text", "question")), Kind.CLOSED, label, suffix),
        truth=label,
        kind=Kind.CLOSED,
        type=kind,
        polarity=label,
    )
    return Understood(question, image)
