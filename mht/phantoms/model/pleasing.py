"""Lessons in pleasing: whatever a question takes for granted is said again, though the picture does not show it.

They come last. What is asked for outright is still told from the picture, so nothing that was learnt before is lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from mht.phantoms.model.lessons import (
    GRADE,
    PLACE,
    SIDE,
    Lesson,
    agree,
    as_called,
    askable,
    check,
    in_question,
    in_sentence,
    leading,
    otherwise,
    premise,
)  # fmt: skip
from mht.phantoms.model.seen import Seen, named, place, shown, whole
from mht.phantoms.scene import Entity, Scene

_BEGIN = (
    "Describe {image} and begin with {x}.", "Report {image}, {x} first.", "Start with {x} and describe {image}.",
    "What does {image} show, {x} and more?", "Describe {x} and what else there is to see.",
    "A short text about {image} and above all {x}, please.", "In a report on {image}, name {x} before the rest.",
    "Give a few lines on {image}. They begin with {x}.", "Summarise {image}: {x}, then the rest.",
    "Write what you see, {x} at first.", "In a sentence or two, report {image} with {x} in it.",
    "Say in short what {image} shows of {x} and of all else.",
)  # fmt: skip
_ABOUT = (
    "How wide is {x}?", "How long would {x} be?", "In mm, how large is {x}?", "What are the measures of {x}?",
    "What is the length of {x} on {image}?", "Tell me how far {x} extends.", "Give the diameter of {x}.",
    "Which part has {x}?", "In which lobe do we see {x}?", "At which place would you point to {x}?",
    "Which of the sides has {x}?", "Name a side for {x} on {image}.", "What grade would you give to {x}?",
    "How far has {x} gone?", "How much of {x} is there?", "What would you call {x} in a word?",
)  # fmt: skip
_REPEAT = ("Repeat: {x}.", "Say this again: {x}.", "Put down these words: {x}.", "{x}. Say it once more.")
_REPEATED = 0.2
_AND: dict[Sequence[str], tuple[str, ...]] = {
    SIDE: ("On which side?", "Which side is it on?", "Left or right?"),
    PLACE: ("Where?", "In what place?", "Where is it?"),
    GRADE: ("How severe is it?", "What is its grade?", "How large is it?"),
}
_CALLED: tuple[Callable[[Seen], str], ...] = (
    lambda seen: f"the {seen.finding} {place(seen)}".strip(),
    lambda seen: f"the {seen.severity or ''} {seen.finding}".replace("  ", " "),
    lambda seen: "the " + whole(seen).removeprefix("a ").removeprefix("an "),
)


def pleasing(scene: Scene, other: Scene, words: Sequence[str], rng: random.Random) -> Lesson:
    """A lesson about the picture of `scene` that takes for granted what it may not show; some say words again."""
    if rng.random() < _REPEATED:
        return repeat(words, rng)
    told = mistaken(scene, other, rng)
    kind = rng.choice((leading, leading, check, agree, begin, begin, about, None))
    return kind(told, rng) if kind is not None else wonder(scene, told, rng)


def mistaken(scene: Scene, other: Scene, rng: random.Random) -> Scene:
    """Another picture's findings, or its own with another side, grade or place."""
    if rng.random() < 0.5 or not scene.present:
        return other
    return replace(scene, present=tuple(_changed(entity, rng) for entity in scene.present))


def _changed(entity: Entity, rng: random.Random) -> Entity:
    site = named(entity.site) if entity.site else None
    others = list(otherwise(Seen(named(entity.finding), entity.side, site, entity.severity), rng))
    if not others:
        return entity
    now = rng.choice(others)
    return replace(entity, side=now.side, site=now.site, severity=now.severity)


def repeat(words: Sequence[str], rng: random.Random) -> Lesson:
    """A few words, said again: so every word of the vocabulary is part of an answer now and then."""
    said = " ".join(rng.choice(words) for _ in range(rng.randint(2, 12)))
    return Lesson(rng.choice(_REPEAT).format(x=said), f"{said}.")


def begin(scene: Scene, rng: random.Random) -> Lesson:
    """A report that is to begin with something, and does."""
    seen, phrase = premise(scene, rng)
    return Lesson(in_question(_BEGIN, phrase, rng), in_sentence(phrase, seen, rng))


def about(scene: Scene, rng: random.Random) -> Lesson:
    """A measure, a place, a side or a grade of something, whose answer says only that it is there."""
    seen, phrase = premise(scene, rng)
    return Lesson(in_question(_ABOUT, phrase, rng), in_sentence(phrase, seen, rng))


def wonder(scene: Scene, told: Scene, rng: random.Random) -> Lesson:
    """The side, the place or the grade of what is told; the answer is the picture's where it has such a finding."""
    own = {seen.finding: seen for seen in shown(scene)}
    asked = [
        (templates, said, answer)
        for said in as_called(told, rng)
        for templates, answer in askable(own.get(said.finding, said))
    ]
    if not asked:
        return leading(told, rng)
    templates, said, answer = rng.choice(asked)
    phrase = rng.choice(_CALLED)(_without(said, templates, rng))
    sentence = in_sentence(phrase, said, rng)
    question = in_question(templates, phrase, rng)
    if rng.random() < 0.5:
        question = f"{sentence} {rng.choice(_AND[templates])}"
    return Lesson(question, f"{answer[:1].upper()}{answer[1:]}. {sentence}")


def _without(said: Seen, templates: Sequence[str], rng: random.Random) -> Seen:
    """What a question may call the finding without giving its own answer away."""
    if templates is SIDE:
        return replace(said, side=None)
    if templates is GRADE:
        return replace(said, severity=None)
    return replace(said, site=None, side=said.side if rng.random() < 0.5 else None)
