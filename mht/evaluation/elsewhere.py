"""Predictions made elsewhere: a file with a reply a row, matched with a benchmark's questions by their ids."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mht import catalog
from mht.config_evaluate import BENCHMARKS, FileConfig
from mht.errors import InputError
from mht.evaluation.benchmarks._rows import RawRow, read_rows, with_columns
from mht.evaluation.tables import Kept
from mht.judgements import NO_REPLY, Judgement, read_official
from mht.predictions import Prediction
from mht.questions import Question, answered
from mht.storage import Storage

NO_ROW, NULL_REPLY = "not_in_file", "no_reply_in_file"
"""The failures of rows that the file lacks, or leaves without a reply."""
_Key = tuple[str | None, str]
"""A benchmark's name where a column holds them, and a row's id."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Told:
    """A row of the file: a reply or None where it has none; where a column has them the probability of yes, and what a
    judge wrote.
    """

    reply: str | None
    likelihood_yes: float | None
    judgement: str


class Elsewhere:
    """The file's rows. Raises InputError for one that cannot be read, lacks a column, or has an id twice."""

    def __init__(self, config: FileConfig, storage: Storage) -> None:
        self._config = config
        rows = list(_rows(config, storage))
        files = dict.fromkeys(file for file, _ in rows)
        self.digest = hashlib.sha256(b"".join(map(storage.read, files))).hexdigest()[:16]
        self._rows: dict[_Key, Told] = {}
        self._as_written: dict[_Key, _Key] = {}
        for benchmark, written, told in self._read(rows):
            key, spelt = (benchmark, _id(written)), (benchmark, str(written))
            if key in self._rows or spelt in self._as_written:
                raise InputError(
                    f"{config.path!r}: id {key[1]!r} stands there twice"
                    f"{' for one benchmark' if config.benchmark else ''}. Name the column of benchmarks in "
                    "predictions.benchmark if the file holds several, or leave one of the rows out."
                )
            self._rows[key] = told
            self._as_written[spelt] = key
        self._used: set[_Key] = set()

    def rows(self, questions: Sequence[Question]) -> list[Kept]:
        """A row for each question; one that the file lacks has failed."""
        return [self._row(question) for question in questions]

    @property
    def released(self) -> dict[str, Any]:
        """What decides the judgements in the file."""
        return {"kind": "file", "digest": self.digest, "column": self._config.judgement}

    def judgement(self, row: Prediction) -> Judgement:
        """What the judge of the file said of a row's reply."""
        told = self._rows.get(self._key(row))
        if told is None or told.reply is None:
            return Judgement(self._config.judge, failure=NO_REPLY)
        return read_official(told.judgement, self._config.judge)

    def note(self) -> str | None:
        """Rows of the file that no question was found for, once all were asked for."""
        left = len(self._rows) - len(self._used)
        return (
            f"{left:,} of the {len(self._rows):,} rows of the file answer no question here" if left else None
        )

    def _key(self, question: Question | Prediction) -> _Key:
        """A row that was written `1.0` answers a question `1`, and one that a table of floats calls `1.0`, too."""
        asked = question.benchmark if self._config.benchmark else None, question.row_id
        return self._as_written.get(asked, asked)

    def _row(self, question: Question) -> Kept:
        key = self._key(question)
        told = self._rows.get(key)
        if told is None:
            return Kept(answered(question, None, NO_ROW))
        self._used.add(key)
        if told.reply is None:
            return Kept(answered(question, None, NULL_REPLY))
        return Kept(answered(question, told.reply, None, told.likelihood_yes))

    def _read(self, rows: Sequence[tuple[str, RawRow]]) -> Iterator[tuple[str | None, Any, Told]]:
        """(benchmark, id as it is written, what the row holds)."""
        config = self._config
        for file, raw in rows:
            where = f"{file!r}, row {raw.number:,}"
            named = [config.id, config.reply, config.benchmark, config.likelihood_yes, config.judgement]
            columns = [name for name in named if name is not None]
            row = with_columns(file, raw, columns, "predictions.id=…, predictions.reply=…")
            benchmark = None if config.benchmark is None else str(row[config.benchmark])
            written = row[config.id]
            text = _reply(row[config.reply], f"{where}, id {_id(written)!r}, column {config.reply!r}")
            likely = _share(row.get(config.likelihood_yes or ""), where)
            judged = str(row.get(config.judgement or "") or "")
            yield benchmark, written, Told(text, likely, judged)


def _rows(config: FileConfig, storage: Storage) -> Iterator[tuple[str, RawRow]]:
    """(file, row)."""
    if config.official is None:
        return ((config.path, raw) for raw in read_rows(storage, config.path))
    found: Iterator[tuple[str, RawRow]] = catalog.load(BENCHMARKS, config.official).predicted(
        storage, config.path
    )
    return found


def _id(written: Any) -> str:
    """As text; a whole number is one however it is written (`1.0`, as tables hold them where one is missing)."""
    return str(int(written)) if isinstance(written, float) and written.is_integer() else str(written)


def _reply(value: Any, where: str) -> str | None:
    """The one text, out of the lists of one that lm-evaluation-harness puts around it; None for none, or NaN.

    A lone surrogate, which no file of ours can hold, becomes U+FFFD. Raises InputError for what is no text or number.
    """
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if not isinstance(value, str | int | float | Decimal):
        found = f"a list of {len(value):,}" if isinstance(value, list) else f"of type {type(value).__name__}"
        raise InputError(
            f"{where}: the reply is {found}, and has to be one text. Write a text a row, or name another column: "
            "predictions.reply=…"
        )
    return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", str(value)).strip()


def _share(value: Any, where: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError(f"{where}: {value!r} is no probability of yes; it lies between 0 and 1.")
    return share
