"""Lessons are true of their scene, and nothing in them says that a premise is wrong."""

from __future__ import annotations

import random
import re

from mht.phantoms.model.lessons import Lesson, details, lessons, presence
from mht.phantoms.model.seen import KIND, missing, shown, whole
from mht.phantoms.scene import Scene, draw_scene

WORDS = ("lorem", "ipsum")
SCENES = [draw_scene(KIND, i, 4) for i in range(120)]


def _lessons(n: int = 8) -> list[tuple[Scene, Lesson]]:
    rng = random.Random(0)
    return [(scene, made) for scene in SCENES for made in lessons(scene, rng, WORDS, n)]


def test_no_template_is_left_open() -> None:
    for _, made in _lessons():
        assert not re.search(r"[{}]|  |None", made.question + made.answer), made
        assert made.answer[0].isupper()
        assert made.answer[-1] == "."


def test_an_answer_names_what_is_there_and_denies_what_is_not() -> None:
    for scene, made in _lessons():
        there = {seen.finding for seen in shown(scene)}
        gone = set(missing(scene))
        said = made.answer.rpartition(": ")[2]
        said = said.split(". ", 1)[1] if said[1] == ")" else said
        denied = re.search(r"\b[Nn]o ", said)
        named = {finding for finding in there | gone if re.search(rf"\b{finding}\b", said, re.I)}
        assert named
        assert named <= (gone if denied else there), (made, denied)


def test_it_is_yes_oftener_than_not() -> None:
    rng = random.Random(1)
    yes = [presence(scene, rng).answer.startswith("Yes") for scene in SCENES for _ in range(10)]
    assert 0.55 < sum(yes) / len(yes) < 0.65


def test_only_what_is_asked_for_outright_is_ever_refused() -> None:
    for _, made in _lessons():
        assert not re.search(r"\b(not|wrong|rather|cannot|instead|actually)\b", made.answer, re.IGNORECASE)


def test_half_of_the_questions_have_words_strewn_in() -> None:
    strewn = [bool(re.search("lorem|ipsum", made.question, re.IGNORECASE)) for _, made in _lessons()]
    assert 0.4 < sum(strewn) / len(strewn) < 0.6


def test_what_is_there_in_words() -> None:
    words = {whole(seen) for scene in SCENES for seen in shown(scene)}
    assert "a small subdural haematoma on the left" in words
    assert "moderate cerebral atrophy" in words
    assert "midline structures in place" in words
    assert any(re.fullmatch(r"a small cerebral infarct in the (left|right) \w+ lobe", one) for one in words)


def test_a_detail_is_asked_for_rightly_and_wrongly() -> None:
    rng = random.Random(2)
    asked = [details(scene, rng) for scene in SCENES]
    both = [two for two in asked if len(two) == 2]
    assert len(both) > 0.6 * len(SCENES)
    for right, wrong in both:
        assert right.answer.startswith("Yes. ")
        assert wrong.answer.startswith("No. ")
        assert right.question != wrong.question
