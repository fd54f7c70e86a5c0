"""Figures of parts of a benchmark: by type, modality and risk, each part with its own interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mht.evaluation.intervals import IntervalParams, with_interval
from mht.evaluation.metrics import false_premise, hallucination_rate, over_rejection
from mht.knowledge.risk import LEVELS
from mht.predictions import Measured, Prediction, Score, Unit

SPLIT_BY = ("type", "risk", "modality", "site", "form")
UNSAID = "unsaid"
ALL = "all"


@dataclass(frozen=True, slots=True)
class Part:
    """The rows with one word in one column: how often they are wrong, and which way."""

    word: str
    wrong: Score
    accepted: Score
    rejected: Score


@dataclass(frozen=True, slots=True)
class Cross:
    """Wrong replies by type (down) and modality (across), `all` last in both; a cell without rows is not there."""

    down: tuple[str, ...]
    across: tuple[str, ...]
    cells: Mapping[tuple[str, str], Score]


class Grouping:
    """What is wrong in one benchmark's rows, cut by their columns; read once."""

    def __init__(self, rows: Sequence[Prediction], params: IntervalParams) -> None:
        self._rows = {f"{row.benchmark}/{row.row_id}": row for row in rows}
        self._params = params
        self._wrong = hallucination_rate.measure(rows, hallucination_rate.Params(by=()))[0]
        self._accepted = false_premise.measure(rows, false_premise.Params())[0]
        self._rejected = over_rejection.measure(rows, over_rejection.Params())[0]

    def by(self, column: str) -> tuple[Part, ...]:
        """A part a word of the column; none where the rows have at most one word."""
        words = self._words(column)
        if len(words) < 2:
            return ()
        return tuple(self._part(word, column) for word in words)

    def _part(self, word: str, column: str) -> Part:
        cuts = (
            self._cut(one, lambda row: _word(row, column) == word)
            for one in (self._wrong, self._accepted, self._rejected)
        )
        return Part(word, *cuts)

    def cross(self) -> Cross | None:
        """None where there is nothing to tell apart: rows of one type and one modality, or no premise at all."""
        types, modalities = self._words("type"), self._words("modality")
        if len(types) < 2 and len(modalities) < 2:
            return None
        down = (*types, ALL) if len(types) > 1 else types
        across = (*modalities, ALL) if len(modalities) > 1 else modalities
        cells = {}
        for row in down:
            for column in across:
                cell = self._cut(self._wrong, _in_cell(row, column))
                if cell.n_asked:
                    cells[row, column] = cell
        return Cross(down, across, cells)

    def _words(self, column: str) -> tuple[str, ...]:
        found = {_word(self._rows[unit.key], column) for unit in self._wrong.units}
        if column == "risk":
            return tuple(sorted(found, key=lambda word: (*LEVELS, word).index(word)))
        return tuple(sorted(found, key=lambda word: (word == UNSAID, word)))

    def _cut(self, measured: Measured, takes: Callable[[Prediction], bool]) -> Score:
        kept: tuple[Unit, ...] = tuple(unit for unit in measured.units if takes(self._rows[unit.key]))
        return with_interval(replace(measured, units=kept), self._params)


def _in_cell(type_: str, modality: str) -> Callable[[Prediction], bool]:
    def takes(row: Prediction) -> bool:
        return type_ in (ALL, _word(row, "type")) and modality in (ALL, _word(row, "modality"))

    return takes


def _word(row: Prediction, column: str) -> str:
    found: str | None = getattr(row, column)
    return UNSAID if found is None else found
