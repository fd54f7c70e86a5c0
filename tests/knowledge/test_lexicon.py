"""The tables are whole: every reference resolves, no term has two meanings, every term can be reached."""

from __future__ import annotations

from collections import defaultdict

import pytest

from mht.catalog import names
from mht.knowledge.fingerprint import version
from mht.knowledge.lexicon import ANYWHERE, is_study, lexicon, overlaps, related, role, rows, seen_at
from mht.knowledge.risk import LEVELS, risk_of
from mht.knowledge.spelling import normal_words
from mht.knowledge.vocabulary import concept, find


def test_size_of_the_tables() -> None:
    lex = lexicon()
    assert sum(not is_study(term) for term in lex.findings) >= 250
    assert len(lex.sites) >= 120
    assert len(lex.modalities) >= 10


def test_every_reference_of_a_finding_resolves() -> None:
    lex = lexicon()
    for finding in lex.findings.values():
        named = (*finding.parents, *finding.lookalikes, *finding.companions, *finding.excludes)
        assert set(named) <= set(lex.findings), finding.term
        assert finding.term not in named, finding.term
        assert {place.lstrip("=") for place in finding.where - {ANYWHERE}} <= set(lex.sites), finding.term
        assert finding.where, finding.term
        assert finding.modalities, finding.term
        assert finding.modalities <= set(lex.modalities), finding.term
        assert finding.noun in ("count", "mass", "plural"), finding.term
        assert finding.risk in LEVELS, finding.term


def test_every_reference_of_a_site_and_a_composition_resolves() -> None:
    lex = lexicon()
    for site in lex.sites.values():
        assert site.parent is None or site.parent in lex.sites, site.term
        assert site.sided in ("yes", "no", "left", "right"), site.term
        assert ("{}" in site.phrase) or site.sided in ("no", "left", "right"), site.term
    for (finding, site), special in lex.compositions.items():
        assert finding in lex.findings
        assert site.lstrip("=") in lex.sites
        assert special in lex.findings


def test_every_kin_is_a_finding_and_no_kind_of_the_other() -> None:
    for one, other, why in rows("kin"):
        assert not related(one, other), (one, other)
        assert why


def test_no_term_has_two_meanings() -> None:
    lex = lexicon()
    meanings: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for table in (lex.findings, lex.sites, lex.severities, lex.modalities):
        for term, entry in table.items():
            if table is lex.findings and is_study(term):
                continue
            spoken = entry.noun if table is lex.modalities else term
            for name in (spoken, *entry.synonyms):
                meanings[normal_words(name)].add(term)
    assert {words: terms for words, terms in meanings.items() if len(terms) > 1} == {}


def test_every_term_and_synonym_is_read_as_its_concept() -> None:
    lex = lexicon()
    for table, kind in ((lex.findings, "finding"), (lex.sites, "site"), (lex.severities, "severity")):
        for term, entry in table.items():
            if kind == "finding" and is_study(term):
                continue
            for name in (term, *entry.synonyms):
                assert concept(name) == (kind, term), name


def test_no_line_is_written_twice() -> None:
    for table in ("findings", "sites", "modalities", "severities", "cues"):
        first = [row[0] for row in rows(table)]
        assert len(first) == len(set(first)), table


def test_spelling_and_number_do_not_matter() -> None:
    assert concept("haemorrhages") == concept("hemorrhage") == ("finding", "haemorrhage")
    assert concept("the oesophagus") == concept("esophagus")
    assert concept("Metastases") == ("finding", "metastasis")
    assert concept("unheard of") is None


def test_the_longest_term_wins() -> None:
    found = find(normal_words("left ventricular hypertrophy and a left ventricular shunt"))
    assert [(m.kind, m.value) for m in found if m.kind == "finding"] == [
        ("finding", "hypertrophic cardiomyopathy"),
        ("finding", "ventriculoperitoneal shunt"),
    ]


def test_where_a_finding_is_seen() -> None:
    assert seen_at("gallstone", "gallbladder")
    assert seen_at("gallstone", "abdomen")
    assert not seen_at("gallstone", "spleen")
    assert not seen_at("pneumothorax", "kidney")
    assert overlaps("lower lobe", "lung")
    assert not overlaps("lower lobe", "upper lobe")


def test_plain_words_have_their_roles() -> None:
    assert "in" in role("within")
    assert "is" in role("verb")


@pytest.mark.parametrize("type_", names("perturbations"))
def test_every_base_level_has_a_rule_for_every_type(type_: str) -> None:
    lines = [(base, risk, rule) for base, of, risk, rule in rows("risk") if of == type_]
    assert [base for base, _, _ in lines] == list(LEVELS)
    levels = [LEVELS.index(risk) for _, risk, _ in lines]
    assert levels == sorted(levels), "a graver finding never makes an edit less grave"
    assert len({rule for _, _, rule in lines}) == len(LEVELS)


def test_the_gravest_finding_decides_on_the_risk() -> None:
    assert risk_of("laterality", "scoliosis", "pneumothorax") == ("critical", "wrong side of an emergency")
    assert risk_of("a type to come", "pneumothorax") == ("critical", "base level of the finding: critical")


def test_the_version_is_stable_and_short() -> None:
    assert version() == version()
    assert len(version()) == 16
