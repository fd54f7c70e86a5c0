"""Words of short answers, as visual question answering counts them."""

from __future__ import annotations

import re
from collections import Counter

_ARTICLES = frozenset({"a", "an", "the"})
_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
} | {"none": "0"}
_JOINED = re.compile(r"(?<=\d)[,](?=\d)|['’`]")
_PERIOD = re.compile(r"(?<!\d)\.(?!\d)|\.(?=\s|$)|(?<!\d)\.")
_MARK = re.compile(r"[^\w\s.%]|_")


def normalised(text: str) -> list[str]:
    """Lower case, without articles, marks and apostrophes, small numbers as digits; a decimal point stays.

    After the VQA evaluation (Antol et al., arXiv 1505.00468): there "none" is 0, too, and a comma in a number goes.
    """
    plain = _MARK.sub(" ", _PERIOD.sub(" ", _JOINED.sub("", text.casefold())))
    return [_NUMBERS.get(word, word) for word in plain.split() if word not in _ARTICLES]


def overlap(said: list[str], due: list[str]) -> tuple[float, float]:
    """(F1, recall) of words as LLaVA-Med counts them (arXiv 2306.00890).

    A word that both have counts as often as the reply says it, one that the reply leaves out as often as the reference
    has it. Both are 0 where either is empty.
    """
    reply, reference = Counter(said), Counter(due)
    shared = sum(count for word, count in reply.items() if word in reference)
    if not shared:
        return 0.0, 0.0
    added = sum(count for word, count in reply.items() if word not in reference)
    missed = sum(count for word, count in reference.items() if word not in reply)
    precision, recall = shared / (shared + added), shared / (shared + missed)
    return 2 * precision * recall / (precision + recall), recall
