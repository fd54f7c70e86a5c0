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
_GLANCED = 16
_REMEDY = (
    "take data with rejected answers (data.rejected names a table's column of them), or leave preference out."
)
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
    """What came of looking at so many rows. `rejected` of those that can be learnt have a wrong answer.

    It is None where it was not counted: earlier versions did not.
    """

    rows: int
    found: tuple[Unlearnable, ...]
    rejected: int | None

    @property
    def left_out(self) -> frozenset[str]:
        return frozenset(one.exchange_id for one in self.found)

    def plain(self) -> dict[str, Any]:
        rows = [
            {"example": one.example_id, "exchange": one.exchange_id, "reason": one.reason}
            for one in self.found
        ]
        return {"rows": self.rows, "rejected": self.rejected, "unlearnable": rows}


def checked(
    given: Assignment,
    feed: Feeder,
    storage: Storage,
    ranks: Ranks,
    tell: Callable[[Beat], bool],
    say: Callable[[str], None],
) -> frozenset[str] | None:
    """The ids of the exchanges to leave out, None where the run was asked to stop. Every rank calls it.

    Looks once in a run; later calls read what was found. Raises InputError where too many cannot be learnt, and where
    preference is asked for and there is no wrong answer.
    """
    uri = join(given.config.output, FILE)
    there = ranks.asked_of_first(lambda: read(storage, uri))
    if there is None and not given.config.run.check_rows:
        _glanced(given)
        return frozenset()
    if there is None:
        there = _looked(given, feed, ranks, tell)
        if there is None:
            return None
        if ranks.first:
            storage.write(uri, dump_json(there.plain()))
    if there.found:
        say(_refused(there, given.config.run.max_unlearnable, uri))
    if given.config.preference is not None and (told := _preferred(there)) is not None:
        say(told)
    return there.left_out


def read(storage: Storage, uri: str) -> Checked | None:
    """What was found before. Raises IntegrityError for a file that is not one of these."""
    try:
        plain = json.loads(storage.read(uri))
        found = [Unlearnable(one["example"], one["exchange"], one["reason"]) for one in plain["unlearnable"]]
        return Checked(int(plain["rows"]), tuple(found), plain.get("rejected"))
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
    rows = rejected = 0
    own: list[Unlearnable] = []
    with closing(feed(replace(given, agenda=agenda), speech, 0, ranks.rank, ranks.count)) as feeding:
        each: Iterable[tuple[int, int, Any]] = feeding
        for step, _, verdicts in each:
            for one in verdicts:
                rows += one.exchanges
                rejected += one.rejected
                own += [Unlearnable(one.example_id, name, reason) for name, reason in one.unlearnable]
            if step % _LISTEN_STEPS == 0:
                asked = ranks.first and tell(Beat(0, total, 0, 0.0, 0, 0, 0, None, checked=step))
                if any(ranks.every(asked)):
                    return None
    counts, pairs, parts = zip(*ranks.every((rows, rejected, own)), strict=True)
    found = sorted((one for part in parts for one in part), key=lambda one: (one.example_id, one.exchange_id))
    return Checked(sum(counts), tuple(found), sum(pairs))


def _glanced(given: Assignment) -> None:
    """Where nobody counts: raises InputError where preference meets no wrong answer in the first examples."""
    if given.config.preference is None:
        return
    shard = given.agenda.shards[0]
    found = given.source.read(shard.name, shard.example_ids[:_GLANCED], None)
    exchanges = [exchange for example in found for exchange in example.exchanges]
    if all(exchange.rejected is None for exchange in exchanges):
        raise InputError(
            f"preference: none of the first {len(exchanges):,} samples has a wrong answer, and run.check_rows=false "
            f"looks at no more. Give run.check_rows=true to have them counted, {_REMEDY}"
        )


def _preferred(there: Checked) -> str | None:
    """What is said of the wrong answers. Raises InputError with a remedy where there are none."""
    learnt = there.rows - len(there.found)
    if there.rejected is None or there.rejected == learnt:
        return None
    if not there.rejected:
        raise InputError(f"preference: none of {learnt:,} samples has a wrong answer; {_REMEDY}")
    return (
        f"preference: {there.rejected:,} of {learnt:,} samples have a wrong answer; of the others only the right "
        "answer's own loss is learnt, times preference.sft_weight"
    )


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
