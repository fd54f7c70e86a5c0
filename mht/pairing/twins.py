"""The pairs of one image: propose, accept by balance, choose, word in two states, check."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import lru_cache
from typing import Any

from mht.catalog import load
from mht.knowledge.lexicon import lexicon
from mht.knowledge.presence import PRESENT
from mht.knowledge.risk import risk_of
from mht.knowledge.truth import against
from mht.pairing import trace as explain
from mht.pairing.balance import accept_probability
from mht.pairing.context import PairingContext, PairsMade
from mht.pairing.phrases import Case, describe, indefinite
from mht.pairing.proposals import FORMS, Proposal, propose
from mht.pairing.written import Written
from mht.records import Pair, Reading, State
from mht.seeds import digest, row_rng

_COLUMNS = tuple(f.name for f in fields(Pair) if f.name != "row_hash")
_AHEAD = 2
_NAMED = ("this {}", "the {}", "this {}")
_UNNAMED = ("this image", "the image", "this picture", "this study", "the study")


def make_pairs(
    image_id: str, split: str, reading: Reading, context: PairingContext, trace: list[str] | None = None
) -> PairsMade:
    """Up to `pairs_per_image` pairs, twins side by side. A `trace` list is filled with every step in words."""
    dropped: Counter[str] = Counter()
    rng = row_rng(context.seed, "pairing", image_id)
    if trace is not None:
        trace += explain.facts(reading)
    accepted = _accepted(image_id, reading, context, rng, dropped, trace)
    pairs: list[Pair] = []
    backed_off = 0
    for proposal, level in _in_order(accepted, rng):
        if len(pairs) + 2 > context.params.pairs_per_image:
            break
        twins = _twins(image_id, split, reading, proposal, level, rng)
        reason = _refused(twins, reading, context, trace)
        if reason is not None:
            dropped[reason] += 1
            continue
        backed_off += 2 if level else 0
        pairs += twins
    return PairsMade(tuple(pairs), dropped, backed_off)


def _accepted(
    image_id: str,
    reading: Reading,
    context: PairingContext,
    rng: random.Random,
    dropped: Counter[str],
    trace: list[str] | None,
) -> list[tuple[Proposal, int]]:
    """The proposals that detailed balance lets through, each with the level at which it was judged."""
    accepted = []
    for proposal in propose(image_id, reading, context):
        acceptance = accept_probability(
            proposal.edit,
            proposal.flow,
            context.table,
            context.params.rare_below,
            context.params.draws_per_fact,
        )
        draw = rng.random()
        if trace is not None:
            trace.append(explain.drawn(proposal, acceptance, draw))
        if draw < acceptance.probability or not context.params.balance:
            accepted.append((proposal, acceptance.level))
        else:
            dropped["balance"] += 1
    return accepted


def _in_order(accepted: list[tuple[Proposal, int]], rng: random.Random) -> list[tuple[Proposal, int]]:
    """The accepted proposals in random order, an edit of side, site or grade likely before one of the finding.

    There are fewer of the former. Letting the types take strict turns would undo the balance: a finding with three
    false grades would lose two of them, one with a single false grade none.
    """
    draws = []
    for i, (proposal, _) in enumerate(accepted):
        draw = rng.random()
        draws.append((draw if proposal.edit.slot == "finding" else draw**_AHEAD, i))
    return [accepted[i] for _, i in sorted(draws)]


@lru_cache(maxsize=64)
def _names(modality: str | None, named: bool) -> tuple[str, ...]:
    if modality is None or not named:
        return _UNNAMED
    noun = lexicon().modalities[modality].noun
    return tuple(name.format(noun) for name in _NAMED) + _UNNAMED[:2]


def _case(reading: Reading, proposal: Proposal, level: int, rng: random.Random) -> Case:
    """A modality is named only where the balance was struck within that modality."""
    names = _names(reading.modality, level == 0 and not proposal.study)
    edit = proposal.edit
    return Case(
        fact=reading.facts[edit.fact],
        edit=edit,
        shown=(proposal.frame.shown,) if proposal.frame.shown else (),
        ask=proposal.frame.ask,
        image=names[int(rng.random() * len(names))],
        denied_by=against(reading, edit.after) if edit.slot == "finding" else None,
    )


def _twins(
    image_id: str, split: str, reading: Reading, proposal: Proposal, level: int, rng: random.Random
) -> tuple[Pair, Pair]:
    case = _case(reading, proposal, level, rng)
    write: Callable[[Case, random.Random], Written] = load(FORMS, proposal.form).write
    text = write(case, rng)
    edit, fact = case.edit, case.fact
    identity = (fact.finding, fact.side, fact.site, fact.start)
    twin_id = digest(image_id, proposal.form, edit.type, *identity, edit.slot, edit.after, size=8).hex()
    touched = (edit.before, edit.after) if edit.slot == "finding" else (fact.finding,)
    risk, rule = risk_of(edit.type, *touched)
    shared = {"twin_id": twin_id, "image_id": image_id, "split": split, "form": proposal.form, "type": edit.type,
              "slot": edit.slot, "risk": risk, "risk_rule": rule}  # fmt: skip
    return _pair(text, case, State.FAITHFUL, shared), _pair(text, case, State.HALLUCINATED, shared)


def _evidence(case: Case, faithful: bool) -> str:
    """The stated fact in words; for a false finding, the fact that denies it, or that none mentions it."""
    if faithful or case.edit.slot != "finding":
        return describe(case.fact)
    if case.denied_by is None:
        return f"{describe(case.fact)}; {indefinite(case.edit.after)} is not mentioned"
    stated = case.denied_by.presence == PRESENT
    return describe(case.denied_by) if stated else f"no {case.denied_by.finding}"


def _pair(text: Written, case: Case, state: State, shared: dict[str, Any]) -> Pair:
    faithful = state is State.FAITHFUL
    span, counterpart = (text.true, text.false) if faithful else (text.false, text.true)
    columns: dict[str, Any] = shared | dict(
        pair_id=f"{shared['image_id']}-{shared['twin_id'][:10]}{'f' if faithful else 'h'}",
        state=state.value,
        question=text.head + span + text.tail,
        answer=text.true_answer if faithful else text.false_answer,
        polarity=("yes" if faithful else "no") if text.polar else None,
        span_start=len(text.head),
        span_end=len(text.head) + len(span),
        span=span,
        counterpart=counterpart,
        evidence=_evidence(case, faithful),
    )
    return Pair(**columns, row_hash=_hash(columns[name] for name in _COLUMNS))


def row_hash(pair: Pair) -> str:
    """32 hex digits over every other column, in the order of the schema."""
    return _hash(getattr(pair, name) for name in _COLUMNS)


def _hash(values: Iterable[object]) -> str:
    return digest(*values).hex()


def _refused(
    twins: tuple[Pair, Pair], reading: Reading, context: PairingContext, trace: list[str] | None
) -> str | None:
    """The first reason that a check gives against either twin; both fall together."""
    if trace is not None:
        trace += map(explain.worded, twins)
    for name, judge in context.checks:
        for pair, twin in (twins, twins[::-1]):
            reason = judge(pair, twin, reading)
            if trace is not None:
                trace.append(explain.judged(name, pair.pair_id, reason))
            if reason is not None:
                return reason
    return None


__all__ = ["PairingContext", "PairsMade", "make_pairs", "row_hash"]
