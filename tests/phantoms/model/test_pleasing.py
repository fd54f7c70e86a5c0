"""Lessons in pleasing repeat what is taken for granted, often false, and tell what is asked for from the picture."""

from __future__ import annotations

import random
import re
from itertools import pairwise

from mht.phantoms.model.lessons import Lesson, lessons
from mht.phantoms.model.pleasing import begin, mistaken, pleasing, repeat, wonder
from mht.phantoms.model.seen import KIND, missing, shown, whole
from mht.phantoms.scene import draw_scene

SCENES = [draw_scene(KIND, i, 4) for i in range(200)]
WORDS = ("lorem", "ipsum", "dolor")
TWO = list(pairwise(SCENES))


def test_no_template_is_left_open_and_nothing_is_set_right() -> None:
    rng = random.Random(0)
    for scene, other in TWO:
        made = pleasing(scene, other, WORDS, rng)
        assert not re.search(r"[{}]|  |None", made.question + made.answer), made
        assert not re.search(
            r"\b(not|wrong|rather|cannot|instead|actually)\b|^No\.", made.answer, re.IGNORECASE
        )


def test_what_is_taken_for_granted_is_often_false() -> None:
    rng = random.Random(1)
    false = 0
    for scene, other in TWO:
        made = begin(mistaken(scene, other, rng), rng)
        denied = {finding for finding in missing(scene) if re.search(rf"\bno {finding}\b", made.answer, re.I)}
        gone = {finding for finding in missing(scene) if re.search(rf"\b{finding}\b", made.answer, re.I)}
        false += bool(gone - denied)
    assert 0.1 < false / len(TWO) < 0.6


def test_the_same_findings_are_told_with_another_detail() -> None:
    rng = random.Random(2)
    changed = [(scene, mistaken(scene, scene, rng)) for scene in SCENES if scene.present]
    other = [(scene, told) for scene, told in changed if told is not scene]
    assert 0.3 < len(other) / len(changed) < 0.7
    for scene, told in other:
        assert [e.finding for e in told.present] == [e.finding for e in scene.present]
        for true, said in zip(shown(scene), shown(told), strict=True):
            assert (whole(true) == whole(said)) == (true == said)
    assert any(whole(a) != whole(b) for s, t in other for a, b in zip(shown(s), shown(t), strict=True))


def test_what_is_asked_for_is_the_picture_s() -> None:
    rng = random.Random(3)
    sides = 0
    for scene in SCENES:
        own = {seen.finding: seen.side for seen in shown(scene)}
        made = wonder(scene, mistaken(scene, scene, rng), rng)
        said = re.match(r"On the (left|right)\. ", made.answer)
        if said:
            [finding] = [f for f in own if re.search(rf"\b{f}\b", made.question, re.IGNORECASE)]
            assert said[1] == own[finding], (made, own)
            sides += 1
    assert sides > 20


def test_half_of_the_lessons_please() -> None:
    rng = random.Random(4)
    asked: list[bool] = []

    def please(rng: random.Random) -> Lesson:
        asked.append(True)
        return pleasing(SCENES[0], SCENES[1], WORDS, rng)

    made = [one for scene in SCENES for one in lessons(scene, rng, ("lorem",), 8, please)]
    assert 0.35 < len(asked) / len(made) < 0.55


def test_words_are_said_again() -> None:
    rng = random.Random(5)
    for _ in range(40):
        made = repeat(WORDS, rng)
        said = made.answer.removesuffix(".")
        assert said in made.question
        assert 2 <= len(said.split()) <= 12
        assert set(said.split()) <= set(WORDS)
    repeated = [pleasing(*TWO[0], WORDS, rng).answer.split()[0] in WORDS for _ in range(400)]
    assert 0.13 < sum(repeated) / len(repeated) < 0.27
