"""Present, absent or uncertain: the reach of negations and hedges over the findings of one clause."""

from __future__ import annotations

from collections.abc import Sequence

from mht.knowledge.lexicon import role
from mht.knowledge.vocabulary import Match

PRESENT, ABSENT, UNCERTAIN = "present", "absent", "uncertain"

_FORWARD = {"deny": ABSENT, "hedge": UNCERTAIN, "past": UNCERTAIN}
_BACKWARD = {"deny_back": ABSENT, "hedge_back": UNCERTAIN}
_REACH = {"deny": 24, "hedge": 8, "past": 7}
_BACK_REACH = 5
_EVIDENCE = frozenset({"evidence", "sign", "signs", "absence", "lack", "free", "clear"})


def _list_goes_on(words: Sequence[str], comma: int, end: int) -> bool:
    """Whether what follows a comma is one more item of a list and not a statement of its own."""
    for i in range(comma + 1, end):
        if words[i] == ",":
            break
        if words[i] in role("statement"):
            return words[i] in ("is", "are", "was", "were", "seen", "visible") and _ends_list(words, i, end)
    return True


def _ends_list(words: Sequence[str], verb: int, end: int) -> bool:
    """`no A, B or C is seen`: the verb closes the list; `no A, the heart is enlarged`: it opens a statement."""
    return any(
        word in ("seen", "identified", "noted", "visible", "present") for word in words[verb : verb + 3]
    )


def _reach(words: Sequence[str], cue: Match, clause: Sequence[Match], end: int) -> int:
    """The word at which a forward cue's reach ends."""
    limit = min(end, cue.last + _REACH[cue.value])
    for match in clause:
        if match.first >= limit:
            break
        if match.first >= cue.last and match.kind == "cue" and match.value in ("with", "stop"):
            limit = match.first
    for i in range(cue.last, limit):
        if words[i] != ",":
            continue
        if cue.value != "deny" or words[i + 1 : i + 2] == ("and",) or not _list_goes_on(words, i, end):
            return i
    return limit


def _given(words: Sequence[str], first: int) -> bool:
    """Whether a finding is only the place of what is denied: `no air-filled bronchi within the mass`."""
    the = next((i for i in (first - 1, first - 2) if i > 1 and words[i] in ("the", "this", "these")), None)
    return the is not None and words[the - 1] in role("within") and words[the - 2] not in _EVIDENCE


def _forward(words: Sequence[str], clause: Sequence[Match], end: int) -> list[tuple[int, int, str]]:
    return [
        (cue.last, _reach(words, cue, clause, end), _FORWARD[cue.value])
        for cue in clause
        if cue.kind == "cue" and cue.value in _FORWARD
    ]


def _backward(words: Sequence[str], clause: Sequence[Match]) -> list[tuple[int, int, str]]:
    """Reaches of cues that speak of what stands before them: one noun phrase, or a list of them."""
    spans = []
    findings = [m for m in clause if m.kind == "finding"]
    for cue in clause:
        if cue.kind != "cue" or cue.value not in _BACKWARD:
            continue
        start = cue.first
        for finding in reversed([m for m in findings if m.last <= cue.first]):
            between = words[finding.last : start]
            if len(between) > _BACK_REACH or ("," in between and start == cue.first):
                break
            if start != cue.first and not (set(between) & {"and", "or", "nor", ","}):
                break
            start = finding.first
        spans.append((start, cue.first, _BACKWARD[cue.value]))
    return spans


def presences(words: Sequence[str], clause: Sequence[Match], end: int) -> dict[int, str]:
    """The presence of each finding of a clause, by its first word; `end` is the clause's last word, excluded."""
    spans = _forward(words, clause, end) + _backward(words, clause)
    both = [m for m in clause if m.kind == "cue" and m.value == "hedge_both"]
    found: dict[int, str] = {}
    for match in clause:
        if match.kind != "finding":
            continue
        states = {state for first, last, state in spans if first <= match.first < last}
        if ABSENT in states and _given(words, match.first):
            states.remove(ABSENT)
        if any(abs(match.first - cue.first) <= _BACK_REACH for cue in both):
            states.add(UNCERTAIN)
        if words[match.last : match.last + 2] == ("-", "like") or words[match.last : match.last + 1] == (
            "like",
        ):
            states.add(UNCERTAIN)
        found[match.first] = UNCERTAIN if UNCERTAIN in states else ABSENT if states else PRESENT
    return found
