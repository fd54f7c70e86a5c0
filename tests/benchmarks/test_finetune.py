"""The table of what fine-tuning does: the figures of every run beside their goals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.finetune import FIGURES, GOALS, PRESUMING, figures, table, verdicts
from tests.evaluation.rows import predictions


def test_every_figure_has_a_column_and_a_goal() -> None:
    assert set(GOALS) == set(FIGURES)
    runs = {
        "base": [dict.fromkeys(FIGURES, 0.9)],
        "lora, twins": [dict.fromkeys(FIGURES, x) for x in (0.1, 0.3)],
    }
    lines = table(runs).splitlines()
    assert len(lines) == 2 + len(runs) + 1
    assert lines[2].count("0.900") == len(FIGURES)
    assert lines[3].count("0.200 (0.100 to 0.300)") == len(FIGURES)


def test_what_is_presumed_is_told_apart_from_what_is_asked() -> None:
    """A model that goes along with every premise that is taken for granted, and is right where it is asked."""
    asked = [row for row in predictions() if row.state == "hallucinated" and row.reply]
    rows = [replace(r, reply=r.rejected if r.form in PRESUMING else r.truth) for r in asked]
    presumed = sum(row.form in PRESUMING for row in rows)
    assert 0 < presumed < len(rows)
    found = figures(rows)
    assert found["presumed"] == 1.0
    assert found["false_premise"] == pytest.approx(presumed / len(rows), abs=0.02)


def test_goals_are_held_against_the_mean_over_the_seeds() -> None:
    base = {
        "presumed": 0.95,
        "false_premise": 0.8,
        "over_rejection": 0.01,
        "false_denial": 0.01,
        "risk_weighted": 0.4,
    }
    good = {
        "presumed": 0.04,
        "false_premise": 0.04,
        "over_rejection": 0.05,
        "false_denial": 0.02,
        "risk_weighted": 0.1,
    }
    worse = good | {"presumed": 0.08, "false_denial": 0.09, "risk_weighted": 0.2}
    start, told = verdicts({"base": [base], "lora, control": [base], "lora, twins": [good, worse]})
    assert start == "base: presumed met (0.950, goal 0.9)"
    assert told == (
        "lora, twins: presumed missed (0.060, goal 0.050), false premise met (0.040, goal 0.050), over rejection met "
        "(0.050, goal 0.060), false denial missed (0.055, goal 0.030), risk weighted met (0.150, goal 0.160)"
    )
