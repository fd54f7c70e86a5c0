"""What of a reply, beside its question and reference, tells a judge's scores: some hundred numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from mht.evaluation.judges import _lists as lists
from mht.evaluation.judges._text import Text, parse
from mht.knowledge.facts import read_facts
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.truth import DENIED, TRUE, POSSIBLE, world
from mht.knowledge.vocabulary import find


def features(question: str, truth: str, reply: str, caption: str | None) -> dict[str, float]:
    q, t, r = parse(question), parse(truth), parse(reply)
    got: dict[str, float] = {}
    got.update(asked(q))
    for name, text in (("t", t), ("r", r)):
        got.update({f"{name}_{key}": value for key, value in stand(text, q).items()})
    got.update(agreement(got))
    got.update(overlap(q, t, r, parse(caption or "")))
    got.update(opposed(q, t, r))
    got.update(terms(q, t, r))
    got.update(facts(truth, reply))
    return got


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _rate(words: Iterable[str], known: frozenset[str]) -> int:
    return sum(word in known for word in words)


def asked(q: Text) -> dict[str, float]:
    first = q.words[0] if q.words else ""
    last = q.words[q.sentences[-1][0]] if q.sentences else ""
    return {
        "q_words": len(q.words),
        "q_wh": float(first in lists.WH or last in lists.WH),
        "q_why": float("why" in q.words or "how" in q.words),
        "q_claim": _rate(q.words, lists.CLAIMING),
        "q_sentences": len(q.sentences),
        "q_negated": sum(q.negated) / max(1, len(q.words)),
        "q_hedge": _rate(q.words, lists.HEDGE),
        "q_definite": float(bool({"definitely", "always", "only", "mean", "normal", "true"} & set(q.words))),
    }


def stand(x: Text, q: Text) -> dict[str, float]:
    first, last = x.body()
    body, n = x.words[first:last], max(1, len(x.words))
    pol, found = polarity(x, q, first, last)
    pol_all, found_all = polarity(x, q, 0, len(x.words))
    negs = [m for m in x.negated[first:last]]
    denied = max(negs, default=0.0)
    early = max(negs[:12], default=0.0)
    got = {
        "lead": x.lead,
        "lead_stop": float(x.lead_stop),
        "denied": denied,
        "early": early,
        "denied_share": _share(sum(negs), len(negs)),
        "neg_rate": sum(x.negated) / n,
        "neg_sentences": _share(sum(any(x.negated[a:b]) for a, b in x.sentences), len(x.sentences)),
        "hedge_first": _rate(body, lists.HEDGE),
        "strong_hedge": _rate(body, lists.STRONG_HEDGE),
        "hedge_rate": _rate(x.words, lists.HEDGE) / n,
        "contrast": _rate(x.words, lists.CONTRAST),
        "contrast_first": _rate(body, lists.CONTRAST),
        "consult": _rate(x.words, lists.CONSULT),
        "open": _rate(x.words, lists.OPEN),
        "open_first": _rate(body, lists.OPEN),
        "generic": _rate(x.words, lists.GENERIC) / n,
        "defining": _rate(x.words, lists.DEFINING) / n,
        "words": math.log1p(len(x.words)),
        "sentences": len(x.sentences),
        "pol": pol,
        "found": found,
        "pol_all": pol_all,
        "found_all": found_all,
    }
    got["stance"] = stance(got)
    return got


def stance(got: dict[str, float]) -> float:
    """-1 (no) to 1 (yes) towards what the question supposes."""
    own = -got["denied"] if got["denied"] else min(1.0, 0.3 + got["found"] - 0.2 * got["strong_hedge"])
    if got["lead"] and not got["lead_stop"]:
        return got["lead"]
    if got["lead"]:
        return 0.6 * got["lead"] + 0.4 * own
    return own


def polarity(x: Text, q: Text, first: int, last: int) -> tuple[float, float]:
    """The question's content as a text takes it up: mean of 1 (affirmed) and -1 (denied), and the share found."""
    asked_of = {s: m for s, m in zip(q.stems, q.negated, strict=True) if s}
    seen = {s: x.negated[i] for i, s in enumerate(x.stems[first:last], first) if s in asked_of}
    if not seen:
        return 0.0, 0.0
    same = [1 - 2 * abs(asked_of[s] - m) for s, m in seen.items()]
    return sum(same) / len(same), len(seen) / len(asked_of)


def agreement(got: dict[str, float]) -> dict[str, float]:
    return {
        "lead_product": got["t_lead"] * got["r_lead"],
        "stance_product": got["t_stance"] * got["r_stance"],
        "stance_gap": abs(got["t_stance"] - got["r_stance"]),
        "pol_product": got["t_pol"] * got["r_pol"],
        "pol_gap": abs(got["t_pol"] - got["r_pol"]),
        "denied_product": (2 * got["t_denied"] - 1) * (2 * got["r_denied"] - 1),
        "length_ratio": got["r_words"] - got["t_words"],
    }


def overlap(q: Text, t: Text, r: Text, c: Text) -> dict[str, float]:
    Q, T, R, C = ({s for s in x.stems if s} for x in (q, t, r, c))
    t_pol = {s: m for s, m in zip(t.stems, t.negated, strict=True) if s}
    r_pol = {s: m for s, m in zip(r.stems, r.negated, strict=True) if s}
    both = T & R
    gaps = {s: abs(t_pol[s] - r_pol[s]) for s in both}
    new_t, new_r = T - Q, R - Q
    tf, rf = (x.stems[slice(*x.body())] for x in (t, r))
    TF, RF = {s for s in tf if s}, {s for s in rf if s}
    return {
        "recall": _share(len(both), len(T)),
        "precision": _share(len(both), len(R)),
        "conflict": _share(sum(gaps.values()), len(gaps)),
        "conflicts": sum(gaps.values()),
        "new_recall": _share(len(new_t & R), len(new_t)),
        "new_t": len(new_t),
        "new_r": len(new_r),
        "new_shared": len(new_t & new_r),
        "new_precision": _share(len(new_r & T), len(new_r)),
        "added": len(new_r - T - C),
        "caption_support": _share(len(new_r & C), len(new_r)),
        "caption_added": _share(len(new_r & C - T), len(new_r)),
        "caption_truth": _share(len(new_t & C), len(new_t)),
        "q_echo": _share(len(Q & RF), len(RF)),
        "q_in_r": _share(len(Q & R), len(Q)),
        "q_in_t": _share(len(Q & T), len(Q)),
        "first_recall": _share(len(TF & RF), len(TF)),
        "first_precision": _share(len(TF & RF), len(RF)),
        "first_in_r": _share(len(TF & R), len(TF)),
        "first_rouge": lcs(t.words[slice(*t.body())][:40], r.words[slice(*r.body())][:40]),
        "rouge": lcs(t.words[:80], r.words[:80]),
        "chars": chars(t, r),
    }


def lcs(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """ROUGE-L F1 of two word sequences."""
    if not one or not other:
        return 0.0
    row = [0] * (len(other) + 1)
    for a in one:
        before = 0
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], before + 1 if a == b else max(row[j], row[j - 1])
    return 2 * row[-1] / (len(one) + len(other))


def chars(t: Text, r: Text, size: int = 4) -> float:
    one, other = (Counter(g for w in x.words for g in _grams(w, size)) for x in (t, r))
    dot = sum(n * other[g] for g, n in one.items())
    return dot / math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()) or 1)


def _grams(word: str, size: int) -> list[str]:
    return [word[i : i + size] for i in range(max(1, len(word) - size + 1))] if word not in lists.FUNCTION else []


def opposed(q: Text, t: Text, r: Text) -> dict[str, float]:
    Q, T, R = set(q.words), set(t.words), set(r.words)
    against = 0
    for one, other in lists.ANTONYMS:
        a, b = bool(one & T), bool(other & T)
        c, d = bool(one & R), bool(other & R)
        against += (a and not b and d and not c) + (b and not a and c and not d)
    nt, nr = numbers(t), numbers(r)
    ct, cr = T & lists.COLOURS, R & lists.COLOURS
    return {
        "antonyms": against,
        "numbers_t": len(nt),
        "numbers_shared": _share(len(nt & nr), len(nt)),
        "numbers_conflict": float(bool(nt and nr and not nt & nr)),
        "colours_conflict": float(bool(ct - Q and cr - Q and not (ct - Q) & (cr - Q))),
    }


def numbers(x: Text) -> set[str]:
    return {lists.NUMBERS.get(w, w) for w in x.words if w in lists.NUMBERS or w[0].isdigit()}


def terms(q: Text, t: Text, r: Text) -> dict[str, float]:
    sets = [{(m.kind, m.value) for m in find(x.words) if m.kind in ("finding", "site", "modality", "attribute")} for x in (q, t, r)]
    Q, T, R = sets
    got: dict[str, float] = {
        "terms_t": len(T - Q),
        "terms_shared": len(T & R - Q),
        "terms_recall": _share(len(T & R), len(T)),
        "terms_added": len(R - T - Q),
        "terms_precision": _share(len(R & T), len(R)),
    }
    for kind in ("finding", "site", "modality"):
        a, b = ({x for x in s - Q if x[0] == kind} for s in (T, R))
        got[f"{kind}_mismatch"] = float(bool(a and b and not a & b))
    return got


def facts(truth: str, reply: str) -> dict[str, float]:
    one, other = read_facts(truth), read_facts(reply)
    agreed = against = open_ = unsaid = 0
    a, b = world(one), None
    status = [(f, a.status(f.finding)) for f in other.facts]
    for f, s in status:
        if f.presence == ABSENT:
            agreed += s == DENIED
            against += s == TRUE
        elif f.presence == PRESENT:
            agreed += s == TRUE
            against += s == DENIED
            open_ += s == POSSIBLE
        else:
            open_ += s in (TRUE, POSSIBLE)
        unsaid += s not in (TRUE, POSSIBLE, DENIED)
    b = world(other)
    missed = sum(b.status(f.finding) not in (TRUE, POSSIBLE, DENIED) for f in one.facts)
    return {
        "facts_agreed": agreed,
        "facts_against": against,
        "facts_open": open_,
        "facts_added": unsaid,
        "facts_missed": missed,
        "facts_t": len(one.facts),
        "facts_r": len(other.facts),
    }
