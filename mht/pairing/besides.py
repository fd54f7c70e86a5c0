"""What else is known of the image beside the finding that a question is about."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study, lexicon, related
from mht.knowledge.presence import PRESENT
from mht.knowledge.truth import denied_by_name
from mht.pairing.phrases import Case, describe
from mht.records import Edit, Fact, Reading

_MORE = (" Besides, there is {np}.", " {image} also shows {np}.", " One also sees {np}.")
_PLAIN = (" {image} also shows {np}.", " One also sees {np}.")


def besides(case: Case, rng: random.Random) -> str:
    """One more sentence on another finding that is there; empty where there is none."""
    others = [fact for fact in case.reading.facts if _other(fact, case)]
    if not others:
        return ""
    fact = others[int(rng.random() * len(others))]
    frames = _PLAIN if lexicon().findings[fact.finding].noun == "plural" or fact.attributes else _MORE
    frame = frames[int(rng.random() * len(frames))]
    image = case.image[:1].upper() + case.image[1:]
    return frame.format(np=describe(fact), image=image)


def _other(fact: Fact, case: Case) -> bool:
    return (
        fact.presence == PRESENT
        and fact is not case.reading.facts[case.edit.fact]
        and not is_study(fact.finding)
        and not related(fact.finding, case.fact.finding)
    )


def distractors(reading: Reading, edit: Edit) -> list[str]:
    """Findings that the text denies, those of the edit aside: false whichever of the two stands in the question."""
    study = is_study(edit.before)
    up, down = lexicon().ancestors, lexicon().descendants
    kin = up[edit.before] | down[edit.before] | up[edit.after] | down[edit.after]
    return [finding for finding in denied_by_name(reading, study) if finding not in kin]
