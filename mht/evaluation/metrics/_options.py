"""Which option of a multiple choice a reply picks: by its letter in any of the usual writings, or by its text.

A letter counts by what leads to it (`the answer is C`, `I choose D`, the reply's beginning) or by what is said of it
(`C is correct`); it is rejected by a denial before it in its clause, or by what follows (`B is incorrect`, `(A) no, `).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mht.questions import LETTERS

_MARKS = r"[\s\"'*_#>`(\[{$\\]*"
_GAP = r"[\s\"'*_`]*"
_GOOD = r"(?:final|correct|right|best|most\s+(?:likely|appropriate|accurate)|only|true)"
_SURELY = r"(?:definitely|clearly|certainly|obviously|probably|(?:most\s+)?likely|indeed|actually|therefore|thus|hence)"
_IS = rf"(?:{_GAP}(?:is|are|would\s+be|should\s+be|must\s+be|has\s+to\s+be|:|=|-|–|—|option|choice|letter|{_SURELY}))*"
_NAME = (
    rf"(?:(?:the|my)\s+)?(?:(?:{_GOOD}\s+)?(?:answer|choice|pick|selection)s?|{_GOOD}\s+(?:option|one|letter|diagnosis)s?"
    r"|option\s+(?:is|:))(?:\s+to\s+(?:the|this)\s+question)?"
)
_CHOOSE = (
    r"(?:choos\w+|chose|pick(?:ed)?|select(?:ed)?|go(?:ing)?\s+(?:with|for)|opt\s+for|vote\s+for|say|think|believe|guess)"
    r"(?:\s+(?:that|it\s+is|it['’]s))*"
)
_BOXED = r"\\?boxed\s*\{\s*(?:\\text\s*\{)?"
_OPTION = r"(?:(?:the\s+)?(?:option|choice|letter)s?\s*)?"
# What stands before a letter that is the answer; the first may go on with a word behind the letter, the second not.
_TOLD = re.compile(rf"(?:\b{_NAME}{_IS}|{_BOXED}){_MARKS}(?:{_BOXED})?{_MARKS}$", re.IGNORECASE)
_LED = re.compile(
    rf"(?:^{_MARKS}(?:(?:yes|sure|okay|{_SURELY})\W+)?|\b(?:it\s+is|it['’]s|it\s+must\s+be|so|but(?:\s+rather)?|leav\w+|{_SURELY}|{_CHOOSE})"
    rf"[\s,:]*){_OPTION}{_MARKS}$",
    re.IGNORECASE,
)
_LAST_LINE = re.compile(rf"\n{_MARKS}$")
_WEAK = re.compile(r"\b(?:option|choice|letter)s?[\s\"'*_`(]*$", re.IGNORECASE)
_ALONE = r"(?<![\w'’])"
_ON = rf"[\s)\]*_\"']*(?:,|/|&|\band\b|\bor\b|\bnor\b)[\s(\[*_\"']*(?:(?:and|or|nor)\s+\(?)?{_OPTION}\(?"
_MENTION = re.compile(
    rf"{_ALONE}(?:[A-J]|[a-j](?=[).:,;\]}}*_\"'`\\$]|\s*$|\s+or\b|\s+and\b))(?![\w'’])"
    rf"(?:{_ON}(?:[A-J]|[b-j]|a(?!\s+\w))(?![\w'’]))*"
)
_LETTER = re.compile(rf"{_ALONE}[A-Ja-j](?![\w'’])")
_CLOSE = re.compile(r"[)\]}*_\"'`.]*")
# Behind a letter that is led to, where a word cannot go on with it.
_END = re.compile(
    r"[).:,;!?\]}*_\"'`\\$]|\s*$|\n|\s+(?:because|since|as|and|or|over|than|not|rather|instead)\b|\s*[-–—]\s"
)
_CUT = re.compile(r"[.;:!?\n,]|\b(?:but|however|so|therefore|thus|hence|while|whereas|then)\b", re.IGNORECASE)
_NOT = re.compile(
    r"(?:\b(?:not|neither|nor|never|rather\s+than|instead\s+of|cannot|rul\w+\s+out|exclud\w+|eliminat\w+|reject\w*"
    r"|discard\w*|unlike|over|than|incorrect|wrong|false)|n['’]t)\W+"
    r"(?:(?:think|believe|say|sure|certain|clear|consistent|compatible|be|that|it|is|if|whether|with|an?|the|options?)\W+)*"
    r"(?:\w+\W+)?(?:(?:an?|the)\W+)?$",
    re.IGNORECASE,
)
_BE = (
    r"(?:is|are|was|were|be|been|seems?|looks?|appears?|would|can|could|should|must|may|has|have|to|also|both|all|quite"
    rf"|simply|{_SURELY})"
)
_BAD = (
    r"(?:incorrect|wrong|false|inaccurate|untrue|excluded|ruled\s+out|eliminated|rejected|out(?=\s*(?:[.,;!]|$))|unlikely|implausible|invalid"
    r"|inappropriate|unsupported|inconsistent|mistaken|less\s+(?:likely|appropriate|plausible|consistent)"
    r"|not\s+(?:correct|right|true|accurate))(?![\w-])"
)
_BAD_AFTER = re.compile(
    rf"[\s,(:–—→-]*(?:which\s+)?(?:(?:{_BE}\s+)+(?:(?:an?|the)\s+)?{_BAD}|{_BAD}(?!\s+(?:answer|option|choice)))",
    re.IGNORECASE,
)
_BAD_NEXT = re.compile(
    rf"[\s.]*(?:this|that)(?:\s+(?:option|answer|choice|one))?\s+(?:is|was)\s+{_BAD}", re.IGNORECASE
)
_DENIED = (
    r"\s+(?:(?:is|are|was|were|do|does|did|can|could|would|should)(?:\s*n['’]t|\s+not)|cannot)\b(?!\s+only\b)"
)
_DENIED_AFTER = re.compile(_DENIED, re.IGNORECASE)
_DENIED_AS_ANSWER = re.compile(
    rf"{_DENIED}\s+(?:be\s+)?(?:(?:an?|the)\s+)?(?:correct|right|true|best|answer|option|choice|likely|accurate|appropriate"
    r"|consistent|supported|possible|it\b)",
    re.IGNORECASE,
)
_NO_AFTER = re.compile(
    r"[\s,;:?!–—-]*\bno\s*[,.;:!–—-]\s*\W*(?:it|the|rather|actually|[a-j])\b", re.IGNORECASE
)
_RIGHT_AFTER = re.compile(
    rf"\s*(?:(?:,\s*which\s+)?{_BE}\s+|[:–—→(-]+\s*)+(?:(?:the|my|an?)\s+)?(?:{_SURELY}\s+)?"
    r"(?:(?:correct|right|best|true|accurate|better)(?=\s*(?:[.,;:!)*]|$|\n|(?:because|since|as|and|here|answer|option|choice"
    r"|one|match|fit|diagnosis|of)\b))|(?:final\s+)?answer\b"
    r"|(?:most|more)\s+(?:likely|appropriate|accurate|consistent|plausible|probable|suitable)\b)"
    r"|\s+(?:is|are)\s*(?:[.;!]|$)|\s+(?:remains?|fits|matches|is\s+left)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)?|[%+<>=]")
_SHORT_NOT = re.compile(r"n['’]t\b")
_ARTICLES = frozenset({"a", "an", "the"})
_NEAR = 160
"""Characters before a letter that are looked at."""


def picked(reply: str, options: Sequence[str]) -> str | None:
    """The text of the option that a reply picks; None where it picks none, or more than one.

    A letter decides, unless the reply names another option's text and not its own. Options are matched word by word,
    case, marks and articles aside; of two of which one holds the other, the longer one counts where it stands. The
    list of all options, said again, picks none of them.
    """
    said = _without_list(reply, options)
    letters, named = _letters(said, options), _named(said, options)
    if len(letters) > 1:
        return None
    if letters:
        at = LETTERS.index(letters.pop())
        alike = {place for place in named if _same(options[place], options[at])}
        return None if named and not alike else options[at]
    texts = {tuple(_words(options[place])) for place in named}
    return options[min(named)] if len(texts) == 1 else None


_BESIDE_OR = re.compile(r"^\W*(?:or|and|/)\b|^\s*/", re.IGNORECASE)
_OR_BESIDE = re.compile(r"(?:\b(?:or|and)\W*(?:an?\W+|the\W+)?|/\s*)$", re.IGNORECASE)


def names(reply: str, text: str) -> bool:
    """Whether a text's words stand in a reply in a row, not rejected and not as one of two."""
    plain = _plain(reply)
    return any(
        not (_BESIDE_OR.match(plain[end:]) or _OR_BESIDE.search(plain[:start]))
        and not _is_refused(plain[:start], plain[end:])
        for start, end in _stands(plain, _words(text))
    )


def _stands(plain: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where words stand in a row, from character to character."""
    places = [found for found in _WORD.finditer(plain) if found[0] not in _ARTICLES]
    said = [found[0] for found in places]
    starts = range(len(said) - len(words) + 1) if words else ()
    return [
        (places[at].start(), places[at + len(words) - 1].end())
        for at in starts
        if said[at : at + len(words)] == words
    ]


def _without_list(reply: str, options: Sequence[str]) -> str:
    """The reply but for all options in their order, each with its letter."""
    each = (
        rf"\W{{0,9}}{letter}\W{{1,9}}{_spelt(option)}"
        for letter, option in zip(LETTERS, options, strict=False)
    )
    return re.sub(rf"(?:^|(?<=\W)){''.join(each)}(?!\w)[.;,]?", "\n", reply, flags=re.IGNORECASE)


def _spelt(text: str) -> str:
    """A pattern of a text, whatever its white space."""
    return r"\s+".join(map(re.escape, text.split()))


def _letters(reply: str, options: Sequence[str]) -> set[str]:
    """The letters that are given as the answer; where none is, those that are mentioned as options and not rejected."""
    told, weak, rejected, bad = set[str](), set[str](), set[str](), set[str]()
    for match in _MENTION.finditer(reply):
        letters = {letter.upper() for letter in _LETTER.findall(match[0])}
        letters = {letter for letter in letters if LETTERS.index(letter) < len(options)}
        if not letters or _is_article(match, reply):
            continue
        behind, own = _behind(reply, match.end(), [options[LETTERS.index(letter)] for letter in letters])
        near = reply[max(0, match.start() - _NEAR) : match.start()]
        lead = _lead(near, reply, match)
        if _BAD_AFTER.match(behind) or _BAD_NEXT.match(behind):
            bad |= letters
        elif _is_denied(_before(near, lead), behind, own):
            rejected |= letters
        elif lead is not None or _RIGHT_AFTER.match(behind):
            told |= letters
        elif _WEAK.search(near) or (near.endswith("(") and reply[match.end() : match.end() + 1] == ")"):
            weak |= letters
    return told - bad or weak - bad - rejected


def _lead(near: str, reply: str, match: re.Match[str]) -> re.Match[str] | None:
    """What makes the letters behind it the answer; `near` is what stands before them."""
    told = _TOLD.search(near)
    if told is not None:
        return told
    ends = _END.match(reply, match.end())
    if match.start() > len(near):
        near = f"… {near}"  # not the reply's beginning
    led = _LED.search(near) if ends else None
    if led is None and not reply[match.end() :].strip(" \t\n)]}*_\"'`.$"):
        led = _LAST_LINE.search(near)
    return led


def _before(near: str, lead: re.Match[str] | None) -> str:
    """What stands before a letter, or before what leads to it; nothing where that begins a clause (`but C`)."""
    if lead is None:
        return near
    return "" if _CUT.match(lead[0]) else near[: lead.start()]


def _behind(reply: str, end: int, texts: Sequence[str]) -> tuple[str, bool]:
    """What follows letters, without the marks that close them and their own option's text; whether that stood there."""
    closed = _CLOSE.match(reply, end)
    at = closed.end() if closed else end
    for text in texts:
        own = re.match(rf"\W*{_spelt(text)}(?!\w)", reply[at:], re.IGNORECASE)
        if own is not None and text.strip():
            return reply[at + own.end() :], True
    return reply[at:], False


def _is_denied(before: str, behind: str, own: bool) -> bool:
    """Whether an option is denied in its clause; behind its own text only as an answer (`left lung is not large`)."""
    after = _DENIED_AS_ANSWER if own else _DENIED_AFTER
    clause = _CUT.split(before)[-1]
    return bool(_NOT.search(clause) or after.match(behind) or _NO_AFTER.match(behind))


def _is_article(match: re.Match[str], reply: str) -> bool:
    """`The answer is a fracture`: a small letter that a word follows."""
    behind = reply[match.end() : match.end() + 2]
    return match[0].islower() and len(behind) == 2 and behind[0] == " " and behind[1].isalpha()


def _plain(text: str) -> str:
    return _SHORT_NOT.sub(" not", text.casefold())


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(_plain(text)) if word not in _ARTICLES]


def _same(one: str, other: str) -> bool:
    return _words(one) == _words(other)


def _named(reply: str, options: Sequence[str]) -> set[int]:
    """The options whose words stand in the reply in a row and are not rejected."""
    plain = _plain(reply)
    sought = sorted(range(len(options)), key=lambda at: -len(_words(options[at])))
    taken: list[tuple[int, int, int]] = []
    for at in sought:
        for start, end in _stands(plain, _words(options[at])):
            inside = any(a <= start and end <= b and (a, b) != (start, end) for a, b, _ in taken)
            if not inside:
                taken.append((start, end, at))
    return {at for start, end, at in taken if not _is_refused(plain[:start], plain[end:])}


def _is_refused(before: str, behind: str) -> bool:
    return bool(_BAD_AFTER.match(behind)) or _is_denied(before[-_NEAR:], behind, own=True)
