"""Which metrics are measured: those that can be, or those that are named, told before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.config_evaluate import BaselinesConfig, EvaluateConfig
from mht.errors import ConfigError
from mht.evaluation.baselines import cheap
from mht.evaluation.scoring import choose
from mht.predictions import Prediction
from mht.questions import Question
from tests.evaluation.asked import config
from tests.evaluation.metrics.settings import LAYER, encoder


def chosen(tmp_path: Path, *words: str) -> EvaluateConfig:
    return config("table.csv", tmp_path / "out", *words)


def test_by_default_all_that_need_nothing(tmp_path: Path) -> None:
    metrics = choose(chosen(tmp_path))
    assert {"false_premise", "twins", "calibration", "chair", "vqa"} <= metrics.chosen.keys()
    assert "bertscore" not in metrics.chosen
    assert any(why.startswith("bertscore: it needs settings") for why in metrics.left_out)


def test_one_that_is_named_and_cannot_be_measured_is_told_at_once(tmp_path: Path) -> None:
    named = chosen(tmp_path, f"metrics.meteor.wordnet={tmp_path}")
    with pytest.raises(ConfigError, match="meteor"):
        choose(named)


def test_settings_add_to_all_and_only_and_null_take_away(tmp_path: Path) -> None:
    every = choose(chosen(tmp_path)).chosen
    weighed = choose(chosen(tmp_path, "metrics.severity.minor=0.7")).chosen
    assert weighed.keys() == every.keys()
    assert (weighed["severity"].minor, every["severity"].minor) == (0.7, 0.8)
    assert choose(chosen(tmp_path, "metrics.pope=null")).chosen.keys() == every.keys() - {"pope"}
    assert choose(chosen(tmp_path, "metrics.only=[pope, vqa]")).chosen.keys() == {"pope", "vqa"}
    alone = choose(chosen(tmp_path, "metrics.only=severity", "metrics.severity.minor=0.7"))
    assert {name: params.minor for name, params in alone.chosen.items()} == {"severity": 0.7}


def test_one_that_needs_settings_comes_beside_the_others(tmp_path: Path) -> None:
    words = (f"metrics.bertscore.model={encoder()}", f"metrics.bertscore.layer={LAYER}")
    with_it, without = (choose(chosen(tmp_path, *some)).chosen.keys() for some in (words, ()))
    assert with_it == without | {"bertscore"}


def test_figures_that_nothing_was_asked_for_are_left_out(tmp_path: Path) -> None:
    rows = [
        Prediction("b", str(i), str(i), "Is there a mass?", "yes", "Yes.", polarity="yes") for i in range(4)
    ]
    names = {one.name for one in choose(chosen(tmp_path)).measure(rows)}
    assert "pope" in names
    assert not {"calibration", "risk_coverage", "twins", "false_premise", "judged.risk"} & names
    told = [Prediction("b", "5", "5", "Is there a mass?", "yes", "Yes.", polarity="yes", likelihood_yes=0.5)]
    assert "calibration" in {one.name for one in choose(chosen(tmp_path)).measure([*rows, *told])}


def test_blind_replies() -> None:
    asked = [
        Question("b", str(i), "i", None, "Is there a mass?", "yes", "closed", caption=caption)
        for i, caption in enumerate((None, "A mass in the left lung."))
    ]
    found = {
        name: [row.prediction.reply for row in rows] for name, rows in cheap(BaselinesConfig(), asked).items()
    }
    assert found == {
        "echo_yes": ["Yes, Is there a mass?"] * 2,
        "echo_no": ["No, Is there a mass?"] * 2,
        "caption": [None, "A mass in the left lung."],
        "majority": ["yes", "yes"],
    }
    assert cheap(BaselinesConfig(), asked[:1]).keys() == {"echo_yes", "echo_no"}
    assert cheap(BaselinesConfig(echo=False, caption=False, majority=False), asked) == {}
