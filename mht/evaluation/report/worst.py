"""The worst errors of a run: which replies are wrong, the gravest and the surest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mht.evaluation.metrics import hallucination_rate, polarity
from mht.knowledge.polarity import YES, hedges
from mht.knowledge.risk import LEVELS
from mht.predictions import Prediction
from mht.records import State
from mht.seeds import digest

EACH_IMAGE = 2


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong reply and what is wrong with it, in words."""

    row: Prediction
    verdict: str


def wrong(rows: Sequence[Prediction]) -> list[Wrong]:
    """Every reply that is wrong of its premise, or, where a row has none, says yes for no; the worst first.

    By clinical risk, then by the judge's risk score, then by the model's confidence, then without a word of doubt.
    """
    by_key = {f"{row.benchmark}/{row.row_id}": row for row in rows}
    of_premise = hallucination_rate.measure(rows, hallucination_rate.Params(by=()))[0]
    bare = [row for row in rows if row.state is None]
    of_word = polarity.measure(bare, polarity.Params())[0]
    found = [by_key[unit.key] for unit in of_premise.units if unit.parts == (1.0, 1.0)]
    found += [by_key[unit.key] for unit in of_word.units if unit.parts == (0.0, 1.0)]
    return [Wrong(row, _verdict(row)) for row in sorted(found, key=_rank)]


def by_words(rows: Sequence[Prediction]) -> dict[str, bool]:
    """Whether a reply is right, by `benchmark/row`, where its words tell: of its premise, else its yes or no."""
    of_premise = hallucination_rate.measure(rows, hallucination_rate.Params(by=()))[0]
    of_word = polarity.measure([row for row in rows if row.state is None], polarity.Params())[0]
    told = {unit.key: unit.parts[0] == 0 for unit in of_premise.units if unit.parts is not None}
    return told | {unit.key: unit.parts[0] == 1 for unit in of_word.units if unit.parts is not None}


def chosen(errors: Sequence[Wrong], limit: int) -> list[Wrong]:
    """The first `limit`, at most two of an image, in their order."""
    seen: Counter[str] = Counter()
    taken: list[Wrong] = []
    for error in errors:
        if len(taken) == limit:
            break
        seen[error.row.image_id] += 1
        if seen[error.row.image_id] <= EACH_IMAGE:
            taken.append(error)
    return taken


def undecided(rows: Sequence[Prediction], limit: int) -> list[Prediction]:
    """Some replies in which nothing can be read, for a person to see; chosen by hash."""
    keys = _unread(rows)
    found = [row for row in rows if row.reply is not None and f"{row.benchmark}/{row.row_id}" in keys]
    return sorted(found, key=_hash)[:limit]


def _unread(rows: Sequence[Prediction]) -> Mapping[str, str | None]:
    asked = (
        hallucination_rate.measure(rows, hallucination_rate.Params(by=()))[0],
        polarity.measure([row for row in rows if row.state is None], polarity.Params())[0],
    )
    return {unit.key: unit.unscored for one in asked for unit in one.units if unit.parts is None}


def _verdict(row: Prediction) -> str:
    if row.state == State.HALLUCINATED:
        return "Goes along with a false premise"
    if row.state == State.FAITHFUL:
        return "Rejects a true premise"
    said, due = ("no", "yes") if polarity.truth_of(row) == YES else ("yes", "no")
    return f"Says {said}, the reference {due}"


def _rank(row: Prediction) -> tuple[int, float, float, bool, str]:
    level = LEVELS.index(row.risk) if row.risk in LEVELS else -1
    safe = min((given.risk for given in row.judgements if given.risk is not None), default=None)
    sure = 0.5 if row.likelihood_yes is None else max(row.likelihood_yes, 1 - row.likelihood_yes)
    return -level, 10.0 if safe is None else safe, -sure, hedges(row.answer), _hash(row)


def _hash(row: Prediction) -> str:
    return digest("worst", row.benchmark, row.row_id).hex()
