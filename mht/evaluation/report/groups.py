"""Figures of parts of a benchmark: by type, modality and risk, each part with its own interval.

Where the rows have a state it is cut how they are wrong about their premise; where they have none, the benchmark's
principal figures: the right option of all, yes or no as in the reference of all, or closed and open questions apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mht.evaluation.intervals import IntervalParams, with_interval
from mht.evaluation.metrics import choice, false_premise, hallucination_rate, over_rejection, polarity, vqa
from mht.knowledge.risk import LEVELS
from mht.predictions import Measured, Prediction, Score, Unit, share

SPLIT_BY = ("type", "risk", "modality", "site", "form")
UNSAID = "unsaid"
ALL = "all"
OTHERS = "all others"
_MOST_WORDS = 40


@dataclass(frozen=True, slots=True)
class Part:
    """The rows with one word in one column: how often they are wrong, and which way."""

    word: str
    wrong: Score
    accepted: Score
    rejected: Score


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A principal figure, by `name`, of the rows with each word in one column; `parts` are (word, score)."""

    name: str
    column: str
    parts: tuple[tuple[str, Score], ...]


@dataclass(frozen=True, slots=True)
class Cross:
    """The figure `name` by type (down) and modality (across), `all` last in both; a cell without rows is not there."""

    name: str
    down: tuple[str, ...]
    across: tuple[str, ...]
    cells: Mapping[tuple[str, str], Score]


def principal(rows: Sequence[Prediction]) -> tuple[Measured, ...]:
    """What a benchmark without premises is about; none for one with them."""
    if any(row.state is not None for row in rows):
        return ()
    if any(map(choice.asks, rows)):
        return (share("choice.of_all", rows, choice.asks, choice.of_all),)
    told = (
        share("vqa.closed", rows, vqa.is_closed, vqa.closed),
        share("vqa.open_recall", rows, vqa.is_open, vqa.recall),
    )
    if not told[1].units and all(map(polarity.asks, rows)):
        return (share("polarity.of_all", rows, polarity.asks, polarity.of_all),)
    return tuple(one for one in told if one.units)


class Parts:
    """The principal figures of one benchmark's rows, cut by their columns."""

    def __init__(self, rows: Sequence[Prediction], params: IntervalParams) -> None:
        self._rows = {f"{row.benchmark}/{row.row_id}": row for row in rows}
        self._params = params
        self._principal = principal(rows)

    def by(self, column: str) -> tuple[Breakdown, ...]:
        """One a figure; none where its rows have at most one word. Of very many words the rarest are one part."""
        found = []
        for measured in self._principal:
            groups = self._groups(measured, column)
            if len(groups) > 1:
                parts = ((word, self._score(measured, units)) for word, units in groups.items())
                found.append(Breakdown(measured.name, column, tuple(parts)))
        return tuple(found)

    def cross(self) -> Cross | None:
        """The first figure by type and modality, where there are several of both."""
        if not self._principal:
            return None
        measured = self._principal[0]
        types, modalities = (self._groups(measured, column) for column in ("type", "modality"))
        if len(types) < 2 or len(modalities) < 2:
            return None
        down, across = types | {ALL: measured.units}, modalities | {ALL: measured.units}
        cells = {}
        for type_, of_type in down.items():
            for modality, of_modality in across.items():
                both = {unit.key for unit in of_modality}
                units = [unit for unit in of_type if unit.key in both]
                if units:
                    cells[type_, modality] = self._score(measured, units)
        return Cross(measured.name, tuple(down), tuple(across), cells)

    def _groups(self, measured: Measured, column: str) -> dict[str, Sequence[Unit]]:
        found: dict[str, list[Unit]] = {}
        for unit in measured.units:
            found.setdefault(_word(self._rows[unit.key], column), []).append(unit)
        often = sorted(found, key=lambda word: (-len(found[word]), word))
        kept, rare = often[:_MOST_WORDS], often[_MOST_WORDS:]
        groups: dict[str, Sequence[Unit]] = {word: found[word] for word in sorted(kept, key=_unsaid_last)}
        return groups | ({OTHERS: [unit for word in rare for unit in found[word]]} if rare else {})

    def _score(self, measured: Measured, units: Sequence[Unit]) -> Score:
        return with_interval(replace(measured, units=tuple(units)), self._params)


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
        return Cross(self._wrong.name, down, across, cells)

    def _words(self, column: str) -> tuple[str, ...]:
        found = {_word(self._rows[unit.key], column) for unit in self._wrong.units}
        if column == "risk":
            return tuple(sorted(found, key=lambda word: (*LEVELS, word).index(word)))
        return tuple(sorted(found, key=_unsaid_last))

    def _cut(self, measured: Measured, takes: Callable[[Prediction], bool]) -> Score:
        kept: tuple[Unit, ...] = tuple(unit for unit in measured.units if takes(self._rows[unit.key]))
        return with_interval(replace(measured, units=kept), self._params)


def _unsaid_last(word: str) -> tuple[bool, str]:
    return word == UNSAID, word


def _in_cell(type_: str, modality: str) -> Callable[[Prediction], bool]:
    def takes(row: Prediction) -> bool:
        return type_ in (ALL, _word(row, "type")) and modality in (ALL, _word(row, "modality"))

    return takes


def _word(row: Prediction, column: str) -> str:
    found: str | None = getattr(row, column)
    return UNSAID if found is None else found
