"""Figures that read the findings of a reply, counted by hand."""

from __future__ import annotations

import pytest

from mht.evaluation.metrics import chair, hallucination_rate, risk_misread, severity
from mht.predictions import Prediction, score
from tests.evaluation.metrics.cases import EVERY, NO, YES, twin

CAPTION = "CT of the chest. Small left pleural effusion. Possible pneumonia. No pneumothorax."
NORMAL = "Chest radiograph. Clear lungs. Normal heart size."


def row(
    reply: str | None, caption: str | None = CAPTION, truth: str = "", premise: str | None = None
) -> Prediction:
    return Prediction(
        "b",
        str(reply),
        "i",
        "Please describe the image.",
        truth,
        reply,
        "timeout" if reply is None else None,
        caption=caption,
        premise=premise,
        state="hallucinated" if premise else None,
    )


def values(module: object, rows: list[Prediction], **params: object) -> dict[str, tuple[float | None, int]]:
    measured = module.measure(rows, module.Params(**params))  # type: ignore[attr-defined]
    return {s.name.partition(".")[2]: (s.value, s.n) for s in map(score, measured)}


def test_chair_counts_what_a_reply_states_and_the_texts_do_not() -> None:
    rows = [
        row("There is a left pleural effusion."),
        row("There is a pneumothorax and a pleural effusion. A pneumothorax, that is."),
        row("No pneumothorax. No rib fracture."),
        row("There is pneumonia and emphysema."),
        row("Nothing that has a name."),
        row(None),
        row("There is a rib fracture.", caption=None, truth="Xyz."),
    ]
    # stated: effusion | pneumothorax, effusion | - | pneumonia, emphysema | -
    assert values(chair, rows) == {
        "i": (pytest.approx(2 / 5), 5),
        "s": (pytest.approx(2 / 5), 5),
        "stated": (pytest.approx(5 / 5), 5),
    }
    assert values(chair, rows, denied_only=True)["i"] == (pytest.approx(1 / 5), 5)
    nothing = chair.measure(rows[4:5], chair.Params())
    assert [score(one).value for one in nothing] == [None, 0.0, 0.0]


def test_the_reference_answer_counts_as_the_caption_does() -> None:
    rows = [row("There is a rib fracture.", truth="Yes, there is a rib fracture.")]
    assert values(chair, rows)["i"] == (0.0, 1)


def test_hallucinations_by_group() -> None:
    found = values(hallucination_rate, EVERY, by=("risk", "type"))
    assert found == {
        "": (pytest.approx(4 / 9), 9),
        "risk=critical": (1.0, 1),
        "risk=high": (0.5, 2),
        "risk=low": (pytest.approx(2 / 6), 6),
        "type=existence": (pytest.approx(4 / 9), 9),
    }
    assert list(values(hallucination_rate, [twin(YES, True, modality="CT", site=None)])) == [
        "",
        "type=existence",
        "modality=CT",
        "risk=low",
    ]


def test_risk_is_that_of_the_gravest_finding() -> None:
    truth = "There is a pleural effusion and emphysema."
    rows = [
        row("A pleural effusion.", truth=truth),
        row("A tension pneumothorax.", truth=truth),
        row("No pleural effusion.", truth=truth),
        row("Yes.", truth=truth),
        row(None, truth=truth),
    ]
    assert values(risk_misread, rows) == {
        "": (pytest.approx(2 / 3), 3),
        "understated": (pytest.approx(1 / 3), 3),
        "overstated": (pytest.approx(1 / 3), 3),
    }


@pytest.mark.parametrize(
    ("reply", "caption", "premise", "wanted"),
    [
        ("There is a small left pleural effusion.", CAPTION, None, 1.0),
        ("There is pneumonia.", CAPTION, None, 1.0),
        ("There is a large pleural effusion.", CAPTION, None, 0.4),
        ("There is a right pleural effusion.", CAPTION, None, 0.4),
        ("There is a pneumothorax and a right pleural effusion.", CAPTION, None, 0.2),
        ("There is no pleural effusion.", CAPTION, None, 0.2),
        ("There is no right pleural effusion.", CAPTION, None, 1.0),
        ("There is emphysema.", CAPTION, None, 0.2),
        ("This is a chest radiograph. There is a pleural effusion.", CAPTION, None, 0.8),
        ("The lungs show consolidation.", NORMAL, None, 0.0),
        ("The lungs are clear.", "Chest radiograph. Left consolidation.", None, 0.0),
        ("The lungs are clear.", NORMAL, None, 1.0),
        ("Yes, there is a pneumothorax.", CAPTION, "a pneumothorax", 0.6),
        ("Yes.", CAPTION, "a pneumothorax", 0.6),
        ("Yes, there is a pneumothorax and a rib fracture.", CAPTION, "a pneumothorax", 0.2),
        ("No, there is no pneumothorax.", CAPTION, "a pneumothorax", 1.0),
        ("Xyz.", CAPTION, None, None),
        ("There is a pleural effusion.", "Xyz.", None, None),
    ],
)
def test_the_worst_that_a_reply_says(
    reply: str, caption: str, premise: str | None, wanted: float | None
) -> None:
    found = score(severity.measure([row(reply, caption, premise=premise)], severity.Params())[0])
    assert found.value == wanted
    assert found.n == (wanted is not None)


def test_what_is_not_mentioned_need_not_count_and_weights_can_be_set() -> None:
    emphysema = row("There is emphysema.")
    assert score(severity.measure([emphysema], severity.Params(unsaid=False))[0]).value == 1.0
    assert score(severity.measure([emphysema], severity.Params(critical=0.5))[0]).value == 0.5
    assert score(severity.measure([twin(NO, False)], severity.Params())[0]).n == 1
