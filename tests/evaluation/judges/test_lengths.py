"""Lengths in one unit: invented words."""

from __future__ import annotations

import pytest

from mht.evaluation.judges._features import features
from mht.evaluation.judges._text import parse
from mht.evaluation.judges.rubric import Judge, Params
from mht.judgements import Asked


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a 1.2 cm cyst", "a 12 mm cyst"),
        ("a 1.2-cm cyst", "a 12-mm cyst"),
        ("two centimetres", "20 mm"),
        ("a 3 x 4cm mass", "a 30 x 40 mm mass"),
        ("2.5 × 3 × 4 cm", "25 × 30 × 40 mm"),
        ("from 5 to 6 cm", "from 50 to 60 millimeters"),
        ("2 cysts and 3 cm of fluid", "2 cysts and 30 mm of fluid"),
        ("cm", "cm"),
        ("- cm", "- cm"),
        ("on day 3, cm by cm", "on day 3, cm by cm"),
    ],
)
def test_a_length_has_one_wording(text: str, same: str) -> None:
    assert parse(text).words == parse(same).words


def test_a_number_of_another_kind_stays_as_it_is() -> None:
    assert parse("2 cysts in T3, 40 ml, grade 2").words == parse("2 cysts in T3, 40 ml, grade 2.").words[:-1]
    assert "2" in parse("2 cysts of 3 cm").words


def test_the_unit_is_nothing_to_the_judge() -> None:
    question, truth = "How large is the cyst?", "The renal cyst measures 12 mm."
    same = [features(question, truth, f"It measures {length}.") for length in ("1.2 cm", "12 mm")]
    assert same[0] == same[1]
    assert same[0]["against_length"] == 0
    judge = Judge(Params())
    right, wrong = judge.judge(
        [Asked("1", question, truth, f"The renal cyst measures {length}.") for length in ("1.2 cm", "4.5 cm")]
    )
    assert (right.accuracy or 0) > 7 > (wrong.accuracy or 0)
