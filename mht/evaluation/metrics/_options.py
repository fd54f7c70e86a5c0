"""Which option of a multiple choice a reply picks: by its letter in any of the usual writings, or by its text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mht.questions import LETTERS

_MARKS = r"[\s\"'*_#>`(\[{$\\]*"
_NAME = r"(?:(?:the\s+)?(?:final|correct|right|best|most\s+likely)?\s*(?:answer|option|choice)s?)"
_IS = r"(?:\s*(?:is|are|would\s+be|should\s+be|must\s+be|:|=|-|–|—))*"
_BOXED = r"(?:\\?boxed\s*\{\s*(?:\\text\s*\{)?)?"
# A letter ends where a word cannot go on; before a space it is one only where the option's own text follows.
_END = r"(?=[).:,;\]}*_\"'`\\$]|\s*$|\s+(?:is|and|or|because|since|as)\b|\s*[-–—]\s)"
_FIRST = re.compile(rf"^{_MARKS}(?:{_NAME}{_IS})?{_MARKS}{_BOXED}([A-J]){_END}", re.IGNORECASE)
_TOLD = re.compile(rf"\b{_NAME}{_IS}{_MARKS}{_BOXED}\(?([A-J])(?![\w'’])", re.IGNORECASE)
_BOX = re.compile(r"boxed\s*\{\s*(?:\\text\s*\{)?\s*\(?([A-J])\b", re.IGNORECASE)
_BRACKETED = re.compile(r"\(([A-Ja-j])\)")
_MORE = re.compile(r"^\W*(?:and|or|/|&|,)\s*\W*([A-J])(?=\W|$)", re.IGNORECASE)
_NOT = re.compile(
    r"\b(?:not|neither|nor|rather\s+than|instead\s+of|isn['’]t|cannot\s+be)\W+(?:\w+\W+){0,2}$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)?|[%+<>=]")
_SHORT_NOT = re.compile(r"n['’]t\b")
_ARTICLES = frozenset({"a", "an", "the"})


def picked(reply: str, options: Sequence[str]) -> str | None:
    """The text of the option that a reply picks; None where it picks none, or more than one.

    A letter decides, unless the reply names another option's text and not its own. Options are matched word by word,
    case, marks and articles aside; of two of which one holds the other, the longer one counts where it stands.
    """
    letters, named = _letters(reply, len(options)), _named(reply, options)
    if len(letters) > 1:
        return None
    if letters:
        at = LETTERS.index(letters.pop())
        alike = {place for place in named if _same(options[place], options[at])}
        return None if named and not alike else options[at]
    texts = {tuple(_words(options[place])) for place in named}
    return options[min(named)] if len(texts) == 1 else None


def _letters(reply: str, count: int) -> set[str]:
    """The letters that are given as the answer, by the first way of writing it that the reply uses."""
    for pattern in (_FIRST, _BOX, _TOLD, _BRACKETED):
        found = set[str]()
        for match in pattern.finditer(reply):
            letter = match[1].upper()
            if (
                LETTERS.index(letter) >= count
                or _is_article(match, reply)
                or _NOT.search(reply[: match.start()])
            ):
                continue
            found.add(letter)
            more = _MORE.match(reply[match.end(1) :])
            if more is not None and LETTERS.index(more[1].upper()) < count:
                found.add(more[1].upper())
        if found:
            return found
    return set()


def _is_article(match: re.Match[str], reply: str) -> bool:
    """`The answer is a fracture`: a small letter that a word follows."""
    behind = reply[match.end(1) : match.end(1) + 2]
    return match[1].islower() and len(behind) == 2 and behind[0] == " " and behind[1].isalpha()


def _words(text: str) -> list[str]:
    plain = _SHORT_NOT.sub(" not", text.casefold())
    return [word for word in _WORD.findall(plain) if word not in _ARTICLES]


def _same(one: str, other: str) -> bool:
    return _words(one) == _words(other)


def _named(reply: str, options: Sequence[str]) -> set[int]:
    """The options whose words stand in the reply in a row, without a denial before them."""
    said = _words(reply)
    sought = sorted(range(len(options)), key=lambda at: -len(_words(options[at])))
    taken: list[tuple[int, int, int]] = []
    for at in sought:
        words = _words(options[at])
        for start in range(len(said) - len(words) + 1 if words else 0):
            end = start + len(words)
            inside = any(a <= start and end <= b and (a, b) != (start, end) for a, b, _ in taken)
            if said[start:end] == words and not inside:
                taken.append((start, end, at))
    return {at for start, _, at in taken if not _denied(said[:start])}


def _denied(before: Sequence[str]) -> bool:
    return bool({"not", "neither", "nor"} & set(before[-2:])) or list(before[-2:]) in (
        ["rather", "than"],
        ["instead", "of"],
    )
