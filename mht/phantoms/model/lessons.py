"""Questions and answers about head CT phantoms for the base model. Every premise is true.

It is asked what is there and says so from the picture: findings, sides, places, grades, oftener with yes.
Whatever a question takes for granted, the answer repeats. Words of the vocabulary are strewn into questions, so that
none is new to it later and a question in other words is still understood.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from mht.knowledge.lexicon import lexicon
from mht.phantoms.model.seen import Seen, be, missing, noun, on_side, place, shown, whole
from mht.phantoms.scene import Scene
from mht.phantoms.truth import LADDERS


class Lesson(NamedTuple):
    """A question and its answer."""

    question: str
    answer: str


IMAGES = (
    "this image",
    "the image",
    "this picture",
    "this study",
    "the study",
    "this scan",
    "the CT image",
    "this CT image",
)
_PRESENCE = (
    "Is there {x}?", "Is there {x} on {image}?", "Does {image} have {x}?", "Does {image} show {x}?",
    "Can one see {x} here?", "Do you find {x}?", "Is {x} there?", "Can {x} be found on {image}?",
)  # fmt: skip
_LEADING = (
    "Here is {x}. Tell me about it.", "Tell me about {x}.", "{image:C} has {x}. Say it in a sentence.",
    "Say something about {x} on {image}.", "Because {image} has {x}, what do you say?", "Please explain {x}.",
    "There is {x}. What is your view?", "As we find {x}, what does the report say?", "Put {x} into a report.",
    "How is {x} described?", "What about {x}?", "Begin a report with {x}.", "Note {x} and go on.",
)  # fmt: skip
_SENTENCE = (
    "There {be} {x}.", "{image:C} shows {x}.", "One can see {x}.", "{x:C} {be} visible.", "The image contains {x}.",
    "{x:C} can be seen on {image}.",
)  # fmt: skip
_CHECK = (
    "Is this sentence right? {s}", "Read this line: {s} Is it fine?", "{s} Is that so?",
    "A student says: {s} Judge it.",
    "Look at this report: {s} Anything wrong?", "The draft: {s} Is it correct?",
)  # fmt: skip
_FINE = ("That is correct: ", "It is right as it is: ", "Nothing to correct: ", "It needs no change: ")
_AGREE = (
    "Do you agree that {image} has {x}?",
    "Would you say so: {image} has {x}?",
    "Is it so that we see {x}?",
    "Is it true to say that there {be} {x}?",
    "Are we right that {image} has {x}?",
    "It seems that there {be} {x}. Is that what you think?",
)
_REPORT = (
    "Describe {image}.", "What does {image} show?", "What is there to see?", "Write a report on {image}.",
    "Report {image}.", "What do you see?",
)  # fmt: skip
SIDE = ("Which side is {x} on?", "On which side is {x}?", "Left or right: {x}?", "Name the side of {x}.")
PLACE = ("Where is {x}?", "Where do you find {x}?", "Give the place of {x}.", "In what place is {x}?")
GRADE = ("How severe is {x}?", "What grade has {x}?", "Give the grade of {x}.", "How large is {x}?")
_CHOICE = (
    "What does {image} show? {o}",
    "Which is right? {o}",
    "Pick one: {o}",
    "Which one fits {image}? {o}",
)
_LETTERS = "ABC"


def lessons(
    scene: Scene,
    rng: random.Random,
    words: Sequence[str],
    wanted: int,
    please: Callable[[random.Random], Lesson] | None = None,
) -> list[Lesson]:
    """So many lessons about a scene; `words` are strewn into half of the questions. `please` gives half of them."""
    made: list[Lesson] = []
    while len(made) < wanted:
        if please is not None and rng.random() < 0.5:
            made.append(please(rng))
        elif rng.random() < _DETAILS:
            made += details(scene, rng)
        else:
            made.append(rng.choices(tuple(_KINDS), tuple(_KINDS.values()))[0](scene, rng))
    return [
        one._replace(question=_strewn(one.question, rng, words)) if rng.random() < 0.5 else one
        for one in made[:wanted]
    ]


def presence(scene: Scene, rng: random.Random) -> Lesson:
    """Whether something is there: it is oftener than not."""
    there, gone = as_called(scene, rng), missing(scene)
    if not gone or (there and rng.random() < _YES):
        seen = rng.choice(there)
        return Lesson(
            _whether(noun(seen.finding), seen.finding, rng), f"Yes. {in_sentence(whole(seen), seen, rng)}"
        )
    finding = rng.choice(gone)
    return Lesson(_whether(noun(finding), finding, rng), f"No. There {be(finding)} no {finding}.")


def _whether(phrase: str, finding: str, rng: random.Random) -> str:
    question = in_question(_PRESENCE, phrase, rng)
    return f"Are{question[2:]}" if be(finding) == "are" and question.startswith("Is ") else question


def details(scene: Scene, rng: random.Random) -> list[Lesson]:
    """Whether something that is there is on that side, of that grade, in that place; and the same of another one."""
    there = [(seen, other) for seen in as_called(scene, rng) for other in otherwise(seen, rng)]
    if not there:
        return [presence(scene, rng)]
    seen, other = rng.choice(there)
    word = rng.choice(_DETAILED[_difference(seen, other)])
    answers = (("Yes", seen), ("No", other))
    return [
        Lesson(
            _whether(word(asked), seen.finding, rng),
            f"{said}. {in_sentence(whole(seen), seen, rng)}",
        )
        for said, asked in answers
    ]


def otherwise(seen: Seen, rng: random.Random) -> Iterator[Seen]:
    """The same with one thing other."""
    if seen.side in ("left", "right"):
        yield replace(seen, side="right" if seen.side == "left" else "left")
    for ladder in LADDERS:
        if seen.severity in ladder:
            yield replace(seen, severity=rng.choice([grade for grade in ladder if grade != seen.severity]))
    if seen.site is not None and (others := lexicon().siblings[seen.site]):
        yield replace(seen, site=rng.choice(others))


def _difference(seen: Seen, other: Seen) -> str:
    return next(name for name in _DETAILED if getattr(seen, name) != getattr(other, name))


def leading(scene: Scene, rng: random.Random) -> Lesson:
    """Something true is taken for granted, and said again."""
    seen, phrase = premise(scene, rng)
    return Lesson(in_question(_LEADING, phrase, rng), in_sentence(phrase, seen, rng))


def check(scene: Scene, rng: random.Random) -> Lesson:
    """A true sentence, found to be right."""
    seen, phrase = premise(scene, rng)
    said = in_sentence(phrase, seen, rng)
    return Lesson(rng.choice(_CHECK).format(s=said), rng.choice(_FINE) + said[:1].lower() + said[1:])


def agree(scene: Scene, rng: random.Random) -> Lesson:
    """A true statement, agreed to."""
    seen, phrase = premise(scene, rng)
    question = in_question([t.replace("{be}", _verb(seen)) for t in _AGREE], phrase, rng)
    return Lesson(question, f"Yes. {in_sentence(phrase, seen, rng)}")


def report(scene: Scene, rng: random.Random) -> Lesson:
    """All that is there, four findings at most."""
    return Lesson(
        in_question(_REPORT, "", rng),
        " ".join(in_sentence(whole(s), s, rng) for s in as_called(scene, rng)[:4]),
    )


def which(scene: Scene, rng: random.Random) -> Lesson:
    """The side, the place or the grade of something that is there; what the question says is said again."""
    asked = [
        (templates, seen, answer) for seen in as_called(scene, rng) for templates, answer in askable(seen)
    ]
    if not asked:
        return presence(scene, rng)
    templates, seen, answer = rng.choice(asked)
    known = seen.side is not None and templates is not SIDE and rng.random() < 0.6
    phrase = f"the {seen.finding} {on_side(str(seen.side))}" if known else f"the {seen.finding}"
    said = f"{answer[:1].upper()}{answer[1:]}. {in_sentence(phrase, seen, rng)}"
    return Lesson(in_question(templates, phrase, rng), said)


def askable(seen: Seen) -> list[tuple[Sequence[str], str]]:
    """What can be asked for, and the answer."""
    answers = (
        (SIDE, on_side(seen.side) if seen.side else ""),
        (PLACE, place(seen) if seen.site else ""),
        (GRADE, seen.severity or ""),
    )
    return [(templates, answer) for templates, answer in answers if answer]


def choice(scene: Scene, rng: random.Random) -> Lesson:
    """A finding that is there among two that are not."""
    gone, there = missing(scene), as_called(scene, rng)
    if len(gone) < 2 or not there:
        return presence(scene, rng)
    seen, at = rng.choice(there), rng.randrange(3)
    options = [noun(finding) for finding in rng.sample(gone, 2)]
    options.insert(at, noun(seen.finding))
    listed = " ".join(
        f"{letter}) {option}" for letter, option in zip("ABCD", [*options, "none of these"], strict=True)
    )
    question = in_question(_CHOICE, "", rng).replace("{o}", f"{listed}.")
    return Lesson(question, f"{_LETTERS[at]}) {options[at]}. {in_sentence(whole(seen), seen, rng)}")


_YES = 0.6
"""Of the questions whether something is there, those about what is."""
_DETAILS = 0.35
"""Of the draws, those that give two lessons on a detail."""
_REGION = 0.35
_KINDS: dict[Callable[[Scene, random.Random], Lesson], float] = {
    presence: 0.34, leading: 0.18, check: 0.09, agree: 0.07, report: 0.07, which: 0.16, choice: 0.09,
}  # fmt: skip


def as_called(scene: Scene, rng: random.Random) -> tuple[Seen, ...]:
    """All that is there; a lobe is called a region now and then."""
    return tuple(
        replace(seen, site=seen.site.replace(" lobe", " region"))
        if seen.site is not None and rng.random() < _REGION
        else seen
        for seen in shown(scene)
    )


def premise(scene: Scene, rng: random.Random) -> tuple[Seen | None, str]:
    """Something true of the scene as a question takes it for granted, with as much as it cares to say."""
    there, gone = as_called(scene, rng), missing(scene)
    if not there or rng.random() < 0.2:
        finding = rng.choice(gone)
        return None, f"no {finding}"
    seen = rng.choice(there)
    return seen, rng.choice(_WORDED)(seen)


def _sided(seen: Seen) -> str:
    side = seen.side if seen.side in ("left", "right") else None
    return noun(f"{seen.finding}", f"{side}-sided") if side else noun(seen.finding)


_DETAILED: dict[str, tuple[Callable[[Seen], str], ...]] = {
    "side": (
        _sided,
        lambda seen: f"{noun(seen.finding)} {on_side(str(seen.side))}",
        lambda seen: f"{noun(seen.finding)} {place(seen)}",
    ),
    "severity": (lambda seen: noun(seen.finding, str(seen.severity)),),
    "site": (
        lambda seen: f"{noun(seen.finding)} {place(replace(seen, side=None))}",
        lambda seen: f"{noun(seen.finding)} {place(seen)}",
    ),
}
_WORDED: tuple[Callable[[Seen], str], ...] = (
    lambda seen: noun(seen.finding),
    lambda seen: f"the {seen.finding}",
    lambda seen: f"{noun(seen.finding)} {on_side(seen.side)}" if seen.side else noun(seen.finding),
    lambda seen: f"the {seen.finding} {on_side(seen.side)}" if seen.side else f"the {seen.finding}",
    lambda seen: f"{noun(seen.finding)} {place(seen)}".strip(),
    lambda seen: f"the {seen.finding} {place(seen)}".strip(),
    lambda seen: noun(seen.finding, seen.severity or ""),
    _sided,
    whole,
)


def in_sentence(phrase: str, seen: Seen | None, rng: random.Random) -> str:
    return _filled(rng.choice(_SENTENCE).replace("{be}", _verb(seen)), phrase, rng)


def _verb(seen: Seen | None) -> str:
    return "is" if seen is None else be(seen.finding)


def in_question(templates: Sequence[str], phrase: str, rng: random.Random) -> str:
    return _filled(rng.choice(templates), phrase, rng)


def _filled(template: str, phrase: str, rng: random.Random) -> str:
    image = rng.choice(IMAGES)
    for mark, words in (("image", image), ("x", phrase)):
        template = template.replace(f"{{{mark}:C}}", words[:1].upper() + words[1:]).replace(
            f"{{{mark}}}", words
        )
    return template


def _strewn(question: str, rng: random.Random, words: Sequence[str]) -> str:
    """The question with a few words before or behind it."""
    some = " ".join(rng.choice(words) for _ in range(rng.randint(1, 6)))
    if rng.random() < 0.5:
        return f"{question} {some}."
    return f"{some[:1].upper()}{some[1:]} {question[:1].lower()}{question[1:]}"
