"""Scores that people gave the replies: a file with a row for each reply and rater, beside the judges."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from statistics import fmean
from typing import Any

from mht.config_people import PeopleConfig
from mht.errors import InputError
from mht.evaluation.answering import Spec
from mht.evaluation.benchmarks._rows import read_rows, with_columns
from mht.evaluation.work import Site, take_judged
from mht.judgements import HIGHEST, LOWEST, NO_REPLY, NOT_RATED, PEOPLE, SCALES, Judgement, Scores
from mht.predictions import Prediction
from mht.storage import Storage

_NAME = re.compile(r"[\w.-]+( [\w.-]+)*")
_Key = tuple[str | None, str, str | None]
"""(benchmark where the file tells it, row id, reply where the file tells it)."""


class People:
    """What the raters of a file said. Where there are several, `people` has the mean of those who scored a reply.

    Raises InputError for a file that cannot be read, a score that is none from 1 to 10, and a rater who scored a row
    twice.
    """

    def __init__(self, config: PeopleConfig, storage: Storage) -> None:
        self._config = config
        self.digest = _digest(config, storage)
        self._scores: dict[str, dict[_Key, Scores]] = {}
        for rater, key, scores in _read(config, storage):
            own = self._scores.setdefault(rater, {})
            if key in own:
                unnamed = {"benchmarks": "benchmark", "replies": "reply"}
                beside = "".join(
                    f", or name the column of {what} in people.{name}"
                    for what, name in unnamed.items()
                    if getattr(config, name) is None
                )
                raise InputError(
                    f"{config.path!r}: {rater!r} scored row {key[1]!r} twice. Leave one of the two out{beside}."
                )
            own[key] = scores
        if not self._scores:
            raise InputError(f"{config.path!r}: no row has scores. Leave people out, or fill its columns in.")
        for rater in self._scores:
            if not _NAME.fullmatch(rater):
                raise InputError(
                    f"{config.path!r}: {rater!r} is no name of a rater: it is used as a folder's, so letters, digits, "
                    "-, ., _ and single spaces only"
                )
        if config.together in self._scores:
            raise InputError(
                f"{config.path!r}: a rater is called {config.together!r}, which is the name of all of them together. "
                "Give another in people.together."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The raters, by name; behind them all together where there are several."""
        raters = tuple(sorted(self._scores))
        return (*raters, self._config.together) if len(raters) > 1 else raters

    @property
    def identities(self) -> dict[str, dict[str, Any]]:
        """What a run says of each, as of a judge."""
        return {name: {"kind": PEOPLE, "rater": name, "digest": self.digest} for name in self.names}

    def judgement(self, name: str, row: Prediction) -> Judgement:
        """What one of them said of a reply."""
        if row.reply is None:
            return Judgement(name, failure=NO_REPLY)
        raters = sorted(self._scores) if name == self._config.together else [name]
        benchmark = row.benchmark if self._config.benchmark else None
        key = (benchmark, row.row_id, _said(row.reply) if self._config.reply else None)
        said = [self._scores[rater][key] for rater in raters if key in self._scores.get(rater, {})]
        if not said:
            return Judgement(name, failure=NOT_RATED)
        accuracy, relevance, detail, risk = map(fmean, zip(*said, strict=True))
        return Judgement(name, accuracy, relevance, detail, risk)


def _digest(config: PeopleConfig, storage: Storage) -> str:
    """Of the file and of which of its columns are read as what."""
    columns = config.model_dump_json(exclude={"path"})
    return hashlib.sha256(columns.encode() + b"\0" + storage.read(config.path)).hexdigest()[:16]


def take_over(site: Site, spec: Spec, people: People) -> str | None:
    """Commit what people said as judges' work; what to say where they scored none of these rows."""
    scored = sum(take_judged(site, spec, name, partial(people.judgement, name)) for name in people.names)
    return (
        None
        if scored
        else "people scored none of these rows; see people.id, people.benchmark and people.reply"
    )


def _read(config: PeopleConfig, storage: Storage) -> Iterator[tuple[str, _Key, Scores]]:
    """(rater, row, scores) of each row of the file that has any."""
    for raw in read_rows(storage, config.path):
        where = f"{config.path!r}, row {raw.number:,}"
        row = with_columns(config.path, raw, config.columns, "people.id=…, people.rater=…, people.accuracy=…")
        values = [row[getattr(config, scale)] for scale in SCALES]
        if all(value in (None, "") for value in values):
            continue
        accuracy, relevance, detail, risk = (
            _score(value, f"{where}, {scale}") for value, scale in zip(values, SCALES, strict=True)
        )
        benchmark = None if config.benchmark is None else str(row[config.benchmark])
        reply = None if config.reply is None else _said(row[config.reply])
        key = (benchmark, str(row[config.id]), reply)
        yield str(row[config.rater]).strip(), key, (accuracy, relevance, detail, risk)


def _said(reply: Any) -> str:
    return " ".join(str("" if reply is None else reply).split())


def _score(value: Any, where: str) -> float:
    try:
        score = float(value)
    except (TypeError, ValueError):
        score = 0.0
    if not LOWEST <= score <= HIGHEST:
        raise InputError(
            f"{where}: {value!r} is no score; it lies from {LOWEST:g} to {HIGHEST:g}, 10 is best and, of risk, safest. "
            "A reply that was not scored has all four empty."
        )
    return score
