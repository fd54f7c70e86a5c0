"""What a finding takes from around its own phrase: from its evidence, from its list, from what was examined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from mht.knowledge.attachment import modifiers
from mht.knowledge.examined import Examined
from mht.knowledge.lexicon import CHANGE, DEVICE, DIAGNOSIS, NORMAL, lexicon, role, seen_at
from mht.knowledge.modifiers import SIDES, Modifiers
from mht.knowledge.study import REGIONS
from mht.knowledge.vocabulary import Match

_LINKS = frozenset({"evidence", "hedge"})
_JOINS = frozenset({",", "and", "or", "nor", "/"})
_OWN = frozenset({"severity", "attribute", "site"})
_END = ((), (".",), (";",), ("(",))
_LINK_REACH, _LIST_REACH, _ADJECTIVES = 4, 3, 2
_PARTS = REGIONS | {"limb"}


def places(words: Sequence[str], clause: Sequence[Match], span: tuple[int, int]) -> dict[int, Modifiers]:
    """The modifiers of each finding of a clause, by its first word; `span` holds the clause's first and last word."""
    findings = [match for match in clause if match.kind == "finding"]
    own = {m.first: _phrase(words, clause, m, span) for m in findings}
    for one, other in zip(findings[-2::-1], findings[:0:-1], strict=True):
        if one.last == other.first and one.value in role("adjectival"):
            continue  # "ruptured cysts of the liver": no rupture of the liver
        if one.last == other.first:  # "an FDG-avid nodule in the left lung"
            own[one.first] = _lent(own[one.first], one, own[other.first])
        elif _listed(words, clause, one, other):
            own[one.first] = _lent(own[one.first], one, _after_it(own[other.first], clause, other))
    for k, other in enumerate(findings[1:], 1):
        source = _source(words, clause, findings[:k], other, own)
        own[other.first] = _lent(own[other.first], other, source) if source else own[other.first]
        own[other.first] = _same_side(words, findings[k - 1], other, own)
    return own


def _same_side(
    words: Sequence[str], before: Match, finding: Match, own: Mapping[int, Modifiers]
) -> Modifiers:
    """`a right pneumothorax with collapse of the underlying lung`: the side of the finding before."""
    got, side = own[finding.first], own[before.first].side
    beside = words[max(before.last, finding.first - 2) : finding.last + _LINK_REACH]
    if got.side or side is None or role("same").isdisjoint(beside):
        return got
    sided = lexicon().findings[finding.value].sided
    return replace(got, side=side) if sided else got


def _phrase(
    words: Sequence[str], clause: Sequence[Match], finding: Match, span: tuple[int, int]
) -> Modifiers:
    """The modifiers that the finding's own phrase gives it."""
    got = _both_sides(words, clause, finding, modifiers(words, clause, finding, span))
    if lexicon().findings[finding.value].kind != CHANGE:
        return got
    behind = [m for m in clause if m.first >= finding.last]
    noun = _noun(behind)
    if (
        noun is None
        or noun.kind != "site"
        or got.site == noun.value
        or not seen_at(finding.value, noun.value)
    ):
        return got
    own = [m for m in behind if m.last <= noun.first]
    held = {i for m in own for i in range(m.first, m.last)}
    plain = [w for i, w in enumerate(words[finding.last : noun.first], finding.last) if i not in held]
    described = any(m.kind in ("severity", "attribute") for m in own)
    if not _leads_to([w for w in plain if w != ","] if described else plain):
        return got
    side = next((SIDES[m.value] for m in own if m.value in SIDES), got.side) or _side_behind(
        words, clause, noun
    )
    # "a distended caecum, atrophic right kidney": what is changed comes next
    return replace(got, site=noun.value, side=side if lexicon().sites[noun.value].sided == "yes" else None)


def _noun(behind: Sequence[Match]) -> Match | None:
    """What comes after words that describe; of places in a row the last: `an enlarged axillary [lymph node]`."""
    row = [m for m in behind if m.value not in SIDES and m.kind not in ("severity", "attribute")]
    for one, other in pairwise(row):
        if one.kind != "site" or other.kind != "site" or one.last != other.first:
            return one
    return row[-1] if row else None


def _side_behind(words: Sequence[str], clause: Sequence[Match], noun: Match) -> str | None:
    """`an enlarged lymph node in the left axilla`: the side that a preposition of place leads to."""
    for match in clause:
        if match.first <= noun.last or match.value not in SIDES:
            continue
        between = words[noun.last : match.first]
        plain = all(word in role("within") or word in role("filler") for word in between)
        return SIDES[match.value] if plain and not role("within").isdisjoint(between) else None
    return None


def _leads_to(between: Sequence[str]) -> bool:
    """`enlarged para-aortic lymph nodes`: nothing but adjectives stands between the two."""
    return (
        len(between) <= _ADJECTIVES
        and not any(
            word in role(part) for word in between for part in ("break", "within", "verb", "break_left")
        )
        and all(word.isalpha() for word in between)
    )


def _source(
    words: Sequence[str],
    clause: Sequence[Match],
    before: Sequence[Match],
    finding: Match,
    own: Mapping[int, Modifiers],
) -> Modifiers | None:
    """The place that an earlier finding of the clause lends: its evidence, or its like in the one place it can be."""
    near = next((m for m in reversed(before) if own[m.first].site or own[m.first].side), None)
    if near is None:
        return next((place for m in reversed(before) if (place := _organ(finding, m))), None)
    if _evidence(words, clause, before[-1], finding):
        return own[near.first]
    if _bound(finding, own[near.first]):
        return Modifiers(side=own[near.first].side)
    return _held(clause, near, finding, own[near.first])


def _held(clause: Sequence[Match], near: Match, finding: Match, source: Modifiers) -> Modifiers | None:
    """`a nodule of the left lobe with calcification`: what is part of a finding lies where it does."""
    linked = any(m.value in ("with", "either", "deny") for m in _between(clause, near, finding))
    if not linked or source.site is None:
        return None
    if finding.value.replace(" ", "_") in role("component"):
        return source
    special = _special(finding, source.site)
    if special is not None and _only_within(special, source.site):
        return source  # "chondromalacia of the left patella with an effusion": of that very joint
    change = lexicon().findings[finding.value].kind == CHANGE
    if (
        special is None
        and lexicon().site_ancestors[source.site][-1] == "limb"
        and not _elsewhere(clause, near)
    ):
        return Modifiers(side=source.side)  # "dislocation of the left shoulder with a fracture"
    return Modifiers(site=source.site) if change or special else None


def _elsewhere(clause: Sequence[Match], near: Match) -> bool:
    """Whether a side or another place is named behind a finding's own."""
    behind = [m for m in clause if m.first >= near.last and m.kind in ("site", "cue")]
    return sum(m.kind == "site" for m in behind) > 1 or sum(m.value in SIDES for m in behind) > 1


def _bound(finding: Match, source: Modifiers) -> bool:
    """Whether the finding is seen only at the source's site: a Hill-Sachs lesion beside a dislocated shoulder."""
    return source.site is not None and _only_within(finding.value, source.site)


def _only_within(finding: str, site: str) -> bool:
    return all(_within(place.lstrip("="), site) for place in lexicon().findings[finding].where)


def _organ(finding: Match, before: Match) -> Modifiers | None:
    """`normal kidneys, no stones`: the one organ of the finding before, where the two together have a name."""
    known = lexicon().findings[before.value]
    where = [place for place in sorted(known.where) if place in lexicon().sites]
    if known.kind == NORMAL or (finding.value == "stone" and known.kind != DEVICE):
        named = {place: _special(finding, place) for place in where}
        if known.kind != NORMAL:  # a stone beside a dilated duct, whatever else the dilatation may be of
            named = {place: special for place, special in named.items() if special}
        return (
            Modifiers(site=next(iter(named))) if len({*named.values()}) == 1 and all(named.values()) else None
        )
    if known.kind in (CHANGE, DEVICE) or len(where) != 1 or _special(finding, where[0]) is None:
        return None
    return Modifiers(site=where[0])


def _special(finding: Match, site: str) -> str | None:
    """What the finding is called at the site, where that has a name of its own."""
    steps = (lexicon().compositions.get((finding.value, step)) for step in lexicon().site_ancestors[site])
    return next(filter(None, steps), None)


def _both_sides(words: Sequence[str], clause: Sequence[Match], finding: Match, got: Modifiers) -> Modifiers:
    """`a large left and a small right effusion` is on both sides."""
    sides = [
        m for m in clause if m.value in ("left", "right") and m.kind == "cue" and m.last <= finding.first
    ]
    if got.side not in ("left", "right") or len(sides) < 2 or sides[-1].value != got.side:
        return got
    one, other = sides[-2:]
    between = _between(clause, one, other)
    if any(m.kind == "site" for m in between):
        return got  # "the right upper lobe and a left effusion"
    held = {i for m in between if m.kind in _OWN for i in range(m.first, m.last)}
    plain = [words[i] for i in range(one.last, other.first) if i not in held and words[i] not in ("a", "the")]
    return (
        replace(got, side="bilateral", severity=None)
        if plain == ["and"] and one.value != other.value
        else got
    )


def _lent(got: Modifiers, finding: Match, source: Modifiers) -> Modifiers:
    """The finding's own modifiers, or where it has no place, the place that another lends it, if it can be there."""
    if got.site is None and got.side and source.site and _special(finding, source.site):
        return replace(got, site=source.site)  # "a horseshoe kidney with stones on both sides"
    if got.side or got.site:
        return got
    if source.site is not None and not seen_at(finding.value, source.site):
        return got
    sided = lexicon().findings[finding.value].sided
    return replace(got, site=source.site, side=source.side if sided else None)


def on_image(got: Modifiers, finding: Match, image: Examined) -> Modifiers:
    """`photograph of the right eye`: what has no side of its own is on the side that was examined."""
    if image.side is None or image.site is None:
        return got
    if got.side or _apart(got.site, image.site):
        return got
    known = lexicon().findings[finding.value]
    return replace(got, side=image.side) if known.sided and seen_at(finding.value, image.site) else got


def _apart(own: str | None, site: str) -> bool:
    """Whether the finding lies elsewhere than what was examined; bones and joints of one limb lie together."""
    if own is None or _within(own, site):
        return False
    up = lexicon().site_ancestors
    loose = len(up[own]) == 2  # a phalanx may be of a hand or of a foot
    same_limb = up[own][-1] == up[site][-1] == "limb" and (loose or up[own][-2:] == up[site][-2:])
    return up[own][-1] in _PARTS and not same_limb


def _within(one: str, other: str) -> bool:
    up = lexicon().site_ancestors
    return one in up and (other in up[one] or one in up[other])


def _between(clause: Sequence[Match], one: Match, other: Match) -> list[Match]:
    return [m for m in clause if one.last <= m.first and m.last <= other.first]


def _listed(words: Sequence[str], clause: Sequence[Match], one: Match, other: Match) -> bool:
    """Whether nothing but a comma or an `and`, and what describes the second, stands between two findings."""
    between = _between(clause, one, other)
    if any(
        m.kind not in _OWN and m.value not in ("with", "either") and words[m.first] != "nor" for m in between
    ):
        return False
    held = {i for m in between if m.kind in _OWN for i in range(m.first, m.last)}
    plain = [words[i] for i in range(one.last, other.first) if i not in held]
    if plain and plain[0] == "," and words[other.last : other.last + 1] == ("of",):
        return False  # "extravasation, and fractures of the ribs"
    return bool(plain) and plain[0] in (_JOINS | _generic(one, other)) and len(plain) <= _LIST_REACH


def _generic(finding: Match, other: Match) -> frozenset[str]:
    """`a mass with distortion in the right breast`: the place is that of the mass, too, which it gives its name.

    Not so `a mass with displacement of the trachea`.
    """
    own = finding.value in _named_by_place() and other.value.replace(" ", "_") not in role("aside")
    return frozenset({"with"}) if own else frozenset()


@lru_cache(maxsize=1)
def _named_by_place() -> frozenset[str]:
    named = lexicon().compositions
    return frozenset(finding for finding, _ in named) | frozenset(named.values())


def _after_it(got: Modifiers, clause: Sequence[Match], finding: Match) -> Modifiers:
    """Of a finding's modifiers only the place that follows it: `cysts and stones in both kidneys`."""
    after = {m.value for m in clause if m.first >= finding.last}
    side = next((word for word, side in SIDES.items() if side == got.side), None)
    if got.site not in after:
        return Modifiers(side=got.side if got.site is None and side in after else None)
    return Modifiers(side=got.side if side in after else None, site=got.site)


def _doubted(clause: Sequence[Match], finding: Match) -> bool:
    """`…, malignancy cannot be excluded`."""
    return any(m.value == "hedge_back" and 0 <= m.first - finding.last <= 1 for m in clause)


def _evidence(words: Sequence[str], clause: Sequence[Match], one: Match, other: Match) -> bool:
    """Whether the second finding is what the first is taken for: `filling defect consistent with embolism`."""
    between = _between(clause, one, other)
    if words[other.first - 1] == "," and (
        words[other.last : other.last + 1] in _END or _doubted(clause, other)
    ):
        return True  # "a cyst in the left ovary, endometrioma."
    if words[other.first - 1] == "in" and lexicon().findings[other.value].kind == DIAGNOSIS:
        return True  # "a beaded appearance of the left renal artery in fibromuscular dysplasia"
    link = next((m for m in between if m.kind == "cue" and m.value in _LINKS), None)
    return link is not None and other.first - link.last <= _LINK_REACH
