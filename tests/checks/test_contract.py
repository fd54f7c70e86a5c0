"""Every check keeps good pairs and names its reason: a table of invented pairs for each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mht import catalog
from mht.knowledge.facts import read_facts
from mht.pairing.twins import make_pairs
from mht.records import Pair, Reading
from tests.pairing.corpus import context

NAMES = catalog.names("checks")
READING = read_facts(
    "Chest radiograph. Small left pleural effusion. No pneumothorax or cardiomegaly. Bilateral rib fractures."
)
SHORT = read_facts("A pleural effusion.")
FAITHFUL = Pair(
    pair_id="img-0123456789f",
    twin_id="0123456789abcdef",
    image_id="img",
    split="train",
    form="yes_no",
    state="faithful",
    type="existence",
    strategy="popular",
    question="Is there a pleural effusion on this image?",
    premise="a pleural effusion",
    answer="Yes, the image shows a small pleural effusion on the left.",
    rejected="No, there is no pleural effusion here, but there is a pneumothorax.",
    polarity="yes",
    slot="finding",
    span_start=9,
    span_end=27,
    span="a pleural effusion",
    counterpart="a pneumothorax",
    evidence="a small pleural effusion on the left",
    risk="low",
    risk_rule="x",
    row_hash="",
)
FALSE = replace(
    FAITHFUL,
    pair_id="img-0123456789h",
    state="hallucinated",
    question="Is there a pneumothorax on this image?",
    premise="a pneumothorax",
    answer="No, the image does not show a pneumothorax; it shows a small pleural effusion on the left.",
    rejected="Yes, there is a pneumothorax.",
    polarity="no",
    span_end=23,
    span="a pneumothorax",
    counterpart="a pleural effusion",
    evidence="no pneumothorax",
)


def judge(name: str, pair: Pair, twin: Pair, reading: Reading = READING) -> str | None:
    reason: str | None = catalog.load("checks", name).judge(pair, twin, reading)
    return reason


def _false(**change: object) -> str | None:
    name = str(change.pop("check"))
    return judge(name, replace(FALSE, **change), FAITHFUL)


def _faithful(**change: object) -> str | None:
    name = str(change.pop("check"))
    return judge(name, replace(FAITHFUL, **change), FALSE)


@pytest.mark.parametrize("name", NAMES)
def test_good_twins_are_kept(name: str) -> None:
    assert judge(name, FAITHFUL, FALSE) is None
    assert judge(name, FALSE, FAITHFUL) is None


@pytest.mark.parametrize("name", NAMES)
def test_nearly_all_that_is_made_is_kept(name: str) -> None:
    setting = replace(context([("img", READING)], balance=False, pairs_per_image=200), checks=())
    pairs = make_pairs("img", "train", READING, setting).pairs
    assert len({p.form for p in pairs}) >= 5
    reasons = [
        judge(name, one, other)
        for k in range(0, len(pairs), 2)
        for one, other in (pairs[k : k + 2], pairs[k : k + 2][::-1])
    ]
    assert sum(reason is not None for reason in reasons) <= 0.03 * len(reasons)


@pytest.mark.parametrize(
    ("premise", "slot", "wanted"),
    [
        ("a pneumothorax", "finding", None),
        ("pulmonary embolism", "finding", None),
        ("a pleural effusion", "finding", "premise_true"),
        ("pleural fluid", "finding", "premise_true"),
        ("a fracture", "finding", "premise_true"),
        ("a pleural effusion on the left", "side", "premise_true"),
        ("a pleural effusion on the right", "side", None),
        ("a rib fracture on the right", "side", "premise_true"),
        ("a small pleural effusion", "severity", "premise_true"),
        ("a large pleural effusion", "severity", None),
        ("a moderate pleural effusion", "severity", "premise_true"),
        ("no pleural effusion", "presence", None),
        ("no pneumothorax", "presence", "premise_true"),
        ("a pneumothorax", "presence", None),
        ("anything", "side", "premise_unread"),
    ],
)
def test_a_false_premise_is_false(premise: str, slot: str, wanted: str | None) -> None:
    assert _false(check="premise_true", premise=premise, slot=slot) == wanted


@pytest.mark.parametrize(
    ("premise", "slot", "wanted"),
    [
        ("a pleural effusion", "finding", None),
        ("a small pleural effusion on the left", "severity", None),
        ("a rib fracture on the right", "side", None),
        ("no pneumothorax", "presence", None),
        ("a pneumothorax", "finding", "premise_false"),
        ("a large pleural effusion", "severity", "premise_false"),
        ("a pleural effusion on the right", "side", "premise_false"),
        ("a tension pneumothorax", "finding", "premise_false"),
        ("no pleural effusion", "presence", "premise_false"),
        ("anything", "finding", "premise_false"),
    ],
)
def test_a_true_premise_is_stated(premise: str, slot: str, wanted: str | None) -> None:
    assert _faithful(check="premise_false", premise=premise, slot=slot) == wanted


@pytest.mark.parametrize(
    ("span", "state", "wanted"),
    [
        ("ionising radiation", "faithful", None),
        ("no ionising radiation", "faithful", "premise_false"),
        ("no ionising radiation", "hallucinated", None),
        ("ionising radiation", "hallucinated", "premise_true"),
    ],
)
def test_a_belief_is_of_the_kind_of_image(span: str, state: str, wanted: str | None) -> None:
    pair = replace(FAITHFUL, state=state, slot="belief:dose", span=span)
    reasons = {judge(name, pair, FALSE) for name in ("premise_true", "premise_false")} - {None}
    assert reasons == ({wanted} if wanted else set())


@pytest.mark.parametrize("name", ["premise_true", "premise_false"])
def test_a_check_of_one_state_leaves_the_other_alone(name: str) -> None:
    pair = replace(FALSE if name == "premise_false" else FAITHFUL, premise="anything")
    assert judge(name, pair, FALSE) is None


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"span": "a Pneumothorax", "counterpart": "a pneumothorax"}, "unchanged"),
        ({"question": FAITHFUL.question.upper()}, "unchanged"),
        ({"question": "Is there a haemothorax on this image?"}, None),
    ],
)
def test_twins_are_two_questions(change: dict[str, object], wanted: str | None) -> None:
    assert _false(check="unchanged", **change) == wanted


@pytest.mark.parametrize(
    ("state", "change", "wanted"),
    [
        ("hallucinated", {"answer": "Yes, there is."}, "answer_contradicts"),
        ("hallucinated", {"answer": "There is none."}, "answer_contradicts"),
        ("hallucinated", {"answer": ""}, "answer_contradicts"),
        ("hallucinated", {"answer": "No. There is a pleural effusion."}, None),
        ("hallucinated", {"polarity": None, "answer": "Yes. There is one."}, "answer_contradicts"),
        ("hallucinated", {"polarity": None, "answer": "Actually, there is a pleural effusion."}, None),
        ("faithful", {"answer": "Yes, there is a pleural effusion and emphysema."}, "answer_contradicts"),
        ("faithful", {"answer": "Yes, there is a rib fracture."}, None),
        ("faithful", {"polarity": None, "answer": "No, it does not."}, "answer_contradicts"),
        ("faithful", {"polarity": None, "answer": "Yes, a pleural effusion."}, None),
        ("faithful", {"slot": "presence", "answer": "Yes, there is no pneumothorax."}, None),
        (
            "faithful",
            {"slot": "presence", "answer": "Yes, there is no pleural effusion."},
            "answer_contradicts",
        ),
    ],
)
def test_an_answer_agrees_with_its_state_and_makes_nothing_up(
    state: str, change: dict[str, object], wanted: str | None
) -> None:
    ask = _faithful if state == "faithful" else _false
    assert ask(check="answer_contradicts", **change) == wanted


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"span_start": 0}, "ill_formed"),
        ({"counterpart": "something else"}, "ill_formed"),
        ({"twin_id": "0" * 16}, "ill_formed"),
        ({"form": "describe"}, "ill_formed"),
        ({"question": "Is there a pneumothorax on this image"}, "ill_formed"),
        ({"answer": "No, there is {np}."}, "ill_formed"),
        ({"answer": "No, there is None."}, "ill_formed"),
        ({"answer": "No, there is an effusion of the right, and an mass."}, "ill_formed"),
        ({"answer": "No, there is a effusion."}, "ill_formed"),
        (
            {"answer": "No, there is a uterine fibroid, an MR image, an ulcer and a unilateral effusion."},
            None,
        ),
        ({"answer": "No,  two spaces."}, "ill_formed"),
        ({"answer": "No, a space ."}, "ill_formed"),
        ({"answer": "No, there there is."}, "ill_formed"),
        ({"answer": " No."}, "ill_formed"),
        ({"answer": ""}, "ill_formed"),
        ({"answer": "x" * 501}, "ill_formed"),
        ({"rejected": "Yes, there is a effusion."}, "ill_formed"),
        ({"rejected": "Yes, none of these."}, None),
    ],
)
def test_a_slip_of_the_template(change: dict[str, object], wanted: str | None) -> None:
    assert _false(check="ill_formed", **change) == wanted


@pytest.mark.parametrize("column", ["answer", "rejected"])
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("No, the caption says otherwise.", "names_source"),
        ("No, according to the description there is none.", "names_source"),
        ("No. As stated in the report, there is none.", "names_source"),
        ("No, the ground truth is another one.", "names_source"),
        ("No, the labels say otherwise.", "names_source"),
        ("No, the metadata name another side.", "names_source"),
        ("No, there is a pleural effusion.", None),
        ("No. The left one is as described.", None),
    ],
)
def test_an_answer_that_names_its_source(column: str, words: str, wanted: str | None) -> None:
    assert _false(check="names_source", **{column: words}) == wanted


UNSAID = "a pleural effusion; cardiomegaly is not mentioned"


@pytest.mark.parametrize(
    ("change", "reading", "wanted"),
    [
        ({"evidence": UNSAID}, SHORT, "too_little_known"),
        ({"evidence": UNSAID}, READING, None),
        ({"evidence": "no cardiomegaly"}, SHORT, None),
        ({"evidence": UNSAID, "slot": "side"}, SHORT, None),
        ({"evidence": UNSAID, "state": "faithful"}, SHORT, None),
        ({"evidence": UNSAID}, read_facts("Pleural effusion, rib fracture."), "too_little_known"),
        (
            {"evidence": UNSAID},
            read_facts("There is a pleural effusion on one of the two sides."),
            "too_little_known",
        ),
        ({"evidence": UNSAID}, read_facts("There is a pleural effusion beside a rib fracture."), None),
    ],
)
def test_silence_is_evidence_only_in_a_text_that_would_have_spoken(
    change: dict[str, object], reading: Reading, wanted: str | None
) -> None:
    assert judge("too_little_known", replace(FALSE, **change), FAITHFUL, reading) == wanted


@pytest.mark.parametrize(
    ("span", "counterpart", "wanted"),
    [
        ("a pleural effusion", "a pneumothorax", None),
        ("a" + " b" * 8, "a", None),
        ("a" + " b" * 9, "a", "unbalanced_twin"),
        ("a", "a" + " b" * 9, "unbalanced_twin"),
    ],
)
def test_twins_of_unlike_length(span: str, counterpart: str, wanted: str | None) -> None:
    change = {"span": span, "counterpart": counterpart}
    assert _faithful(check="unbalanced_twin", **change) == wanted
