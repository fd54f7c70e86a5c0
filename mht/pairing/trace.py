"""What happened to an image on the way to its pairs, in words, for `mht explain`."""

from __future__ import annotations

from mht.knowledge.lexicon import lexicon
from mht.pairing.balance import Acceptance
from mht.pairing.phrases import describe
from mht.pairing.proposals import Proposal
from mht.records import Fact, Pair, Reading

_LEVELS = ("the wording in its modality", "the wording in any modality", "any wording", "plain frequencies")


def facts(reading: Reading) -> list[str]:
    """One line a fact, with the words that it was read from."""
    return [
        f"fact {i}: {fact.presence}: {_words(fact)} (from {fact.text!r})"
        for i, fact in enumerate(reading.facts)
    ]


def _words(fact: Fact) -> str:
    return describe(fact) if fact.finding in lexicon().findings else fact.finding


def drawn(proposal: Proposal, acceptance: Acceptance, draw: float) -> str:
    """The edit, with what probability it is accepted and what was drawn."""
    edit, level = proposal.edit, _LEVELS[acceptance.level]
    verdict = "accepted" if draw < acceptance.probability else "refused"
    return (
        f"{proposal.form}: {edit.type} of fact {edit.fact}: {edit.slot} {edit.before!r} to {edit.after!r} "
        f"(q there {edit.forward:.3g}, back {edit.backward:.3g}); accepted with {acceptance.probability:.3f} "
        f"by {level}; drew {draw:.3f}: {verdict}"
    )


def worded(pair: Pair) -> str:
    """The pair as it was written."""
    return f"{pair.pair_id} {pair.state}: {pair.question} -> {pair.answer} (evidence: {pair.evidence})"


def judged(name: str, pair_id: str, reason: str | None) -> str:
    """A check's verdict on a pair."""
    return f"check {name} on {pair_id}: {reason or 'keep'}"
