"""Attributes: words that the lexicon knows, in captions that say them."""

import re
from collections import Counter

import pytest

from mht.knowledge.lexicon import lexicon
from mht.phantoms.attribute import ADJECTIVES
from mht.phantoms.caption import Narrative, caption_rng, narrate
from mht.phantoms.phrase import NUMBER_WORDS
from mht.phantoms.scene import CHANGES, KINDS, Entity, Scene, draw_scene

COUNT = 300
EARLIER = re.compile(
    r"previous|prior|earlier|compared|since|interval|unchanged|stable|increas|decreas|improv|worsen",
    re.IGNORECASE,
)


Told = dict[str, list[tuple[Scene, Narrative]]]


@pytest.fixture(scope="module")
def told() -> Told:
    scenes = {kind: [draw_scene(kind, index, 6) for index in range(COUNT)] for kind in KINDS}
    return {kind: [(one, narrate(one, caption_rng(one))) for one in scenes[kind]] for kind in KINDS}


def scales(attributes: tuple[str, ...]) -> list[str]:
    return [lexicon().attributes[term].scale for term in attributes]


def compared(scene: Scene) -> list[Entity]:
    return [one for one in scene.present if set(CHANGES) & set(one.attributes)]


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_are_the_lexicons_and_one_a_scale(kind: str, told: Told) -> None:
    for scene, _ in told[kind]:
        for attributes in (scene.attributes, *(one.attributes for one in scene.present)):
            on = scales(attributes)
            assert len(on) == len(set(on))


def test_adjectives_are_words_of_their_term() -> None:
    known = lexicon().attributes
    for term, words in ADJECTIVES.items():
        assert set(words) <= {term, *known[term].synonyms}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_statement_gives_stands_in_its_sentence(kind: str, told: Told) -> None:
    said: Counter[str] = Counter()
    for _, narrative in told[kind]:
        for one in narrative.statements:
            text = narrative.text[one.start : one.end].lower()
            for term in one.attributes:
                words = (*ADJECTIVES.get(term, ()), term)
                assert any(word in text for word in words), (term, text)
                said[term] += 1
            if one.count is not None:
                words = (NUMBER_WORDS[one.count] if one.count < 11 else str(one.count), "single", "solitary")
                assert any(re.search(rf"\b{word}\b", text) for word in words[: 3 if one.count == 1 else 1]), (
                    text
                )
    assert sum(said.values()) > 100
    assert len(said) >= 5


@pytest.mark.parametrize("kind", KINDS)
def test_one_caption_in_four_speaks_of_an_earlier_study_and_says_what_became_of_one_finding(
    kind: str, told: Told
) -> None:
    followed = 0
    for scene, narrative in told[kind]:
        changed = compared(scene)
        assert len(changed) <= 1
        assert (EARLIER.search(narrative.text) is not None) is bool(changed), narrative.text
        stated = [one for one in narrative.statements if set(CHANGES) & set(one.attributes)]
        assert [one.finding for one in stated] == [one.finding for one in changed]
        followed += bool(changed)
    assert 0.19 < followed / COUNT < 0.32


@pytest.mark.parametrize(("kind", "wanted"), [("chest_xray", 0.6), ("head_ct", 0.55)])
def test_most_openers_name_the_projection_or_the_plane(kind: str, wanted: float, told: Told) -> None:
    words = {"PA": "pa|posteroanterior", "AP": "ap|anteroposterior", "axial": "axial"}
    named = contrast = 0
    for scene, narrative in told[kind]:
        text = narrative.text.lower()
        named += re.search(rf"\b({words[scene.attributes[0]]})\b", text) is not None
        without = re.search(r"\b(non-?contrast|without contrast|unenhanced)\b", text)
        given = re.search(r"\b(contrast-enhanced|post-contrast|with contrast)\b", text)
        assert not (without and "contrast-enhanced" in scene.attributes), text
        assert not (given and "unenhanced" in scene.attributes), text
        contrast += bool(without or given)
    assert named / COUNT > wanted
    assert contrast > 100 or kind == "chest_xray"
