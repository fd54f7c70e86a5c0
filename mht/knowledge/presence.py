"""Present, absent or uncertain: the reach of negations and hedges over the findings of one clause."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mht.knowledge.lexicon import DEVICE, DIAGNOSIS, NORMAL, lexicon, role
from mht.knowledge.modifiers import SIDES
from mht.knowledge.vocabulary import Match

PRESENT, ABSENT, UNCERTAIN = "present", "absent", "uncertain"

# What a cue makes of a finding, and of a device where that differs: after fixation, the screws are there.
_FORWARD = {
    "deny": ABSENT,
    "gone": ABSENT,
    "hedge": UNCERTAIN,
    "past": UNCERTAIN,
    "done": UNCERTAIN,
    "bearer": UNCERTAIN,
    "removed": UNCERTAIN,
}
_BACKWARD = {"healed": ABSENT, "deny_back": ABSENT, "hedge_back": UNCERTAIN, "removed_back": UNCERTAIN}
_EFFECT = _FORWARD | _BACKWARD
_OF_DEVICE = {"done": PRESENT, "removed": ABSENT, "removed_back": ABSENT}
_REACH = {"deny": 24, "gone": 9, "hedge": 8, "past": 7, "bearer": 7, "done": 7, "removed": 5}
_TIMES = frozenset({"done", "past"})
_OPENS = frozenset({"the", "a", "an", "this", "there"})
_GOES_ON = frozenset(
    {
        "of",
        "for",
        "by",
        "with",
        "to",
        "from",
        "and",
        "or",
        "in",
        "on",
        "at",
        "through",
        "via",
        "under",
        "into",
    }
)
_CLOSES_LIST = frozenset({"and", "or", "nor"})
_ENDS_REACH = {True: ("with", "stop"), False: ("with", "stop", "deny")}
_BACK_REACH, _EITHER_REACH = 5, 2
_EVIDENCE = frozenset({"evidence", "sign", "signs", "absence", "lack", "free", "clear", "resolution", "disappearance",
        "healing",
                       "regression", "clearing", "clearance", "loss"})  # fmt: skip
_TO_PLACE = frozenset({"to", "by", "into", "toward", "towards", "around", "near"})
_BE = frozenset((word,) for word in ("is", "are", "was", "were", "be", "been", "being"))

Span = tuple[int, int, Match]
"""The first word that a cue reaches, the one after the last, and the cue."""


def _list_goes_on(words: Sequence[str], comma: int, end: int) -> bool:
    """Whether what follows a comma is one more item of a list and not a statement of its own."""
    for i in range(comma + 1, end):
        if words[i] == ",":
            break
        if words[i] in role("statement"):
            return words[i] in ("is", "are", "was", "were", "seen", "visible") and _ends_list(words, i, end)
    return True


def _described_anew(words: Sequence[str], comma: int, clause: Sequence[Match], end: int) -> bool:
    """`no residual tumour, small collection`: a list without `or` does not go on with a graded or sided item."""
    item = next((m for m in clause if m.first == comma + 1), None)
    if item is not None and item.kind == "cue" and item.value in ("evidence", "hedge"):
        return True  # "without flow, in keeping with torsion"
    if not _CLOSES_LIST.isdisjoint(words[comma:end]):
        return False
    return words[comma + 1] in ("a", "an") or (
        item is not None and (item.kind in ("severity", "attribute") or item.value in SIDES)
    )


def _ends_list(words: Sequence[str], verb: int, end: int) -> bool:
    """`no A, B or C is seen`: the verb closes the list; `no A, the heart is enlarged`: it opens a statement."""
    return any(word in role("closing") for word in words[verb : verb + 3])


def _reach(words: Sequence[str], cue: Match, clause: Sequence[Match], end: int) -> int:
    """The word at which a forward cue's reach ends."""
    limit = min(end, cue.last + _REACH[cue.value])
    for match in clause:
        if match.first >= limit:
            break
        if match.first == cue.last and cue.value == "hedge" and match.value == "with":
            continue  # "possibly with a small abscess"
        if (
            match.first >= cue.last
            and match.kind == "cue"
            and match.value in _ENDS_REACH[cue.value == "deny"]
        ):
            limit = match.first
    stops = (i for i in range(cue.last, limit) if _stops(words, i, cue) or _parts(words, i, cue, clause, end))
    return next(stops, limit)


def _stops(words: Sequence[str], i: int, cue: Match) -> bool:
    """Whether a word ends the reach: a reason, a second thing that is gone, the main clause after a point in time."""
    if words[i] in ("due", "because"):
        return True  # "not done because of a large mass"
    if cue.value == "deny":
        return words[i] == "and" and words[i + 1 : i + 2] in (
            ("a",),
            ("an",),
        )  # "no recurrence and a small …"
    if cue.value == "gone":
        return words[i] == "in" or (words[i] == "and" and words[i + 1 : i + 2] != ("of",))
    opens = i > cue.last and words[i] in _OPENS and words[i - 1] not in _GOES_ON
    return cue.value in _TIMES and opens  # "after treatment the effusion …"


def _parts(words: Sequence[str], i: int, cue: Match, clause: Sequence[Match], end: int) -> bool:
    """Whether a comma ends the reach and does not only part the items of a list."""
    if words[i] != ",":
        return False
    if cue.value != "deny" or words[i + 1 : i + 2] == ("and",) or not _list_goes_on(words, i, end):
        return True
    return _described_anew(words, i, clause, end)


def _given(words: Sequence[str], first: int) -> bool:
    """Whether a finding is only the place of what is denied: `no air-filled bronchi within the mass`."""
    the = next((i for i in (first - 1, first - 2) if i > 1 and words[i] in ("the", "this", "these")), None)
    return (
        the is not None and words[the - 1] in _TO_PLACE | role("within") and words[the - 2] not in _EVIDENCE
    )


def _named_disease(words: Sequence[str], match: Match) -> bool:
    """`absence of distal gas in duodenal atresia`: the disease is what the sign is of."""
    before = words[match.first - 1 : match.first]
    return before == ("in",) and lexicon().findings[match.value].kind == DIAGNOSIS


def _forward(words: Sequence[str], clause: Sequence[Match], end: int) -> list[Span]:
    spans = [
        (cue.last, _reach(words, cue, clause, end), cue)
        for cue in clause
        if cue.kind == "cue" and cue.value in _FORWARD
    ]
    return spans + [(cue.last, cue.last + 2, cue) for cue in clause if _leads(words, cue)]


def _leads(words: Sequence[str], cue: Match) -> bool:
    """`absent uptake in the right kidney`: the word denies what it stands before, not what it follows."""
    return (
        cue.value == "deny_back"
        and words[cue.first] == "absent"
        and words[cue.first - 1 : cue.first] not in _BE
    )


def _backward(words: Sequence[str], clause: Sequence[Match]) -> list[Span]:
    """Reaches of cues that speak of what stands before them: one noun phrase, or a list of them."""
    spans = []
    findings = [m for m in clause if m.kind == "finding"]
    for cue in clause:
        if cue.kind != "cue" or not (cue.value in _BACKWARD or _trails(words, cue)) or _leads(words, cue):
            continue
        start, opened = cue.first, False
        for finding in reversed([m for m in findings if m.last <= cue.first]):
            between = words[finding.last : start]
            if len(between) - _placing(clause, finding.last, start) > _BACK_REACH or (
                "," in between and start == cue.first
            ):
                break
            if start != cue.first and not _joined(between, opened):
                break
            opened = opened or not _CLOSES_LIST.isdisjoint(between)
            start = finding.first
        spans.append((start, cue.first, cue))
    return spans


def _placing(clause: Sequence[Match], first: int, last: int) -> int:
    """The words between that only say where: `the enhancement [of the left optic nerve] is no longer seen`."""
    return sum(
        m.last - m.first for m in clause if first <= m.first < last and (m.kind == "site" or m.value in SIDES)
    )


def _trails(words: Sequence[str], cue: Match) -> bool:
    """`angiomyolipoma most likely.`: a hedge that ends the statement speaks of what stands before it."""
    return cue.value == "hedge" and (cue.last >= len(words) or words[cue.last] in (".", ";", ")"))


def _joined(between: Sequence[str], opened: bool) -> bool:
    """Whether the words between two findings make a list of them and no statement of their own.

    A list that ends without `and` or `or` is none: `reticular shadowing, honeycombing is absent`.
    """
    joins = _CLOSES_LIST | {","} if opened else _CLOSES_LIST
    return not joins.isdisjoint(between) and role("statement").isdisjoint(between)


def _effect(words: Sequence[str], cue: Match, match: Match) -> str:
    """What the cue makes of the finding: a patient has a disease, but an image shows his mass."""
    kind = lexicon().findings[match.value].kind
    if cue.value == "bearer":
        shown = words[cue.last : cue.last + 1] in (("a",), ("an",)) or _next(words, match) in role("acting")
        if shown or kind != DIAGNOSIS:
            return PRESENT
    if cue.value == "healed" and "fracture" in lexicon().ancestors[match.value]:
        return PRESENT
    return _OF_DEVICE[cue.value] if kind == DEVICE and cue.value in _OF_DEVICE else _EFFECT[cue.value]


def _only_names(words: Sequence[str], match: Match) -> bool:
    """`stroke protocol`, but not `a swollen index finger`."""
    after = words[match.last : match.last + 2]
    return _next(words, match) in role("namesake") and after != ("index", "finger")


def _next(words: Sequence[str], match: Match) -> str:
    return words[match.last] if match.last < len(words) else ""


def _compared(words: Sequence[str], match: Match) -> bool:
    """`thrombus-like`: said of something that only looks so."""
    return _next(words, match) == "like" or words[match.last : match.last + 2] == ("-", "like")


def _alternatives(clause: Sequence[Match]) -> frozenset[int]:
    """The first words of findings of which one or the other is meant: `haematoma or abscess`."""
    findings = [m for m in clause if m.kind == "finding"]
    return frozenset(
        first
        for one, other in pairwise(findings)
        for cue in clause
        if cue.value == "either" and one.last == cue.first and 0 <= other.first - cue.last <= _EITHER_REACH
        for first in (one.first, other.first)
    )


def _state(words: Sequence[str], match: Match, spans: Sequence[Span], hedged: bool) -> str:
    reaching = [cue for first, last, cue in spans if first <= match.first < last]
    if any(cue.value in ("deny_back", "gone") for cue in reaching):
        reaching = [
            cue for cue in reaching if cue.value not in ("past", "bearer")
        ]  # "the previous effusion has resolved"
    states = {_effect(words, cue, match) for cue in reaching} - {PRESENT}
    if (
        ABSENT in states
        and all(cue.value in ("deny", "gone") for cue in reaching)
        and (_given(words, match.first) or _named_disease(words, match))
    ):
        states.remove(ABSENT)
    if hedged and ABSENT not in states:
        return UNCERTAIN
    if _compared(words, match) or _next(words, match) in role("treated"):
        return UNCERTAIN
    return UNCERTAIN if UNCERTAIN in states else ABSENT if states else PRESENT


def presences(words: Sequence[str], clause: Sequence[Match], end: int) -> dict[int, str]:
    """The presence of each stated finding of a clause, by its first word; `end` is the clause's last word, excluded.

    A finding that only names something else, as in `stroke protocol`, is not stated and has no entry.
    """
    spans = _forward(words, clause, end) + _backward(words, clause)
    both = [m for m in clause if m.kind == "cue" and m.value == "hedge_both"]
    open_ = _alternatives(clause) | {
        m.first for m in clause for cue in both if abs(m.first - cue.first) <= _BACK_REACH
    }
    return {
        match.first: _state(words, match, spans, match.first in open_)
        for match in clause
        if match.kind == "finding" and not _only_names(words, match)
    }


def is_idle(finding: str, state: str) -> bool:
    """What says nothing of the image: an operation of the patient's past, a normal state that is not there."""
    known = lexicon().findings[finding]
    return (state != PRESENT and finding in role("operation")) or (state == ABSENT and known.kind == NORMAL)
