"""Which side, site and severity belong to which finding of a clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from mht.knowledge.lexicon import DEVICE, lexicon, role, seen_at
from mht.knowledge.modifiers import SIDES, Modifiers, described
from mht.knowledge.predicate import changed, predicate
from mht.knowledge.vocabulary import Match

_LEFT_BUDGET, _RIGHT_BUDGET = 5, 6


def _fits(finding: Match, site: Match) -> bool:
    return seen_at(finding.value, site.value)


def _graver(one: str | None, other: str) -> str:
    """Of two graded words the one that grades: `mild generalised` is mild; of one scale, the nearer to the noun."""
    scale = lexicon().severities
    return one if one and (scale[one].scale != "extent" or scale[other].scale == "extent") else other


def _take(finding: Match, match: Match, got: Modifiers) -> Modifiers | None:
    """The modifiers with one more, or None where the match is none of this finding's."""
    if match.kind == "severity":
        return replace(got, severity=_graver(got.severity, match.value))
    if match.kind == "attribute":
        return described(got, match.value)
    if match.kind == "site":
        return replace(got, site=match.value) if not got.site and _fits(finding, match) else None
    if match.kind == "cue" and match.value in SIDES:
        return got if got.side else replace(got, side=SIDES[match.value])
    return None


def _before(words: Sequence[str], at: Mapping[int, Match], finding: Match, start: int) -> Modifiers:
    """Modifiers in the noun phrase to the left: `a small left-sided [pleural effusion]`."""
    stop = _breaks_left()
    got, i, budget, commas = Modifiers(), finding.first - 1, _LEFT_BUDGET, 0
    apart = False
    while i >= start and budget > 0:
        match = at.get(i)
        if match is not None:
            taken = got if apart and match.kind == "attribute" else _take(finding, match, got)
            if _of_adjective(words, at, match):
                i = match.first - 1
                continue
            if commas and (match.kind == "site" or match.value in SIDES):
                return got  # "a tear of the ligament, bone bruises": the place belongs to what went before
            if taken is None:
                return got
            got, i = taken, match.first - 1
            continue
        apart = apart or not (words[i] in _JOINS or words[i] in _MEASURE or words[i][0].isdigit())
        if words[i] == ",":
            commas += 1
        if words[i] in stop or commas > 1:
            return got
        i, budget = i - 1, budget - 1
    return got


def _of_adjective(words: Sequence[str], at: Mapping[int, Match], match: Match) -> bool:
    """`a slightly hyperintense mass`: the grade is of the adjective."""
    behind = at.get(match.last)
    graded = match.kind == "severity" and words[match.last - 1].endswith("ly")
    return graded and behind is not None and behind.kind == "attribute"


_JOINS = frozenset({",", "-", "and"})


@lru_cache(maxsize=1)
def _breaks_left() -> frozenset[str]:
    return role("break") | role("within") | role("verb") | role("break_left")


def _closes(words: Sequence[str], i: int, far: bool, opened: bool) -> bool:
    """Whether a plain word ends what may follow a finding: a new statement, another preposition, a second comma."""
    word = words[i]
    if {*words[i - 1 : i], *words[i + 1 : i + 2]} <= role("ordinal"):
        return False  # "the ninth to eleventh ribs"
    return word in role("break") or (far and word in role("verb")) or (opened and word == ",")


def _after(
    words: Sequence[str], at: Mapping[int, Match], finding: Match, end: int, got: Modifiers
) -> Modifiers:
    """Modifiers that follow: `effusion on the left`, `mass in the right kidney`, `effusion (left)`."""
    i, budget = finding.last, _RIGHT_BUDGET
    opened = words[i - 1].endswith("ing") and words[i : i + 1] == ("the",)  # "narrowing the trachea"
    if _and_unknown(words, at, i):
        i += 2
    while i < end and budget > 0 and not (got.site and got.side):
        match = at.get(i)
        if match is None:
            if _closes(words, i, i - finding.last > 1, opened) and not _origin(words, i):
                return got
            opened = opened or words[i] == "from"
            opened = words[i] != ")" and (opened or words[i] in role("within") or words[i] == "(")
            budget -= words[i] not in role("filler") and words[i] not in role("within")
            i += 1
            continue
        if match.kind == "site" and not opened and i != finding.last:
            return got
        if match.value in ("left", "right") and not role("more").isdisjoint(
            words[max(finding.last, i - 3) : i]
        ):
            return got  # "papilloedema of both eyes, worse on the left"
        if match.value in SIDES and _opens_item(words, i) and not _ends(words, match.last, end):
            return got  # "a right aortic arch, left superior vena cava": the side of what follows
        taken = got if match.kind in ("severity", "attribute") else _take(finding, match, got)
        if taken is None:
            return got
        got, i = taken, match.last
    return got


def _and_unknown(words: Sequence[str], at: Mapping[int, Match], i: int) -> bool:
    """`swelling and redness of the left knee`: a second noun, of which nothing is known, before the place."""
    noun = words[i + 1] if i + 1 < len(words) else ""
    unknown = (
        i + 1 not in at and noun.isalpha() and not noun.endswith("ing")
    )  # "and squashing of the ventricle"
    return words[i : i + 1] == ("and",) and unknown and words[i + 2 : i + 3] in (("of",), ("in",))


def _origin(words: Sequence[str], i: int) -> bool:
    """`a mass arising from the left kidney`: where it comes from is where it is."""
    return words[i] == "from" and words[i - 1] in role("origin")


def _opens_item(words: Sequence[str], i: int) -> bool:
    """Whether a comma, or a comma and an article, stands before the word."""
    return words[i - 1] == "," or (words[i - 1] in ("a", "an", "the") and words[i - 2 : i - 1] == (",",))


def _ends(words: Sequence[str], i: int, end: int) -> bool:
    """Whether the statement ends at the word: nothing, a mark, or `side` follows."""
    return i >= end or not words[i].isalpha() or words[i] in ("side", "greater", "more", "than", "and")


def _examined(clause: Sequence[Match], k: int) -> bool:
    """Whether the site only names what was examined: `chest radiograph`, `CT of the abdomen`."""
    return any(0 <= j < len(clause) and clause[j].kind == "modality" for j in (k - 1, k + 1))


def _subject(words: Sequence[str], clause: Sequence[Match], finding: Match, got: Modifiers) -> Modifiers:
    """The place that the clause opened with: `the left kidney contains a [cyst]`."""
    opening = next((m for m in clause if m.kind == "finding"), finding)
    if _placed_in(words, finding.first):
        return got  # "no air-filled bronchi within the mass": what stands before does not hold it
    if (near := _doer(words, clause, finding)) is not None:
        return replace(got, site=clause[near].value, side=got.side or _side_of(clause, near, finding))
    for k, match in enumerate(clause):
        if match.first >= opening.first:
            return got
        if match.kind != "site" or not _fits(finding, match) or _examined(clause, k):
            continue
        if beside(words, match.first):
            continue
        if opening is not finding and role("verb").isdisjoint(words[match.last : opening.first]):
            return got
        return replace(got, site=match.value, side=got.side or _side_of(clause, k, opening))
    return got


def _doer(words: Sequence[str], clause: Sequence[Match], finding: Match) -> int | None:
    """The place that a verb right behind it leads to the finding: `… and the right kidney shows [hypertrophy]`."""
    for k in range(len(clause) - 1, -1, -1):
        match = clause[k]
        if match.last > finding.first:
            continue
        if match.kind == "finding":
            return None
        if match.kind == "site" and _fits(finding, match) and words[match.last] in role("verb"):
            return (
                None if beside(words, match.first) or _examined(clause, k) else _part_named(words, clause, k)
            )
    return None


def _part_named(words: Sequence[str], clause: Sequence[Match], k: int) -> int:
    """Of `the optic disc of the right eye` the disc."""
    j = k - 1
    while j >= 0 and clause[j].value in SIDES:
        j -= 1
    if j < 0 or clause[j].kind != "site":
        return k
    held = {i for m in clause[j + 1 : k] for i in range(m.first, m.last)}
    between = {words[i] for i in range(clause[j].last, clause[k].first) if i not in held}
    return j if between and between <= {"of", "the"} else k


def _placed_in(words: Sequence[str], first: int) -> bool:
    """Whether the finding itself is the place that is spoken of: `within the mass`."""
    i = first - 1
    while i > 0 and words[i] in ("the", "this", "these", "a", "an"):
        i -= 1
    return i >= 0 and words[i] in ("within", "inside", "around", "surrounding")


def beside(words: Sequence[str], first: int) -> bool:
    """Whether a place is only what something lies next to or reaches: `posterior to the uterus`."""
    i = first - 1
    while i >= 0 and words[i] in role("before_place"):
        i -= 1
    return i >= 0 and words[i] in role("beside") and not (i and _origin(words, i))


def _side_of(clause: Sequence[Match], k: int, opening: Match) -> str | None:
    """The side of a clause's opening site: right before it, or after it (`the macula of the right eye`)."""
    before = [clause[k - 1]] if k and clause[k - 1].last == clause[k].first else []
    after = [m for m in clause[k + 1 :] if m.last <= opening.first]
    return next((SIDES[m.value] for m in (*before, *after) if m.value in SIDES), None)


def _own_side(got: Modifiers) -> Modifiers:
    """A site that exists on one side only brings its side with it."""
    only = lexicon().sites[got.site].sided if got.site else "no"
    return replace(got, side=only) if only in ("left", "right") else got


_MEASURE = frozenset({"mm", "cm", "x", "by"})


def modifiers(
    words: Sequence[str], clause: Sequence[Match], finding: Match, span: tuple[int, int]
) -> Modifiers:
    """Side, site and severity of one finding; `span` holds the clause's first and last word."""
    at = {i: match for match in clause for i in range(match.first, match.last)}
    got = _after(words, at, finding, span[1], _before(words, at, finding, span[0]))
    if got.site is None and got.side is None:
        got = _subject(words, clause, finding, got)
    got = _own_side(got)
    got = changed(words, clause, finding, predicate(words, at, finding, got))
    known = lexicon().findings[finding.value]
    sided = known.sided
    if known.kind == DEVICE and got.severity and lexicon().severities[got.severity].scale == "grade":
        got = replace(got, severity=None)  # "the needle was advanced"
    if got.site is not None:
        sided = sided or lexicon().sites[got.site].sided != "no"
    return got if sided or got.side is None else replace(got, side=None)
