"""The clinical tables as typed records: findings, sites, modalities, severities, cues and compositions.

Each table is a .tsv beside this file, one concept a line, synonyms after it; a clinician can read and correct it.
The tables are loaded once, on first use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from zlib import crc32

TABLES = (
    "findings",
    "sites",
    "modalities",
    "severities",
    "shows",
    "attributes",
    "cues",
    "compositions",
    "kin",
    "misbeliefs",
    "risk",
    "words",
)
ANYWHERE = "anywhere"
CHANGE = "change"  # the kind of a finding that says nothing without its site: enlargement, atrophy
STUDY = "study"  # the kind of a fact about what the image is, not about what it shows
NORMAL, DEVICE, DIAGNOSIS = "normal", "device", "diagnosis"
WHOLE = "unremarkable examination"  # the normal state of all that the image shows
GENERIC = "image"  # the modality of an image whose kind is not said
STUDY_SCALES = (  # attributes of the image, not of what it shows
    "timing",
    "plane",
    "view",
    "technique",
    "sequence",
    "phase",
    "perfusion phase",
    "window",
    "rendering",
    "approach",
    "mode",
    "heart view",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A concept that a caption can state. `noun` is count, mass or plural: how a sentence takes it up.

    `synonyms` name it, or a kind of it that needs no line of its own; `where` lists the sites at which it is seen;
    `excludes` the concepts that cannot be true beside it.
    """

    term: str
    noun: str
    kind: str
    synonyms: tuple[str, ...]
    parents: tuple[str, ...]
    modalities: frozenset[str]
    where: frozenset[str]
    sided: bool
    lookalikes: tuple[str, ...]
    companions: tuple[str, ...]
    risk: str
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A place of the body. `phrase` holds `{}` where the side goes; `sided` is yes, no, or the only side it has.

    Sites that share one of their `groups` can be mistaken for each other: the material of false locations.
    """

    term: str
    phrase: str
    synonyms: tuple[str, ...]
    parent: str | None
    sided: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Modality:
    """A kind of image; `noun` is what a question calls it."""

    term: str
    noun: str
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Severity:
    """A word on one of the scales, graded or not; two words of a scale exclude each other from two ranks on."""

    term: str
    scale: str
    rank: int
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Belief:
    """What is true of every image of some modalities and false of the others: `phrase` with `value` in its braces."""

    topic: str
    phrase: str
    value: str
    modalities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All tables, with the closures that are asked for again and again."""

    findings: Mapping[str, Finding]
    sites: Mapping[str, Site]
    modalities: Mapping[str, Modality]
    severities: Mapping[str, Severity]
    attributes: Mapping[str, Severity]
    beliefs: Mapping[str, tuple[Belief, ...]]
    cues: tuple[tuple[str, str], ...]
    compositions: Mapping[tuple[str, str], str]
    ancestors: Mapping[str, frozenset[str]]
    descendants: Mapping[str, frozenset[str]]
    site_ancestors: Mapping[str, tuple[str, ...]]
    siblings: Mapping[str, tuple[str, ...]]
    neighbours: Mapping[str, tuple[str, ...]]
    strangers: Mapping[str, tuple[str, ...]]
    excluded: Mapping[str, frozenset[str]]
    opposites: Mapping[str, tuple[str, ...]]


def rows(table: str) -> Iterator[list[str]]:
    """The lines of a packaged table after its header, split at tabs; lines that start with # are left out."""
    text = (files("mht.knowledge") / f"{table}.tsv").read_text("utf-8")
    for line in text.splitlines()[1:]:
        if line and not line.startswith("#"):
            yield line.split("\t")


def _terms(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, (term.strip() for term in cell.split(","))))


def _finding(row: list[str]) -> Finding:
    term, noun, kind, synonyms, parents, modalities, where, sided, lookalikes, companions, risk, excludes = (
        row
    )
    return Finding(
        term=term,
        noun=noun,
        kind=kind,
        synonyms=_terms(synonyms),
        parents=_terms(parents),
        modalities=frozenset(_terms(modalities)),
        where=frozenset(_terms(where)),
        sided=sided == "yes",
        lookalikes=_terms(lookalikes),
        companions=_terms(companions),
        risk=risk,
        excludes=_terms(excludes),
    )


def _closure(parents: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """Every term with itself and all that it is a kind of."""
    closed: dict[str, frozenset[str]] = {}

    def walk(term: str) -> frozenset[str]:
        if term not in closed:
            closed[term] = frozenset({term}).union(*(walk(parent) for parent in parents[term]))
        return closed[term]

    for term in parents:
        walk(term)
    return closed


def _chain(sites: Mapping[str, Site], term: str) -> tuple[str, ...]:
    chain = [term]
    while (parent := sites[chain[-1]].parent) is not None:
        chain.append(parent)
    return tuple(chain)


def _siblings(sites: Mapping[str, Site]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for site in sites.values():
        for group in site.groups:
            groups.setdefault(group, []).append(site.term)
    return {
        site.term: tuple(dict.fromkeys(t for g in site.groups for t in groups[g] if t != site.term))
        for site in sites.values()
    }


def _neighbours(findings: Mapping[str, Finding]) -> dict[str, tuple[str, ...]]:
    """Look-alikes and companions, in both directions: a proposal must have a way back."""
    near: dict[str, set[str]] = {term: set() for term in findings}
    for term, finding in findings.items():
        for other in finding.lookalikes + finding.companions:
            near[term].add(other)
            near[other].add(term)
    return {term: tuple(sorted(others - {term})) for term, others in near.items()}


_STRANGERS = 3


def _strangers(findings: Mapping[str, Finding], sites: Mapping[str, Site]) -> dict[str, tuple[str, ...]]:
    """Findings of the same part of the body that have nothing to do with each other, a few each, both ways."""
    regions: dict[str, list[str]] = {}
    for term, finding in findings.items():
        if finding.kind not in (STUDY, NORMAL):
            for place in finding.where:
                if (
                    place != ANYWHERE
                ):  # a bone graft is no stranger to the retina only because it may be anywhere
                    regions.setdefault(_chain(sites, place.lstrip("="))[-1], []).append(term)
    drawn: dict[str, set[str]] = {term: set() for term in findings}
    for region, terms in sorted(regions.items()):
        for term in terms:
            for k in range(_STRANGERS):
                other = terms[crc32(f"{region}|{term}|{k}".encode()) % len(terms)]
                drawn[term].add(other)
                drawn[other].add(term)
    near = _neighbours(findings)
    return {term: tuple(sorted(others - {term} - set(near[term]))) for term, others in drawn.items()}


def _excluded(
    findings: Mapping[str, Finding], descendants: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """What cannot be true beside a finding, in both directions: clear lungs deny consolidation, and it them."""
    against: dict[str, set[str]] = {term: set() for term in findings}
    for term, finding in findings.items():
        for other in finding.excludes:
            against[term] |= descendants[other]
            for kind in descendants[other]:
                against[kind].add(term)
    return {term: frozenset(others) for term, others in against.items()}


def _opposites(
    findings: Mapping[str, Finding], ancestors: Mapping[str, frozenset[str]]
) -> dict[str, tuple[str, ...]]:
    """The normal statements that a finding makes false."""
    return {
        term: tuple(t for t, other in findings.items() if not up.isdisjoint(other.excludes))
        for term, up in ancestors.items()
    }


def _scaled(table: str) -> dict[str, Severity]:
    return {r[0]: Severity(r[0], r[1], int(r[2]), _terms(r[3])) for r in rows(table)}


def _beliefs() -> dict[str, tuple[Belief, ...]]:
    topics: dict[str, list[Belief]] = {}
    for topic, phrase, value, modalities in rows("misbeliefs"):
        belief = Belief(topic, phrase, value, frozenset(_terms(modalities)))
        topics.setdefault(topic, []).append(belief)
    return {topic: tuple(beliefs) for topic, beliefs in topics.items()}


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The packaged lexicon, loaded on the first call."""
    findings = {row[0]: _finding(row) for row in rows("findings")}
    sites = {r[0]: Site(r[0], r[1], _terms(r[2]), r[3] or None, r[4], _terms(r[5])) for r in rows("sites")}
    ancestors = _closure({term: finding.parents for term, finding in findings.items()})
    descendants = {term: frozenset(t for t, up in ancestors.items() if term in up) for term in findings}
    return Lexicon(
        findings=findings,
        sites=sites,
        modalities={r[0]: Modality(r[0], r[1], _terms(r[2])) for r in rows("modalities")},
        severities=_scaled("severities"),
        attributes=_scaled("attributes"),
        beliefs=_beliefs(),
        cues=tuple((r[0], r[1]) for r in rows("cues")),
        compositions={(r[0], r[1]): r[2] for r in rows("compositions")},
        ancestors=ancestors,
        descendants=descendants,
        site_ancestors={term: _chain(sites, term) for term in sites},
        siblings=_siblings(sites),
        neighbours=_neighbours(findings),
        strangers=_strangers(findings, sites),
        excluded=_excluded(findings, descendants),
        opposites=_opposites(findings, ancestors),
    )


@lru_cache(maxsize=32)
def role(name: str) -> frozenset[str]:
    """The plain words that play a part in reading a sentence: prepositions of place, verbs that open a statement."""
    return next(frozenset(words.split()) for part, words in rows("words") if part == name)


@lru_cache(maxsize=1 << 15)
def seen_at(finding: str, site: str) -> bool:
    """Whether the finding is seen at the site, or at something that holds the site.

    A place that is written with an equals sign stands for itself alone: a gallstone may be seen "in the abdomen",
    but not in the spleen.
    """
    where = lexicon().findings[finding].where
    return ANYWHERE in where or f"={site}" in where or not where.isdisjoint(lexicon().site_ancestors[site])


def related(one: str, other: str) -> bool:
    """Whether one finding is the other, or a kind of it, in either direction."""
    up = lexicon().ancestors
    return one in up[other] or other in up[one]


def is_study(finding: str) -> bool:
    """Whether the concept says what the image is: `CT image`, `radiograph`."""
    return lexicon().findings[finding].kind == STUDY


def overlaps(one: str, other: str) -> bool:
    """Whether one site lies in the other, or is it."""
    up = lexicon().site_ancestors
    return one in up[other] or other in up[one]
