"""A review as data: its address is its content, the strictest word stands, and a bad line is named."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from mht.config import load
from mht.dataset.review.decisions import Decision, Review
from mht.dataset.review.files import read_review
from mht.errors import ConfigError, InputError
from mht.storage import Storage, StorageParams

STORAGE = Storage(StorageParams())


def made(verdict: str, letter: str = "f", **more: Any) -> Decision:
    given = {"pair_id": f"ab-cd{letter}", "row_hash": "01", "verdict": verdict, **more}
    return Decision.model_validate(given)


def test_the_address_is_the_content_s_whatever_the_order() -> None:
    decisions = [made("accept"), made("reject", "h"), made("edit", row_hash="02", answer="No – none.")]
    paths = {Review.of(order).path for order in permutations(decisions)}
    assert len(paths) == 1
    assert Review.of(decisions[:2]).path not in paths


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    review = Review.of(
        [made("accept", note="schön, “gut”"), made("edit", "h", question="Where?", reviewer="3")]
    )
    (tmp_path / "r.jsonl").write_bytes(b"\xef\xbb\xbf" + review.to_bytes().replace(b"\n", b"\n\n"))
    assert read_review(STORAGE, str(tmp_path / "r.jsonl")) == review


def test_the_strictest_verdict_stands() -> None:
    given = [made("accept"), made("reject"), made("edit", answer="No.")]
    for order in permutations(given):
        assert Review.of(order).decisions == {given[0].key: given[1]}
    with pytest.raises(InputError, match="edited in two ways, by 1 and by someone"):
        Review.of([made("edit", answer="No.", reviewer="1"), made("edit", answer="Yes.")])


def test_a_later_round_stands_over_an_earlier_one() -> None:
    old = Review.of([made("reject"), made("reject", "h")])
    new = Review.of([made("accept")])
    assert {d.verdict for d in new.over(old).decisions.values()} == {"accept", "reject"}
    assert len(new.over(old)) == 2


@pytest.mark.parametrize(
    ("line", "clue"),
    [
        ("{", "not JSON"),
        ("[]", "annotated"),
        ("3", "valid dictionary"),
        ('{"pair_id": "ab-cdf", "row_hash": "01", "verdict": "rejct"}', "verdict"),
        ('{"pair_id": "ab-cdf", "row_hash": "01", "verdict": "edit"}', "an edit, and nothing else"),
        (
            '{"pair_id": "ab-cdf", "row_hash": "01", "verdict": "accept", "answer": "x"}',
            "an edit, and nothing else",
        ),
        ('{"pair_id": "../x", "row_hash": "01", "verdict": "accept"}', "pair_id"),
        ('{"pair_id": "ab-cdf", "verdict": "accept"}', "row_hash"),
        ('{"pair_id": "ab-cdf", "row_hash": "01", "verdict": "accept", "anser": "x"}', "anser"),
    ],
)
def test_a_line_that_is_no_decision_is_named(line: str, clue: str, tmp_path: Path) -> None:
    good = '{"pair_id": "ab-cdf", "row_hash": "00", "verdict": "accept"}'
    (tmp_path / "r.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(InputError, match=r"r\.jsonl:2 at review: ") as caught:
        read_review(STORAGE, str(tmp_path / "r.jsonl"))
    assert clue in str(caught.value) or line == "[]"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_review(STORAGE, str(tmp_path / "r.jsonl"))


def test_a_review_lies_in_a_store() -> None:
    with pytest.raises(ConfigError, match=r"review: .* is not object storage"):
        load(None, ["review=https://example.org/review.jsonl"])
