"""Rows that the model cannot be given: found before the first step, named in the run's folder, left out of every epoch.

What is left out is a run's own and never changes, so the order of its steps and what each of them holds do not depend
on who reads them, with how many workers, or how often the run was resumed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mht.artifacts import dump_json
from mht.errors import InputError, IntegrityError, StorageMissing
from mht.storage import Storage, join
from mht.training.assignment import Assignment, Feeder
from mht.training.progress import Beat

if TYPE_CHECKING:
    from mht.model.ranks import Ranks

FILE = "unlearnable.json"
_NAMED = 5
_LISTEN_STEPS = 8
"""How often it is asked whether the run shall stop."""


@dataclass(frozen=True, slots=True)
class Unlearnable:
    """A row: its example, its exchange, and why the model cannot be given it."""

    example_id: str
    exchange_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of looking at so many rows."""

    rows: int
    found: tuple[Unlearnable, ...]

    @property
    def left_out(self) -> frozenset[str]:
        return frozenset(one.exchange_id for one in self.found)

    def plain(self) -> dict[str, Any]:
        rows = [
            {"example": one.example_id, "exchange": one.exchange_id, "reason": one.reason}
            for one in self.found
        ]
        return {"rows": self.rows, "unlearnable": rows}


def checked(
    given: Assignment,
    feed: Feeder,
    storage: Storage,
    ranks: Ranks,
    tell: Callable[[Beat], bool],
    say: Callable[[str], None],
) -> frozenset[str] | None:
    """The ids of the exchanges to leave out, None where the run was asked to stop. Every rank calls it.

    Looks once in a run; later calls read what was found. Raises InputError where too many cannot be learnt.
    """
    uri = join(given.config.output, FILE)
    there = ranks.asked_of_first(lambda: read(storage, uri))
    if there is None and not given.config.run.check_rows:
        return frozenset()
    if there is None:
        there = _looked(given, feed, ranks, tell)
        if there is None:
            return None
        if ranks.first:
            storage.write(uri, dump_json(there.plain()))
    if there.found:
        say(_refused(there, given.config.run.max_unlearnable, uri))
    return there.left_out


def read(storage: Storage, uri: str) -> Checked | None:
    """What was found before. Raises IntegrityError for a file that is not one of these."""
    try:
        plain = json.loads(storage.read(uri))
        found = [Unlearnable(one["example"], one["exchange"], one["reason"]) for one in plain["unlearnable"]]
        return Checked(int(plain["rows"]), tuple(found))
    except StorageMissing:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise IntegrityError(
            f"{uri}: not a list of rows ({error}). Delete it to have them looked at again."
        ) from None


def _looked(given: Assignment, feed: Feeder, ranks: Ranks, tell: Callable[[Beat], bool]) -> Checked | None:
    """Each rank looks at its part of every step."""
    from mht.training.preparation import speech_in

    config, agenda = given.config, given.agenda.once()
    speech, total = speech_in(config.model, config.preference is not None), agenda.total()
    rows = 0
    own: list[Unlearnable] = []
    with closing(feed(replace(given, agenda=agenda), speech, 0, ranks.rank, ranks.count)) as feeding:
        each: Iterable[tuple[int, int, Any]] = feeding
        for step, _, verdicts in each:
            for one in verdicts:
                rows += one.exchanges
                own += [Unlearnable(one.example_id, name, reason) for name, reason in one.unlearnable]
            if step % _LISTEN_STEPS == 0:
                asked = ranks.first and tell(Beat(0, total, 0, 0.0, 0, 0, 0, None, checked=step))
                if any(ranks.every(asked)):
                    return None
    told = ranks.every((rows, own))
    found = sorted(
        (one for _, part in told for one in part), key=lambda one: (one.example_id, one.exchange_id)
    )
    return Checked(sum(count for count, _ in told), tuple(found))


def _refused(there: Checked, most: float, uri: str) -> str:
    """What is said of the rows that are left out. Raises InputError with it where they are too many, or all."""
    count = len(there.found)
    named = [one.reason for one in there.found[:_NAMED]] + ["…"] * (count > _NAMED)
    text = f"{count:,} of {there.rows:,} rows cannot be learnt and are left out; {uri} names them:\n  "
    text += "\n  ".join(named)
    if most * there.rows < count or count == there.rows:
        raise InputError(
            f"over run.max_unlearnable={most:g}: {text}\nCorrect them and give new_run=true, or raise "
            "run.max_unlearnable to go on without them."
        )
    return text
