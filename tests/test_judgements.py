"""The official judge's line of four scores, and what is none."""

from __future__ import annotations

import pytest

from mht.errors import InputError
from mht.judgements import Asked, Judgement, read_official


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("7 8 6 9", (7, 8, 6, 9)),
        ("10 10 10 10  \n\nThe answer agrees.", (10, 10, 10, 10)),
        ("\n 1 2 3 4\n5 6", (1, 2, 3, 4)),
        ("7, 8, 6, 9", (7, 8, 6, 9)),
        ("7-8-6-9", (7, 8, 6, 9)),
        ("7.5 8 6 9", (7.5, 8, 6, 9)),
        ("Clinical accuracy: 7, relevance: 8, detail: 6, risk: 9", (7, 8, 6, 9)),
        ("7/10 8/10 6/10 9/10", (7, 8, 6, 9)),
    ],
)
def test_four_scores(text: str, wanted: tuple[float, ...]) -> None:
    found = read_official(text, "j")
    assert (found.accuracy, found.relevance, found.detail, found.risk) == wanted
    assert found.failure is None


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("", "empty"),
        ("  \n ", "empty"),
        ("I cannot judge this.", "not_four_scores"),
        ("7 8 6", "not_four_scores"),
        ("7 8 6 9 5", "not_four_scores"),
        ("7 8 6 T1", "not_four_scores"),
        ("The scores:\n7 8 6 9", "not_four_scores"),
        ("0 8 6 9", "out_of_range"),
        ("7 8 6 11", "out_of_range"),
        ("7 8 6 -9", "out_of_range"),
        ("-7, 8, 6, 9", "out_of_range"),
        ("7 8 6 \N{MINUS SIGN}9", "out_of_range"),
    ],
)
def test_anything_else_is_a_failure_and_no_score(text: str, failure: str) -> None:
    assert read_official(text, "j") == Judgement("j", failure=failure)


@pytest.mark.parametrize(
    "given", [{}, {"accuracy": 3.0}, {"accuracy": 1, "relevance": 1, "detail": 1, "risk": 1, "failure": "x"}]
)
def test_a_judgement_has_either_four_scores_or_a_failure(given: dict[str, object]) -> None:
    with pytest.raises(InputError, match="judge 'j'"):
        Judgement("j", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [0.99, 10.01, float("nan")])
def test_a_score_lies_on_its_scale(bad: float) -> None:
    with pytest.raises(InputError, match="risk is"):
        Judgement("j", 5, 5, 5, bad)


def test_what_is_judged_has_a_digest_of_all_of_it() -> None:
    rows = [
        Asked("a", "q", "t", "r"),
        Asked("a", "q", "t", "r", "c"),
        Asked("a", "q", "t", "r", "None"),
        Asked("a", "q", "t", "other"),
        Asked("a", "q", "other", "r"),
    ]
    assert len({row.digest for row in rows}) == len(rows)
    assert rows[0].digest == Asked("another row", "q", "t", "r").digest
