"""Where a text stands, and what it denies: invented sentences."""

from __future__ import annotations

import pytest

from mht.evaluation.judges._stand import stand
from mht.evaluation.judges._text import parse

QUESTION = parse("Is there a pleural effusion on the left?")


def denied(text: str) -> set[str]:
    parsed = parse(text)
    return {word for word, mark in zip(parsed.words, parsed.negated, strict=True) if mark == 1}


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("Yes, there is.", 1),
        ("Absolutely, there is.", 1),
        ("Generally, yes. It is.", 1),
        ("No. There is none.", -1),
        ("Incorrect: there is none.", -1),
        ("No effusion is seen.", 0),
        ("True lesions are round.", 0),
        ("There is one.", 0),
        ("", 0),
    ],
)
def test_the_opening_yes_or_no(text: str, lead: int) -> None:
    assert parse(text).lead == lead


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("There is no effusion, but a nodule.", {"effusion"}, {"nodule"}),
        ("No effusion, nodule, or mass is seen.", {"effusion", "nodule", "mass"}, set()),
        ("The effusion is not visible.", {"effusion"}, set()),
        ("A cyst rather than a tumour.", {"tumor"}, {"cyst"}),
        ("The scan doesn't show a fracture.", {"fracture"}, {"scan"}),
        ("It is not uncommon in asthma.", set(), {"asthma"}),
        ("There are no unusual shadows.", {"shadow"}, set()),
        ("Not only the liver is enlarged.", set(), {"liver"}),
    ],
)
def test_what_a_sentence_denies(text: str, inside: set[str], outside: set[str]) -> None:
    assert inside <= denied(text)
    assert not outside & denied(text)


def test_a_softened_denial_counts_half() -> None:
    parsed = parse("It does not necessarily indicate a tumour.")
    assert parsed.negated[parsed.words.index("tumor")] == 0.5


def test_the_first_sentence_is_that_behind_a_bare_no() -> None:
    parsed = parse("No. The lung is clear. It is well.")
    assert parsed.words[slice(*parsed.body())] == ("the", "lung", "is", "clear")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("Yes, a small one.", 1.0, 1.0),
        ("No, there is none.", -1.0, -1.0),
        ("There is a pleural effusion on the left.", 0.8, 1.0),
        ("There is no pleural effusion.", -1.0, -0.9),
        ("It may be.", 0.0, 0.2),
        ("Actually, it lies on the right.", -1.0, -0.3),
    ],
)
def test_the_stance_towards_the_question(text: str, low: float, high: float) -> None:
    assert low <= stand(parse(text), QUESTION)["stance"] <= high
