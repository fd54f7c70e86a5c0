"""A text taken apart once: sentences, content stems, and which of them stand in a negated clause."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from mht.evaluation.judges import _lists as lists
from mht.evaluation.judges._lengths import in_mm
from mht.knowledge.spelling import normal_words

_NOT = re.compile(r"n['’]t\b", re.IGNORECASE)
_STEM = 6
_ENDS = frozenset(".!?")
_STOPS = frozenset(".!?;:()")
_MARKS = frozenset({"", *",.;:!-–—"})
_SCOPE = 14
_NEAR = 3


@dataclass(frozen=True, slots=True)
class Text:
    """Words in their compared form; `stems` has "" for a function word; `negated` is 0, 1 (hard) or .5 (softened)."""

    words: tuple[str, ...]
    stems: tuple[str, ...]
    negated: tuple[float, ...]
    sentences: tuple[tuple[int, int], ...]
    lead: int
    lead_stop: bool

    def content(self, within: tuple[int, int] | None = None) -> frozenset[str]:
        """The stems of the content words, of the whole text or of a stretch of it."""
        first, last = within or (0, len(self.stems))
        return frozenset(stem for stem in self.stems[first:last] if stem)

    def body(self) -> tuple[int, int]:
        """From where to where the first sentence goes that says something: behind a bare `No.`, without a yes or no."""
        if not self.sentences:
            return 0, 0
        first, last = self.sentences[0]
        if self.lead and last - first <= 3 and len(self.sentences) > 1:
            return self.sentences[1]
        return first + (1 if self.lead else 0), last

    def main(self) -> tuple[int, int]:
        """Of that sentence, what stands before the first clause about something in it."""
        first, last = self.body()
        for i in range(first + 2, last):
            word, after = self.words[i], self.words[i + 1] if i + 1 < last else ""
            if word in lists.SUBORDINATE or (word == "that" and after in lists.RELATIVE_VERBS):
                return first, i
        return first, last


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The first letters of a content word or number; "" for a function word or a mark."""
    if word in lists.FUNCTION or not word[0].isalnum():
        return ""
    return word[:_STEM] if word.isalpha() else word


@lru_cache(maxsize=256)
def parse(text: str) -> Text:
    """A text taken apart. An empty text has no words and takes no stand."""
    words = in_mm(normal_words(_NOT.sub(" not", text)))
    sentences = _sentences(words)
    lead = _lead(words)
    negated = _negated(words, sentences, lead)
    stop = bool(lead) and len(words) > 1 and words[1] in _ENDS
    return Text(words, tuple(map(stem, words)), negated, sentences, lead, stop)


def _lead(words: tuple[str, ...]) -> int:
    """1 for a text that opens with yes, -1 for no, also behind one word: `Generally, yes.`"""
    for i in (0, 2) if words[1:2] == (",",) else (0,):
        word, after = (*words[i : i + 2], "", "")[:2]
        if word == "yes" or (word in lists.YES and after in _MARKS):
            return 1
        if word in lists.NO and after in _MARKS:
            return -1
    return 0


def _sentences(words: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    found, start = [], 0
    for i, word in enumerate(words):
        if word in _ENDS:
            if i > start:
                found.append((start, i))
            start = i + 1
    if start < len(words):
        found.append((start, len(words)))
    return tuple(found)


def _negated(words: tuple[str, ...], sentences: tuple[tuple[int, int], ...], lead: int) -> tuple[float, ...]:
    marks = [0.0] * len(words)
    for first, last in sentences:
        i = first + 1 if lead < 0 and first == 0 else first
        while i < last:
            if _denies(words, i):
                _spread(words, i, first, last, marks)
            i += 1
    return tuple(marks)


def _denies(words: tuple[str, ...], i: int) -> bool:
    word, after = words[i], words[i + 1] if i + 1 < len(words) else ""
    if word in lists.INSTEAD:
        return after in ("than", "of")
    if word == "not" and after in lists.LITOTES:
        return False
    return word in lists.NEGATION and after not in lists.NO_NEGATION


def _spread(words: tuple[str, ...], at: int, first: int, last: int, marks: list[float]) -> None:
    """Mark what a negation at `at` denies: the words ahead up to the clause's end, or the subject of `is not seen`."""
    end = at + 1
    while end < min(last, at + 1 + _SCOPE) and not _closes(words, end, at, last):
        end += 1
    ahead = words[at + 1 : end]
    weight = 0.5 if lists.SOFTENER.intersection(ahead[:3]) else 1.0
    start = at
    if words[at] == "absent" or (ahead and lists.SEEN.intersection(ahead[:2])):
        while start > first and words[start - 1] not in _STOPS and words[start - 1] not in lists.CLAUSE:
            start -= 1
    for i in range(start, end):
        marks[i] = max(marks[i], weight)


def _closes(words: tuple[str, ...], i: int, at: int, last: int) -> bool:
    word = words[i]
    if word in lists.TELLING:
        return i > at + _NEAR  # "does not indicate a tumor", but "shows no mass, suggest ..."
    if word == ",":
        after = words[i + 1] if i + 1 < last else ""
        return after in lists.CLAUSE or after in lists.AFTER_COMMA or after in ("and", "with")
    return word in _STOPS or word in lists.CLAUSE
