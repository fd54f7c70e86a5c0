"""What two texts share in words: content they have in common, beside the question's, and where they differ on it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from mht.evaluation.judges import _lists as lists
from mht.evaluation.judges._stand import share
from mht.evaluation.judges._text import Text

_GRAM = 4


def overlap(question: Text, truth: Text, reply: Text, caption: Text) -> dict[str, float]:
    """The features of a reply beside its reference; shares of nothing are 0."""
    q, t, r, c = (text.content() for text in (question, truth, reply, caption))
    new_t, new_r = t - q, r - q
    return {
        **_conflicts(truth, reply),
        "recall": share(len(t & r), len(t)),
        "precision": share(len(t & r), len(r)),
        "new_recall": share(len(new_t & r), len(new_t)),
        "new_precision": share(len(new_r & t), len(new_r)),
        "new_long_recall": share(_letters(new_t & r), _letters(new_t)),
        "new_long_precision": share(_letters(new_r & t), _letters(new_r)),
        "new_t": len(new_t),
        "new_r": len(new_r),
        "new_shared": len(new_t & new_r),
        "added": len(new_r - t - c),
        "caption_support": share(len(new_r & c), len(new_r)),
        "caption_added": share(len(new_r & c - t), len(new_r)),
        "caption_truth": share(len(new_t & c), len(new_t)),
        "q_in_r": share(len(q & r), len(q)),
        "q_in_t": share(len(q & t), len(q)),
        "rouge": rouge_l(truth.words, reply.words),
        "chars": _likeness(truth, reply),
        **_first_sentences(q, truth, reply),
    }


def _first_sentences(q: frozenset[str], truth: Text, reply: Text) -> dict[str, float]:
    t, r = truth.content(truth.body()), reply.content(reply.body())
    whole_t, whole_r = truth.content(), reply.content()
    return {
        "q_echo": share(len(q & r), len(r)),
        "first_recall": share(len(t & r), len(t)),
        "first_precision": share(len(t & r), len(r)),
        "first_in_r": share(len(t & whole_r), len(t)),
        "first_new": len(t - q),
        "first_new_recall": share(len((t - q) & whole_r), len(t - q)),
        "first_new_precision": share(len((r - q) & whole_t), len(r - q)),
        "first_added": len(r - q - whole_t),
        "first_rouge": rouge_l(truth.words[slice(*truth.body())], reply.words[slice(*reply.body())]),
    }


def _conflicts(truth: Text, reply: Text) -> dict[str, float]:
    """Content that one affirms and the other denies."""
    one, other = (dict(zip(text.stems, text.negated, strict=True)) for text in (truth, reply))
    gaps = [abs(one[stem] - other[stem]) for stem in one.keys() & other.keys() if stem]
    return {"conflict": share(sum(gaps), len(gaps)), "conflicts": sum(gaps)}


def _letters(stems: frozenset[str]) -> int:
    return sum(max(0, len(stem) - 3) for stem in stems)


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """F1 of the longest common subsequence of words; 0 where one has none. Bit by bit, after Hyyrö (2004)."""
    if not one or not other:
        return 0.0
    places: dict[str, int] = {}
    for i, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << i
    full = (1 << len(one)) - 1
    row = full
    for word in other:
        hit = row & places.get(word, 0)
        row = ((row + hit) | (row - hit)) & full
    return 2 * (len(one) - row.bit_count()) / (len(one) + len(other))


def _likeness(one: Text, other: Text) -> float:
    """Cosine of the counts of four letters in a row, function words left out."""
    a, b = (Counter(gram for word in text.words for gram in _grams(word)) for text in (one, other))
    dot = sum(n * b[gram] for gram, n in a.items())
    return share(dot, math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values())))


def _grams(word: str) -> list[str]:
    if word in lists.FUNCTION:
        return []
    return [word[i : i + _GRAM] for i in range(max(1, len(word) - _GRAM + 1))]
