"""Figures that are made of words alone, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mht.evaluation.metrics import (
    abstention,
    calibration,
    judged,
    likelihood,
    over_confidence,
    polarity,
    pope,
    risk_coverage,
    vqa,
)
from mht.evaluation.metrics._words import normalised, overlap
from mht.judgements import Judgement
from mht.predictions import Prediction, score
from tests.evaluation.metrics.cases import EVERY, NO, ODD, YES, twin, value


def figures(module: object, rows: list[Prediction], **params: object) -> dict[str, float | None]:
    measured = module.measure(rows, module.Params(**params))  # type: ignore[attr-defined]
    return {one.name.partition(".")[2]: score(one).value for one in measured}


def test_pope() -> None:
    # due yes: yes yes no no yes; due no: no yes no yes
    assert figures(pope, EVERY) == {
        "": pytest.approx(5 / 9),
        "precision": pytest.approx(3 / 5),
        "recall": pytest.approx(3 / 5),
        "f1": pytest.approx(3 / 5),
        "yes_ratio": pytest.approx(5 / 9),
        "of_all": pytest.approx(5 / 10),
    }
    assert figures(pope, [twin(NO, True)]) == {
        "of_all": 0.0,
        "": 0.0,
        "precision": None,
        "recall": 0.0,
        "f1": 0.0,
        "yes_ratio": 0.0,
    }


def test_abstention_and_doubt() -> None:
    replies = ["It cannot be determined from this image.", "", "There may be an effusion.", "No.", None]
    rows = [twin(reply, True, str(i)) for i, reply in enumerate(replies)]
    assert value(abstention, rows) == (2 / 4, 4, 5)
    assert figures(abstention, rows)["hedged"] == 2 / 4


def test_over_confidence_is_of_the_wrong_replies() -> None:
    replies = [
        (NO, True),
        ("No, but there may be a small one.", True),
        (YES, False),
        (YES, True),
        (None, True),
    ]
    rows = [twin(reply, faithful, str(i)) for i, (reply, faithful) in enumerate(replies)]
    assert figures(over_confidence, rows) == {"": pytest.approx(2 / 3), "all": 2 / 4}
    assert value(over_confidence, [twin(YES, True)]) == (None, 1, 1)
    plain = [replace(row, state=None, premise=None) for row in rows]
    assert figures(over_confidence, plain) == {"": pytest.approx(2 / 3), "all": 2 / 4}


def sure(likelihood: float | None, faithful: bool, name: str) -> Prediction:
    return replace(twin(YES, faithful, name), likelihood_yes=likelihood)


def test_calibration() -> None:
    rows = [sure(0.9, True, "a"), sure(0.9, False, "b"), sure(0.2, False, "c"), sure(None, True, "d")]
    # two of confidence .9, half right; one of .8, right
    assert figures(calibration, rows, bins=5) == {
        "": pytest.approx((2 * 0.4 + 0.2) / 3),
        "chance": pytest.approx((2 / np.pi) ** 0.5 * ((2 * 0.09) ** 0.5 + 0.16**0.5) / 3),
        "gap": pytest.approx((0.9 + 0.9 + 0.8) / 3 - 2 / 3),
    }
    assert value(calibration, rows) == (pytest.approx(1 / 3), 3, 4)
    assert figures(calibration, [sure(1.0, True, "a"), sure(0.0, False, "b")]) == {
        "": 0.0,
        "chance": 0.0,
        "gap": 0.0,
    }


def test_a_model_that_is_calibrated_shows_the_error_of_chance() -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(40):
        probabilities = rng.uniform(0.01, 0.99, 120)
        rows = [
            sure(p, bool(right), str(at))
            for at, (p, right) in enumerate(zip(probabilities, rng.random(120) < probabilities, strict=True))
        ]
        found.append(figures(calibration, rows))
    error, chance = (np.mean([one[name] for one in found]) for name in ("", "chance"))  # type: ignore[misc]
    assert error > 0.05
    assert chance == pytest.approx(error, rel=0.1)


def test_yes_or_no_by_likelihood_whatever_is_said() -> None:
    rows = [
        sure(0.9, True, "a"),
        sure(0.6, False, "b"),
        sure(0.4, True, "c"),
        sure(0.1, False, "d"),
        sure(None, True, "e"),
    ]
    # of four two are right; of four pairs of a yes and a no, three are in order
    assert figures(likelihood, rows) == {"": 0.5, "auroc": 0.75}
    assert value(likelihood, rows) == (0.5, 4, 5)
    assert figures(likelihood, [sure(0.7, True, "a"), sure(0.7, False, "b")]) == {"": 0.5, "auroc": 0.5}
    assert figures(likelihood, [sure(0.7, True, "a"), sure(0.2, True, "b")]) == {"": 0.5, "auroc": None}


def test_the_area_counts_pairs_in_order() -> None:
    rng = np.random.default_rng(1)
    likely, yes = rng.integers(0, 8, 60) / 8, rng.random(60) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in likely[yes] for b in likely[~yes]]
    parts, ones = np.stack([likely, yes], axis=1), np.ones(60)
    assert likelihood.auroc(parts, ones) == pytest.approx(np.mean(pairs))
    weights = rng.integers(0, 3, (5, 60)).astype(float)
    repeated = [
        likelihood.auroc(np.repeat(parts, w.astype(int), axis=0), np.ones(int(w.sum()))) for w in weights
    ]
    assert likelihood.auroc(parts, weights) == pytest.approx(np.array(repeated))


def test_risk_and_coverage() -> None:
    rows = [sure(0.9, True, "a"), sure(0.8, False, "b"), sure(0.3, False, "c"), sure(0.6, True, "d")]
    # in order of confidence: right, wrong, right, right
    assert figures(risk_coverage, rows) == {
        "": pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4),
        "at_80": pytest.approx(1 / 4),
    }
    even = [sure(0.9, True, "a"), sure(0.9, False, "b"), sure(0.9, False, "c"), sure(0.9, True, "d")]
    assert figures(risk_coverage, even) == {"": pytest.approx(0.5), "at_80": pytest.approx(0.5)}
    last = [*(sure(0.9, True, str(i)) for i in range(8)), sure(0.6, False, "x"), sure(0.6, False, "y")]
    assert figures(risk_coverage, last) == {
        "": pytest.approx((1 / 9 + 2 / 10) / 10),
        "at_80": pytest.approx(0.0),
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The left lung.", "left lung"),
        ("X-ray", "x ray"),
        ("2.5 cm", "2.5 cm"),
        ("1,000 cells", "1000 cells"),
        ("Two nodules, both small", "2 nodules both small"),
        ("don't know", "dont know"),
        ("none", "0"),
        (" An  a the ", ""),
    ],
)
def test_words_are_made_alike(text: str, wanted: str) -> None:
    assert " ".join(normalised(text)) == wanted


@pytest.mark.parametrize(
    ("said", "due", "wanted"),
    [
        ("left lung", "left lung", (1.0, 1.0)),
        ("left lung base", "right lung", (2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2), 1 / 2)),
        # as LLaVA-Med counts it: what the reply repeats is found twice
        ("lung lung", "left lung", (2 * 1 * (2 / 3) / (1 + 2 / 3), 2 / 3)),
        ("heart", "lung", (0.0, 0.0)),
        ("", "lung", (0.0, 0.0)),
    ],
)
def test_words_in_common(said: str, due: str, wanted: tuple[float, float]) -> None:
    assert overlap(said.split(), due.split()) == pytest.approx(wanted)


def test_visual_question_answering() -> None:
    def row(name: str, truth: str, reply: str | None) -> Prediction:
        return Prediction("b", name, "i", "q", truth, reply, "timeout" if reply is None else None)

    rows = [
        row("1", "yes", "Yes."),
        row("2", "The left lung", "left lung"),
        row("3", "CT", "an MR image"),
        row("4", "CT", None),
        row("5", "the", "x"),
    ]
    found = [score(one) for one in vqa.measure(rows, vqa.Params())]
    assert [(one.name, one.value, one.n, one.n_asked) for one in found] == [
        ("vqa", pytest.approx(2 / 3), 3, 4),
        ("vqa.f1", pytest.approx(2 / 3), 3, 4),
        ("vqa.closed", 1.0, 1, 1),
        ("vqa.open_exact", 0.5, 2, 3),
        ("vqa.open_recall", 0.5, 2, 3),
    ]


def test_closed_and_open_are_the_benchmarks_own_words() -> None:
    """Of six closed rows three are right; one is short of a word, one offers both, one is dodged."""
    rows = [
        Prediction("b", str(at), "i", "Is it on the left or on the right?", truth, reply, kind=kind)
        for at, (truth, reply, kind) in enumerate(
            (
                ("yes", "There is no doubt that there is one.", "closed"),
                ("left", "It is on the left.", "closed"),
                ("left side", "left", "closed"),
                ("right", "It is not on the left but on the right.", "closed"),
                ("left", "On the left or right.", "closed"),
                ("no", "I cannot tell.", "closed"),
                ("yes, slightly", "slightly", "open"),
                ("left", "left", "choice"),
            )
        )
    ]
    found = {one.name: score(one) for one in vqa.measure(rows, vqa.Params())}
    assert (found["vqa.closed"].value, found["vqa.closed"].n) == (pytest.approx(3 / 6), 6)
    assert (found["vqa.open_recall"].value, found["vqa.open_recall"].n) == (0.5, 1)
    assert (found["vqa.open_exact"].value, found["vqa"].n) == (0.0, 8)


def test_a_model_that_dodges_gains_nothing_of_all() -> None:
    rows = [
        *(twin(YES, True, str(at)) for at in range(3)),
        *(twin(ODD, True, str(at + 3)) for at in range(2)),
    ]
    found = {
        score(one).name: score(one)
        for module in (polarity, pope)
        for one in module.measure(rows, module.Params())
    }
    for name in ("polarity", "pope"):
        assert (found[name].value, found[name].n) == (1.0, 3)
        assert (found[f"{name}.of_all"].value, found[f"{name}.of_all"].n) == (pytest.approx(3 / 5), 5)


def test_judges() -> None:
    rows = [
        replace(twin(YES, True, "a"), judgements=(Judgement("j", 7, 8, 6, 10),)),
        replace(twin(YES, True, "b"), judgements=(Judgement("j", 2, 3, 4, 1),)),
        replace(twin(YES, True, "c"), judgements=(Judgement("j", failure="out_of_range"),)),
        replace(twin(None, True, "d"), judgements=(Judgement("j", failure="no_reply"),)),
        twin(YES, True, "e"),
    ]
    found = [score(one) for one in judged.measure(rows, judged.Params())]
    assert [one.value for one in found] == [4.5, 5.5, 5.0, 5.5]
    assert {(one.n, one.n_asked) for one in found} == {(2, 5)}
    left_out = (("failed_timeout", 1), ("judge_error_not_judged", 1), ("judge_error_out_of_range", 1))
    assert found[0].unscored == left_out


def test_two_judges_are_never_averaged() -> None:
    both = Judgement("j", 7, 8, 6, 10), Judgement("another", 1, 1, 1, 1)
    rows = [
        replace(twin(YES, True, "a"), judgements=both),
        replace(twin(YES, True, "b"), judgements=both[:1]),
    ]
    found = {one.name: score(one) for one in judged.measure(rows, judged.Params())}
    assert len(found) == 8
    ours, others = found["judged.risk.judge=j"], found["judged.risk.judge=another"]
    assert (ours.value, ours.n, ours.n_asked) == (10, 2, 2)
    assert (others.value, others.n, others.n_asked) == (1, 1, 2)
