"""The pairs of one image: propose, accept by balance, choose, word in two states, check."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from mht.catalog import load
from mht.knowledge.lexicon import lexicon
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.risk import risk_of
from mht.knowledge.slots import BELIEF, FINDING
from mht.knowledge.truth import against
from mht.pairing import trace as explain
from mht.pairing.balance import accept_probability
from mht.pairing.context import Judge, PairingContext, PairsMade
from mht.pairing.phrases import Case, describe, indefinite
from mht.pairing.proposals import FORMS, Proposal, propose
from mht.pairing.similar import Asked, asked, repeats
from mht.pairing.written import Written
from mht.records import Pair, Reading, State
from mht.seeds import digest, row_rng

_COLUMNS = tuple(f.name for f in fields(Pair) if f.name != "row_hash")
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
    pairs: list[Pair] = []
    kept: list[Asked] = []
    backed_off = 0
    for proposal, level in _accepted(image_id, reading, context, rng, dropped, trace):
        case = _case(reading, proposal, level, rng, context.params.wordings)
        twins = _twins(image_id, split, case, proposal.form, rng)
        new = asked(*twins)
        reason = repeats(new, kept, context.params.premise_once)
        reason = reason or refusal_of(twins, reading, context.checks, trace)
        if reason is not None:
            dropped[reason] += 1
            continue
        backed_off += 2 if level else 0
        pairs += twins
        kept.append(new)
        if len(pairs) + 2 > context.params.pairs_per_image:
            break
    return PairsMade(tuple(pairs), dropped, backed_off)


def _accepted(
    image_id: str,
    reading: Reading,
    context: PairingContext,
    rng: random.Random,
    dropped: Counter[str],
    trace: list[str] | None,
) -> Iterator[tuple[Proposal, int]]:
    """The proposals that detailed balance lets through, each with the level at which it was judged."""
    for proposal in propose(image_id, reading, context):
        acceptance = accept_probability(
            proposal.edit,
            proposal.flow,
            context.table,
            context.params.rare_below,
            proposal.draws,
        )
        draw = rng.random()
        if trace is not None:
            trace.append(explain.drawn(proposal, acceptance, draw))
        if draw < acceptance.probability or not context.params.balance:
            yield proposal, acceptance.level
        else:
            dropped["balance"] += 1


@lru_cache(maxsize=64)
def _names(modality: str | None, named: bool) -> tuple[str, ...]:
    if modality is None or not named:
        return _UNNAMED
    noun = lexicon().modalities[modality].noun
    return tuple(name.format(noun) for name in _NAMED) + _UNNAMED[:2]


def _case(reading: Reading, proposal: Proposal, level: int, rng: random.Random, wordings: str) -> Case:
    """A modality is named only where the balance was struck within that modality."""
    names = _names(reading.modality, level == 0 and not proposal.study)
    edit = proposal.edit
    return Case(
        fact=reading.facts[edit.fact],
        edit=edit,
        shown=(proposal.frame.shown,) if proposal.frame.shown else (),
        ask=proposal.frame.ask,
        image=names[int(rng.random() * len(names))],
        reading=reading,
        wordings=wordings,
    )


def _twins(image_id: str, split: str, case: Case, form: str, rng: random.Random) -> tuple[Pair, Pair]:
    write: Callable[[Case, random.Random], Written] = load(FORMS, form).write
    text = write(case, rng)
    edit, fact = case.edit, case.fact
    identity = (fact.finding, fact.side, fact.site, fact.start)
    twin_id = digest(image_id, form, edit.type, *identity, edit.slot, edit.after, size=8).hex()
    touched = (edit.before, edit.after) if edit.slot == FINDING else (fact.finding,)
    risk, rule = risk_of(edit.type, *touched)
    shared = {"twin_id": twin_id, "image_id": image_id, "split": split, "form": form, "type": edit.type,
              "strategy": edit.strategy, "slot": edit.slot, "risk": risk, "risk_rule": rule}  # fmt: skip
    return _pair(text, case, State.FAITHFUL, shared), _pair(text, case, State.HALLUCINATED, shared)


def _evidence(case: Case, faithful: bool) -> str:
    """The stated fact in words; for a false finding, the fact that denies it, or that none mentions it."""
    edit, fact = case.edit, case.fact
    if edit.slot.startswith(BELIEF):
        return describe(fact)
    if fact.presence == ABSENT:
        return f"no {fact.finding}"
    if faithful or edit.slot != FINDING:
        return describe(fact)
    denial = against(case.reading, edit.after)
    if denial is None:
        return f"{describe(fact)}; {indefinite(edit.after)} is not mentioned"
    return describe(denial) if denial.presence == PRESENT else f"no {denial.finding}"


def _pair(text: Written, case: Case, state: State, shared: dict[str, Any]) -> Pair:
    faithful = state is State.FAITHFUL
    span, counterpart = (text.true, text.false) if faithful else (text.false, text.true)
    columns: dict[str, Any] = shared | dict(
        pair_id=f"{shared['image_id']}-{shared['twin_id'][:10]}{'f' if faithful else 'h'}",
        state=state.value,
        question=text.head + span + text.tail,
        premise=text.np.before + span + text.np.after,
        answer=text.answers.true if faithful else text.answers.false,
        rejected=text.answers.true_rejected if faithful else text.answers.false_rejected,
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


def refusal_of(
    twins: tuple[Pair, Pair],
    reading: Reading,
    checks: Sequence[tuple[str, Judge]],
    trace: list[str] | None = None,
) -> str | None:
    """The first reason that a check gives against either twin; both fall together."""
    if trace is not None:
        trace += map(explain.worded, twins)
    for name, judge in checks:
        for pair, twin in (twins, twins[::-1]):
            reason = judge(pair, twin, reading)
            if trace is not None:
                trace.append(explain.judged(name, pair.pair_id, reason))
            if reason is not None:
                return reason
    return None


__all__ = ["PairingContext", "PairsMade", "make_pairs", "refusal_of", "row_hash"]
