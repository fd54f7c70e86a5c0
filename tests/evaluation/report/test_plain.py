"""report.json and report.md: a small run counted by hand, and texts that stay texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mht.evaluation.report.files import report_files
from mht.evaluation.report.plain import quoted
from mht.evaluation.run import EvaluationRun
from tests.evaluation.metrics.cases import EVERY, YES, twin
from tests.evaluation.report.runs import INTERVALS, measured, run_of

GOLDEN = """\
# by hand

## b: 11 questions about 6 images or patients

**No headline for “false premises accepted”: 1 of 5 requests failed. Whatever the one row without a score says, it \
lies from 40.0 % to 60.0 %.**

**Rejects 40.0 % of true premises (0.0 to 80.0; 5 of 6 rows; 33.3 to 50.0 whatever the others say)**

> This run is incomplete: 1 of 11 questions has no reply (1 timeout). No figure below counts them.

| figure | better | value | 95 % interval | rows |
| --- | --- | --- | --- | --- |
| False premises accepted | lower | 50.0 % | 0.0 to 100.0 | 4 of 5 |
| True premises rejected | lower | 40.0 % | 0.0 to 80.0 | 5 of 6 |
| Both twins right | higher | 33.3 % | 0.0 to 100.0 | 3 of 6 |

The gravest of 4 wrong replies:

- Rejects a true premise, risk critical (ef): Is there a pleural effusion?
  Reply: No, there is none. Reference: Yes, there is a pleural effusion.
- Goes along with a false premise, risk high (bh): Is there a pneumothorax?
  Reply: Yes, there is. Reference: No, there is a pleural effusion.
- Rejects a true premise, risk low (cf): Is there a pleural effusion?
  Reply: No, there is none. Reference: Yes, there is a pleural effusion.
- Goes along with a false premise, risk low (dh): Is there a pneumothorax?
  Reply: Yes, there is. Reference: No, there is a pleural effusion.

"""


@pytest.fixture(scope="module")
def by_hand() -> dict[str, bytes]:
    run = run_of({"b": EVERY}, name="by hand", blind=False)
    few = measured(EVERY, ("false_premise", "over_rejection", "twins"))
    return report_files(EvaluationRun(**(vars(run) | {"scores": {"b": few}, "notes": {}})), INTERVALS)


def test_the_markdown_of_a_run_that_was_counted_by_hand(by_hand: dict[str, bytes]) -> None:
    assert by_hand["report.md"].decode() == GOLDEN


def test_every_figure_has_n_of_n_and_its_bounds(files: dict[str, bytes]) -> None:
    plain = json.loads(files["report.json"])
    assert set(plain["benchmarks"]) == {"pairs", "open", "empty"}
    found = list(figures(plain["benchmarks"]["pairs"]))
    assert len(found) > 100
    for one in found:
        assert {"value", "n", "n_asked", "low", "high", "unscored", "unanswered"} <= set(one)
        assert one["n"] + sum(one["unscored"].values()) == one["n_asked"]
        assert (one["value"] is None) >= (one["n"] == 0)


def figures(plain: Any) -> Any:
    """Every figure in a benchmark's JSON, wherever it stands."""
    if isinstance(plain, list):
        for one in plain:
            yield from figures(one)
    elif isinstance(plain, dict):
        if "n_asked" in plain:
            yield plain
        for one in plain.values():
            yield from figures(one)


def test_json_says_whether_the_run_is_whole_and_which_headline_is_refused(by_hand: dict[str, bytes]) -> None:
    one = json.loads(by_hand["report.json"])["benchmarks"]["b"]
    assert (one["asked"], one["answered"], one["complete"], one["failures"]) == (
        11,
        10,
        False,
        {"timeout": 1},
    )
    accepted, rejected = one["headlines"]
    assert (accepted["refused"], accepted["value"], accepted["least"], accepted["most"]) == (
        True,
        None,
        0.4,
        0.6,
    )
    assert (rejected["refused"], rejected["value"]) == (False, 0.4)


def test_json_names_what_does_not_beat_the_blind(files: dict[str, bytes]) -> None:
    lexical = json.loads(files["report.json"])["benchmarks"]["pairs"]["lexical"]
    assert {tuple(sorted(one["blind"])) for one in lexical} == {
        ("caption", "echo_no", "echo_yes", "question_only")
    }
    assert all(isinstance(one["not_above"], list) for one in lexical)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a | b `c` <b> *d* _e_ [f](g) #1", r"a \| b \`c\` \<b\> \*d\* \_e\_ \[f\]\(g\) \#1"),
        ("two\nlines\x1b[0m", r"two lines\[U+001B\]\[0m"),
        ("see http://x.example, @someone", r"see http\://x.example, @&zwnj;someone"),
    ],
)
def test_markdown_of_a_model_is_text(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_a_hostile_reply_cannot_leave_its_line() -> None:
    run = run_of({"b": [twin("Yes.\n\n# <img src=x>\n| a |", False, "a")]}, blind=False)
    made = report_files(run, INTERVALS)["report.md"].decode()
    assert r"Reply: Yes. \# \<img src=x\> \| a \|" in made


def test_a_benchmark_without_rows_is_told(files: dict[str, bytes]) -> None:
    assert (
        "## empty: 0 questions about 0 images or patients\n\nNothing was asked" in files["report.md"].decode()
    )


def test_a_reply_that_is_right_is_no_error() -> None:
    run = run_of({"b": [twin(YES, True, "a")]}, blind=False)
    assert "gravest" not in report_files(run, INTERVALS)["report.md"].decode()
