"""Decisions applied to the pairs of one image. No pair changes but those that a decision names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mht.dataset.review.decisions import Decision, Key
from mht.pairing.context import Judge
from mht.pairing.twins import row_hash
from mht.records import Pair, Reading

Checks = Sequence[tuple[str, Judge]]
TAKEN_OUT = ("rejected", "edit_refused")
"""Outcomes of which the pair is no longer in the dataset."""
_OTHER = {"f": "h", "h": "f"}
_DONE = {"accept": "accepted", "reject": "rejected", "edit": "edited"}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of one decision.

    `outcome` is accepted, rejected or edited; edit_refused, with the check's reason, where the edited pair does not
    pass and is left out; stale where the row has changed since; missing where the image has no such pair any more.
    `new_row_hash` is the edited row's.
    """

    pair_id: str
    row_hash: str
    verdict: str
    outcome: str
    reason: str | None
    new_row_hash: str | None
    reviewer: str | None
    note: str | None


def settle(
    pairs: Sequence[Pair], reading: Reading, decisions: Mapping[Key, Decision], checks: Checks
) -> tuple[list[Pair], list[Reviewed]]:
    """(the pairs that stay, in their order, and what became of each decision of this image).

    A rejected pair's twin stays. A decision about an edited row follows the edit that made it.
    """
    there = {pair.pair_id: pair for pair in pairs}
    kept: list[Pair] = []
    done: dict[Key, Reviewed] = {}
    for made in pairs:
        pair: Pair | None = made
        while pair is not None and (key := (pair.pair_id, pair.row_hash)) in decisions and key not in done:
            twin = there.get(twin_of(made.pair_id), made)
            pair, done[key] = _decide(pair, twin, reading, decisions[key], checks)
        if pair is not None:
            kept.append(pair)
    left = {key: decision for key, decision in decisions.items() if key not in done}
    return kept, [*done.values(), *unmatched(left, there)]


def unmatched(decisions: Mapping[Key, Decision], there: Collection[str] = ()) -> list[Reviewed]:
    """Decisions about no row: stale where the pair is `there` with another hash, missing where it is not."""
    return [_told(d, "stale" if d.pair_id in there else "missing") for d in decisions.values()]


def twin_of(pair_id: str) -> str:
    """The id of a pair's twin: the same, of the other state."""
    return pair_id[:-1] + _OTHER[pair_id[-1]]


def _decide(
    pair: Pair, twin: Pair, reading: Reading, decision: Decision, checks: Checks
) -> tuple[Pair | None, Reviewed]:
    if decision.verdict != "edit":
        return (None if decision.verdict == "reject" else pair), _told(decision, _DONE[decision.verdict])
    edited = _edited(pair, decision)
    reason = edited if isinstance(edited, str) else _refused(edited, twin, reading, checks)
    if isinstance(edited, str) or reason is not None:
        return None, _told(decision, "edit_refused", reason)
    return edited, _told(decision, "edited", new_row_hash=edited.row_hash)


def _told(
    decision: Decision, outcome: str, reason: str | None = None, new_row_hash: str | None = None
) -> Reviewed:
    return Reviewed(
        *decision.key, decision.verdict, outcome, reason, new_row_hash, decision.reviewer, decision.note
    )


def _edited(pair: Pair, decision: Decision) -> Pair | str:
    """The pair with the decision's texts, what follows from them, and its hash taken anew; or why there is none."""
    changes: dict[str, Any] = dict(decision.changes())
    if "question" in changes:
        question = changes["question"]
        place = _span(pair, question)
        if place is None:
            return "span_lost"
        start, end = place
        span = question[start:end]
        premise = pair.premise.replace(pair.span, span, 1)
        if not _stands(premise, question) and _stands(pair.premise, pair.question):
            return "premise_lost"
        changes |= {"span_start": start, "span_end": end, "span": span, "premise": premise}
    changed = replace(pair, **changes)
    return replace(changed, row_hash=row_hash(changed))


def _stands(premise: str, question: str) -> bool:
    return premise.casefold() in question.casefold()


def _span(pair: Pair, question: str) -> tuple[int, int] | None:
    """Where the edited span now stands: between the old head and tail, or where its words stand once."""
    head, tail = pair.question[: pair.span_start], pair.question[pair.span_end :]
    end = len(question) - len(tail)
    if question.startswith(head) and question.endswith(tail) and len(head) < end:
        return len(head), end
    if question.count(pair.span) != 1:
        return None
    start = question.index(pair.span)
    return start, start + len(pair.span)


def _refused(edited: Pair, twin: Pair, reading: Reading, checks: Checks) -> str | None:
    """The first check's reason, against the twin as the new wording would have it: the span is what must hold."""
    question = edited.question[: edited.span_start] + edited.counterpart + edited.question[edited.span_end :]
    counterfactual = replace(twin, question=question)
    for _, judge in checks:
        reason = judge(edited, counterfactual, reading)
        if reason is not None:
            return reason
    return None
