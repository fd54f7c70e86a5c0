"""What of a reply, beside its question and reference, tells a judge's scores: some 130 numbers, by name."""

from __future__ import annotations

from mht.evaluation.judges import _lists as lists
from mht.evaluation.judges._against import against
from mht.evaluation.judges._clinical import conflicts, facts, terms
from mht.evaluation.judges._overlap import overlap
from mht.evaluation.judges._stand import count, share, stand
from mht.evaluation.judges._text import Text, parse
from mht.knowledge.facts import read_facts


def features(question: str, truth: str, reply: str, caption: str | None = None) -> dict[str, float]:
    """The features of one reply: `q_` of the question, `t_` of the reference, `r_` of the reply, the rest of both."""
    truth, reply = _in_full(truth, question), _in_full(reply, question)
    q, t, r, c = (parse(text) for text in (question, truth, reply, caption or ""))
    stated, claimed = read_facts(truth), read_facts(reply)
    got: dict[str, float] = _asked(q)
    for letter, text in (("t", t), ("r", r)):
        got.update({f"{letter}_{name}": value for name, value in stand(text, q).items()})
    return {
        **got,
        **_agreement(got),
        **overlap(q, t, r, c),
        **conflicts(q, t, r),
        **terms(q, t, r),
        **facts(stated, claimed),
        **against(t, r, stated, claimed),
    }


def _in_full(text: str, question: str) -> str:
    """A bare yes or no with what it answers behind it, as a listener hears it; any other text as it is."""
    parsed = parse(text)
    if not parsed.lead or parsed.content() - lists.BARE:
        return text
    return f"Yes, {question}" if parsed.lead > 0 else f"No, not {question}"


def _asked(question: Text) -> dict[str, float]:
    """How it is asked: for a yes or no or openly, of what is there or of what it means, as a claim or with doubt."""
    words = question.words
    opening = {words[first] for first in (0, *(a for a, _ in question.sentences[-1:])) if words}
    return {
        "q_words": len(words),
        "q_sentences": len(question.sentences),
        "q_wh": not lists.WH.isdisjoint(opening),
        "q_claim": count(words, lists.CLAIMING),
        "q_negated": share(sum(question.negated), len(words)),
        "q_hedge": count(words, lists.HEDGE),
        "q_interpreting": count(words, lists.INTERPRETING),
        "q_existing": count(words, lists.EXISTING),
        "q_possible": not lists.ABLE.isdisjoint(words[:3]),
    }


def _agreement(got: dict[str, float]) -> dict[str, float]:
    """The stands of reference and reply, held side by side."""

    def gap(name: str) -> float:
        return abs(got[f"t_{name}"] - got[f"r_{name}"])

    def product(name: str) -> float:
        return got[f"t_{name}"] * got[f"r_{name}"]

    return {
        "lead_product": product("lead"),
        "stance_product": product("stance"),
        "stance_gap": gap("stance"),
        "main_product": product("main_stance"),
        "main_gap": gap("main_stance"),
        "graded_product": product("graded"),
        "graded_gap": gap("graded"),
        "denied_product": (2 * got["t_denied"] - 1) * (2 * got["r_denied"] - 1),
        "pol_product": product("pol"),
        **{f"pol{part}_gap": gap(f"pol{part}") for part in ("", "_all", "_crux", "_main")},
        "soft_both": got["t_soft"] + got["r_soft"],
        "length_ratio": got["r_words"] - got["t_words"],
    }
