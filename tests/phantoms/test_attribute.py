"""Attributes: words that the lexicon knows, in captions that say them."""

import re
from collections import Counter

import pytest

from mht.knowledge.lexicon import lexicon
from mht.phantoms.attribute import ADJECTIVES
from mht.phantoms.caption import caption_rng, narrate
from mht.phantoms.phrase import NUMBER_WORDS
from mht.phantoms.scene import CHANGES, KINDS, Entity, Scene, draw_scene

EARLIER = re.compile(
    r"previous|prior|earlier|compared|since|interval|unchanged|stable|increas|decreas|improv|worsen",
    re.IGNORECASE,
)


def scales(attributes: tuple[str, ...]) -> list[str]:
    return [lexicon().attributes[term].scale for term in attributes]


def compared(scene: Scene) -> list[Entity]:
    return [one for one in scene.present if set(CHANGES) & set(one.attributes)]


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_are_the_lexicons_and_one_a_scale(kind: str) -> None:
    for index in range(400):
        scene = draw_scene(kind, index, 6)
        for attributes in (scene.attributes, *(one.attributes for one in scene.present)):
            told = scales(attributes)
            assert len(told) == len(set(told))


def test_adjectives_are_words_of_their_term() -> None:
    known = lexicon().attributes
    for term, words in ADJECTIVES.items():
        assert set(words) <= {term, *known[term].synonyms}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_statement_gives_stands_in_its_sentence(kind: str) -> None:
    said: Counter[str] = Counter()
    for index in range(500):
        scene = draw_scene(kind, index, 6)
        told = narrate(scene, caption_rng(scene))
        for one in told.statements:
            text = told.text[one.start : one.end].lower()
            for term in one.attributes:
                words = (*ADJECTIVES.get(term, ()), term)
                assert any(word in text for word in words), (term, text)
                said[term] += 1
            if one.count is not None:
                words = (NUMBER_WORDS[one.count] if one.count < 11 else str(one.count), "single", "solitary")
                assert any(re.search(rf"\b{word}\b", text) for word in words[: 3 if one.count == 1 else 1]), (
                    text
                )
    assert sum(said.values()) > 150
    assert len(said) >= 5


@pytest.mark.parametrize("kind", KINDS)
def test_one_caption_in_four_speaks_of_an_earlier_study_and_says_what_became_of_one_finding(
    kind: str,
) -> None:
    followed = 0
    for index in range(600):
        scene = draw_scene(kind, index, 6)
        told = narrate(scene, caption_rng(scene))
        changed = compared(scene)
        assert len(changed) <= 1
        assert (EARLIER.search(told.text) is not None) is bool(changed), told.text
        stated = [one for one in told.statements if set(CHANGES) & set(one.attributes)]
        assert [one.finding for one in stated] == [one.finding for one in changed]
        followed += bool(changed)
    assert 0.19 < followed / 600 < 0.32


@pytest.mark.parametrize(("kind", "wanted"), [("chest_xray", 0.6), ("head_ct", 0.55)])
def test_most_openers_name_the_projection_or_the_plane(kind: str, wanted: float) -> None:
    words = {"PA": "pa|posteroanterior", "AP": "ap|anteroposterior", "axial": "axial"}
    named = contrast = 0
    for index in range(300):
        scene = draw_scene(kind, index, 6)
        text = narrate(scene, caption_rng(scene)).text.lower()
        named += re.search(rf"\b({words[scene.attributes[0]]})\b", text) is not None
        without = re.search(r"\b(non-?contrast|without contrast|unenhanced)\b", text)
        given = re.search(r"\b(contrast-enhanced|post-contrast|with contrast)\b", text)
        assert not (without and "contrast-enhanced" in scene.attributes), text
        assert not (given and "unenhanced" in scene.attributes), text
        contrast += bool(without or given)
    assert named / 300 > wanted
    assert contrast > 100 or kind == "chest_xray"
