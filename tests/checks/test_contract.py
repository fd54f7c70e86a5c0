"""Every check keeps good pairs and names its reason; each one's own case below."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mht import catalog
from mht.knowledge.facts import read_facts
from mht.pairing.balance import PremiseTable
from mht.pairing.params import PairingParams
from mht.pairing.twins import PairingContext, make_pairs
from mht.records import Pair

NAMES = catalog.names("checks")
CAPTION = (
    "Chest radiograph. Small left pleural effusion. No pneumothorax or cardiomegaly. Bilateral rib fractures."
)
READING = read_facts(CAPTION)


def _twins(form: str, type_: str) -> tuple[Pair, Pair]:
    plugins = tuple((n, catalog.load("perturbations", n)) for n in catalog.names("perturbations"))
    context = PairingContext(
        seed=3,
        params=PairingParams(balance=False, pairs_per_image=200),
        perturbations=tuple((name, m.perturb, m.Params()) for name, m in plugins),
        table=PremiseTable(),
    )
    pairs = make_pairs("img", "train", READING, context).pairs
    i = next(i for i, p in enumerate(pairs) if (p.form, p.type) == (form, type_) and "effusion" in p.evidence)
    return pairs[i], pairs[i + 1]


CASES = [
    (form, type_)
    for form in ("yes_no", "leading_premise")
    for type_ in ("existence", "laterality", "severity")
]


def judge(name: str, pair: Pair, twin: Pair) -> str | None:
    reason: str | None = catalog.load("checks", name).judge(pair, twin, READING)
    return reason


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("form", "type_"), CASES)
def test_a_good_pair_is_kept(name: str, form: str, type_: str) -> None:
    pair, twin = _twins(form, type_)
    assert judge(name, pair, twin) is None
    assert judge(name, twin, pair) is None


def _asked(question: str, slot: str = "finding", state: str = "hallucinated") -> tuple[Pair, Pair]:
    pair, twin = _twins("yes_no", "existence")
    bad = replace(twin if state == "hallucinated" else pair, question=question, slot=slot)
    return bad, pair


@pytest.mark.parametrize(
    ("question", "slot"),
    [
        ("Is there a pleural effusion?", "finding"),
        ("Is there pleural fluid?", "finding"),
        ("Is there a fracture?", "finding"),
        ("Is there a pleural effusion on the left?", "side"),
        ("Is there a rib fracture on the right?", "side"),
        ("Is there a small pleural effusion?", "severity"),
    ],
)
def test_a_premise_that_is_true_after_all(question: str, slot: str) -> None:
    assert judge("premise_true", *_asked(question, slot)) == "premise_true"


def test_a_false_premise_that_says_nothing() -> None:
    assert judge("premise_true", *_asked("Is there anything?", "side")) == "premise_unread"


@pytest.mark.parametrize(
    "question", ["Is there a pneumothorax?", "Is there a large pleural effusion?", "Is it?"]
)
def test_a_true_premise_that_is_not_stated(question: str) -> None:
    assert judge("premise_false", *_asked(question, state="faithful")) == "premise_false"


def test_an_unchanged_question() -> None:
    pair, twin = _twins("yes_no", "existence")
    assert (
        judge("unchanged", replace(twin, span=pair.span.upper(), counterpart=pair.span), pair) == "unchanged"
    )
    assert judge("unchanged", replace(twin, question=pair.question), pair) == "unchanged"


@pytest.mark.parametrize("answer", ["Yes, there is.", "There is none.", ""])
def test_an_answer_of_the_wrong_polarity(answer: str) -> None:
    pair, twin = _twins("yes_no", "existence")
    assert judge("answer_contradicts", replace(twin, answer=answer), pair) == "answer_contradicts"


def test_an_answer_that_makes_something_up() -> None:
    pair, twin = _twins("yes_no", "existence")
    bad = replace(pair, answer="Yes, there is a pleural effusion and emphysema.")
    assert judge("answer_contradicts", bad, twin) == "answer_contradicts"
    leading, other = _twins("leading_premise", "existence")
    assert (
        judge("answer_contradicts", replace(leading, answer="No, it does not."), other)
        == "answer_contradicts"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"span_start": 0},
        {"counterpart": "something else"},
        {"answer": "Yes, there is {np}."},
        {"answer": "Yes, there is an a effusion."},
        {"answer": "Yes,  two spaces."},
        {"answer": "Yes, there there is."},
        {"answer": "x" * 401},
        {"answer": ""},
        {"twin_id": "0" * 16},
    ],
)
def test_a_slip_of_the_template(change: dict[str, object]) -> None:
    pair, twin = _twins("yes_no", "existence")
    assert judge("ill_formed", replace(pair, **change), twin) == "ill_formed"
