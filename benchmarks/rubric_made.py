"""Replies made false in one thing beside the true ones: the offline judge learns from some and is held to others.

`mht.perturbations` says what is false: another side, length, number, grade, place or finding in a fact of the text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.rubric_fit import VERBATIM, Row
from mht.catalog import load
from mht.evaluation.judges import Asked
from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import is_study, lexicon, seen_at
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import FINDING, SIDE, SIZE, with_value
from mht.pairing.phrases import describe
from mht.records import Edit, Fact, Reading

KINDS = (
    "laterality", "size", "count", "severity", "attribute", "location", "existence", "diagnosis_leap"
)  # fmt: skip
FINDINGS = ("existence", "diagnosis_leap")
OPEN = "What does the image show?"
TRUE, RESTATED = (8.0, 8.0, 6.0, 9.0), (9.0, 9.0, 7.0, 10.0)
OTHERWISE, SUBSTITUTED = (2.0, 2.0, 4.0, 3.0), (3.0, 3.0, 4.0, 4.0)
"""What the released judge gives to short true replies (its median), to those with another side or length (its medians
are 1 2 4 3 and 1 1 3 3), and near the lowest quarter of what it gives where all abnormal findings are others.
"""
WEIGHT = 0.5
SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)
LENGTH = re.compile(r"\d*\.?\d+(?=(?:\s*[x×]\s*\d*\.?\d+)*\s*-?\s*(?:mm|cm)\b)")
_SENTENCE = re.compile(r"[^.!?]+(?:[.!?](?=\d)[^.!?]*)*[.!?]*")


@dataclass(frozen=True, slots=True)
class Contrast:
    """A sentence and two statements about one of its facts; `edited` is the sentence itself with the false thing in
    it, None where its wording does not allow that.
    """

    kind: str
    truth: str
    true: str
    false: str
    edited: str | None


def contrasts(text: str, rng: random.Random) -> Iterator[Contrast]:
    """One for each kind of falsehood that each stated finding of the text allows, in the order of the text."""
    for sentence in _SENTENCE.findall(text):
        reading = read_facts(sentence.strip())
        for i, fact in enumerate(reading.facts):
            if fact.presence != PRESENT or is_study(fact.finding):
                continue
            for kind in KINDS:
                edit = _drawn(kind, reading, i, rng)
                if edit is not None:
                    true, false = (f"The image shows {describe(f)}." for f in (fact, falsified(fact, edit)))
                    yield Contrast(kind, reading.caption, true, false, edited(reading.caption, fact, edit))


def _drawn(kind: str, reading: Reading, fact: int, rng: random.Random) -> Edit | None:
    module = load("perturbations", kind)
    made: Edit | None = module.perturb(reading, fact, rng, module.Params())
    return made


def falsified(fact: Fact, edit: Edit) -> Fact:
    """The fact with the edit's value; another finding keeps a place and side that it can have, and nothing else."""
    if edit.slot != FINDING:
        return with_value(fact, edit.slot, edit.after)
    side = fact.side if lexicon().findings[edit.after].sided else None
    site = fact.site if fact.site and seen_at(edit.after, fact.site) else None
    return Fact(edit.after, fact.text, fact.start, fact.end, fact.presence, side, site)


def edited(text: str, fact: Fact, edit: Edit) -> str | None:
    """The text with the false value where the true one stands; None where it does not stand there in those words."""
    if edit.slot == SIDE:
        return SIDES.sub(_other, text)
    if edit.slot == SIZE:
        return LENGTH.sub(lambda m: f"{float(m[0]) * float(edit.after) / float(edit.before):.3g}", text)
    if edit.slot == FINDING:
        return text[: fact.start] + edit.after + text[fact.end :]
    found = re.compile(rf"\b{re.escape(edit.before)}\b", re.IGNORECASE)
    return found.sub(edit.after, text) if found.search(text) else None


def _other(side: re.Match[str]) -> str:
    return "right" if side[0].lower() == "left" else "left"


def lessons(rows: Sequence[Row], seed: int = 0) -> list[Row]:
    """Of each image's caption what is true and, by turns, a false finding or the rarest other falsehood; each has the
    image of its row, so that no fold sees another's.
    """
    first = {row.image: row for row in reversed(rows)}
    found = []
    for i, (image, row) in enumerate(sorted(first.items())):
        rng = random.Random(f"{seed}/{image}")
        told = list(contrasts(row.asked.caption or "", rng))
        rng.shuffle(told)
        told.sort(key=lambda contrast: KINDS.index(contrast.kind))
        for contrast in told[-1:] if i % 2 else told[:1]:
            found += [_row(row, *lesson) for lesson in _graded(contrast)]
    return found


def _graded(contrast: Contrast) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Reference, reply and scores: the sentence, then the statement alone, each before what is true and what is not."""
    wrong = SUBSTITUTED if contrast.kind in FINDINGS else OTHERWISE
    yield contrast.truth, contrast.true, TRUE
    yield contrast.truth, contrast.false, wrong
    yield contrast.truth, contrast.truth, VERBATIM
    if contrast.edited is not None:
        yield contrast.truth, contrast.edited, wrong
    yield contrast.true, _again(contrast.true), RESTATED
    yield contrast.true, _again(contrast.false), wrong


def _again(statement: str) -> str:
    return statement.replace("The image shows", "There is", 1)


def _row(row: Row, truth: str, reply: str, scores: tuple[float, ...]) -> Row:
    asked = Asked(row.asked.row_id, OPEN, truth, reply, row.asked.caption)
    return replace(row, asked=asked, scores=scores, weight=WEIGHT)
