"""Balance: the wording of a question does not tell whether its premise is true."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mht.errors import IntegrityError
from mht.knowledge.facts import read_facts
from mht.knowledge.slots import BELIEF, FINDING
from mht.pairing.balance import UNIT, Acceptance, Flow, accept_probability, flow, proposed
from mht.pairing.context import PairingContext
from mht.pairing.frames import Frame
from mht.pairing.premises import PremiseSum, PremiseTable
from mht.pairing.proposals import Proposal, propose
from mht.pairing.twins import make_pairs
from mht.records import Edit, Pair, Reading
from mht.seeds import row_rng
from tests.pairing.corpus import context, phantoms, readings

EDIT = Edit("existence", 0, "finding", "a", "b", 0.5, 0.5)
FLOW = Flow("CT|show|+left|x|a|b", "CT|show|+left|x|b|a")
Premise = tuple[str, str, str]
"""Slot, finding, value; for one finding in another's place and for a belief the value alone."""


def naive_bayes_accuracy(pairs: list[Pair], folds: int = 5) -> float:
    """Bag-of-words naive Bayes on question -> state, split by image."""
    words = [re.findall(r"\w+", pair.question.lower()) for pair in pairs]
    images = {image: k % folds for k, image in enumerate(sorted({p.image_id for p in pairs}))}
    right = 0
    for fold in range(folds):
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        totals: Counter[str] = Counter()
        for pair, bag in zip(pairs, words, strict=True):
            if images[pair.image_id] != fold:
                seen[pair.state].update(bag)
                totals[pair.state] += len(bag)
        size = len(set().union(*seen.values()))
        for pair, bag in zip(pairs, words, strict=True):
            if images[pair.image_id] == fold:
                scores = {
                    state: sum(math.log((seen[state][w] + 1) / (totals[state] + size)) for w in bag)
                    for state in ("faithful", "hallucinated")
                }
                right += max(scores, key=lambda state: scores[state]) == pair.state
    return right / len(pairs)


def _accuracy(corpus: list[tuple[str, Reading]], balance: bool) -> float:
    setting = replace(context(corpus, balance=balance), checks=())
    pairs = [p for i, r in corpus for p in make_pairs(i, "train", r, setting).pairs]
    assert len(pairs) > 1000
    return naive_bayes_accuracy(pairs)


def test_a_classifier_of_words_fails_with_balance_and_succeeds_without() -> None:
    corpus = readings(400, 11)
    assert _accuracy(corpus, True) <= 0.56
    assert _accuracy(corpus, False) >= 0.60


@pytest.fixture(scope="module")
def corpus() -> list[tuple[str, Reading]]:
    """So many that what is left of an imbalance is not the draw: 250 of each kind passed by seed."""
    return [named for _, named in phantoms(600, 1)]


@pytest.fixture(scope="module")
def judged(corpus: list[tuple[str, Reading]]) -> list[tuple[str, Reading, Proposal, Acceptance]]:
    """Every proposal, each edit in one form, with what balance makes of it."""
    setting = context(corpus, pairs_per_image=200, forms_per_edit=1)
    return [
        (image_id, reading, proposal, _acceptance(proposal, setting))
        for image_id, reading in corpus
        for proposal in propose(image_id, reading, setting)
    ]


def _acceptance(proposal: Proposal, setting: PairingContext) -> Acceptance:
    rare = setting.params.rare_below
    return accept_probability(proposal.edit, proposal.flow, setting.table, rare, proposal.draws)


def _premises(reading: Reading, edit: Edit) -> tuple[Premise, Premise]:
    named = edit.slot != FINDING and not edit.slot.startswith(BELIEF)
    finding = reading.facts[edit.fact].finding if named else ""
    return (edit.slot, finding, edit.before), (edit.slot, finding, edit.after)


def test_every_premise_is_as_often_true_as_false(
    judged: list[tuple[str, Reading, Proposal, Acceptance]],
) -> None:
    """Drawn by the acceptance, as a build draws it. The tolerance is the binomial error at four sigmas and 0.1.

    An edit counts once, in the first of its forms: its forms are one draw of the corpus, not several.
    """
    true: Counter[Premise] = Counter()
    false: Counter[Premise] = Counter()
    seen: set[tuple[str, Edit]] = set()
    for image_id, reading, proposal, acceptance in judged:
        if (image_id, proposal.edit) in seen:
            continue
        seen.add((image_id, proposal.edit))
        if row_rng(5, "test", f"{image_id}{proposal.form}{proposal.edit}").random() < acceptance.probability:
            there, back = _premises(reading, proposal.edit)
            true[there] += 1
            false[back] += 1
    enough = [premise for premise in true | false if true[premise] + false[premise] >= 30]
    assert len(enough) >= 100
    assert {premise[0] for premise in enough} >= {"finding", "presence", "side", "site", "severity", "number"}
    for premise in enough:
        n = true[premise] + false[premise]
        assert abs(true[premise] / n - 0.5) <= 0.1 + 4 * 0.5 / n**0.5, (
            premise,
            true[premise],
            false[premise],
        )


def test_flows_there_and_back_are_equal_where_wordings_are_not_rare(
    judged: list[tuple[str, Reading, Proposal, Acceptance]],
) -> None:
    """In expectation, slot by slot: the mean distance of a premise's share from one half, weighted by its flow.

    What a corpus of this size leaves apart by chance goes with the number of its edits, not with the forms of each.
    """
    true: Counter[Premise] = Counter()
    false: Counter[Premise] = Counter()
    drawn: dict[str, set[tuple[str, Edit]]] = defaultdict(set)
    forms: Counter[str] = Counter()
    for image_id, reading, proposal, acceptance in judged:
        if acceptance.level < 3:
            there, back = _premises(reading, proposal.edit)
            true[there] += acceptance.probability  # type: ignore[assignment]
            false[back] += acceptance.probability  # type: ignore[assignment]
            drawn[proposal.edit.slot].add((image_id, proposal.edit))
            forms[proposal.edit.slot] += 1
    slots: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for premise in true | false:
        slots[premise[0]][0] += abs(true[premise] - false[premise]) / 2
        slots[premise[0]][1] += true[premise] + false[premise]
    for slot, (apart, total) in slots.items():
        edits = total * len(drawn[slot]) / forms[slot]
        assert apart / total <= 0.05 + 1 / edits**0.5, (slot, apart, total, edits)


def _true(reading: Reading) -> Iterator[Premise]:
    table = PremiseTable()
    table.add(reading)
    for situation in table.situations:
        if situation.terms is None and situation.slot == FINDING:
            yield FINDING, "", situation.value
        elif situation.terms is not None:
            yield (
                situation.slot,
                "" if situation.slot.startswith(BELIEF) else situation.terms.finding,
                situation.value,
            )


def test_what_is_never_true_in_the_corpus_is_never_said(
    corpus: list[tuple[str, Reading]],
    judged: list[tuple[str, Reading, Proposal, Acceptance]],
) -> None:
    """But for a value of a finding that is itself too rare to judge by."""
    stated = {premise for _, reading in corpus for premise in _true(reading)}
    refused = 0
    for _, reading, proposal, acceptance in judged:
        premise = _premises(reading, proposal.edit)[1]
        if premise in stated or (acceptance.level == 3 and premise[0] != FINDING):
            continue
        assert acceptance.probability == 0, (premise, acceptance)
        refused += 1
    assert refused > 500


def test_a_haemorrhage_is_never_white_where_all_are_red() -> None:
    """A rare frame backs off to the finding's own values, not to how common the word white is elsewhere."""
    red = read_facts("Fundus photograph. A red retinal haemorrhage in the macula.")
    others = ["Fundus photograph. A red retinal haemorrhage."] * 9 + ["A white hard exudate."] * 90
    table = context([("", red), *(("", read_facts(caption)) for caption in others)]).table
    fact = next(i for i, f in enumerate(red.facts) if f.finding == "retinal haemorrhage")
    edit = Edit("appearance", fact, "colour", "red", "white", 0.1, 0.1)
    shown = Frame(shown="site", share=UNIT)
    assert accept_probability(edit, flow(red, edit, "show", shown), table, 8) == Acceptance(0.0, 2)


def test_tables_of_parts_add_up_to_the_table_of_the_whole() -> None:
    corpus = readings(60, 3)
    whole, parts = PremiseTable(), PremiseTable()
    for k in range(3):
        part = PremiseTable()
        for _, reading in corpus[k::3]:
            part.add(reading)
        parts.merge(PremiseTable.from_bytes(part.to_bytes()))
    for _, reading in corpus:
        whole.add(reading)
    assert parts.situations == whole.situations
    total = PremiseSum()
    for k in range(3):
        part = PremiseTable()
        for _, reading in corpus[k::3]:
            part.add(reading)
        total.add(part.to_bytes())
    assert total.to_bytes() == whole.to_bytes() == parts.to_bytes()
    assert parts.counts == whole.counts
    assert parts.coarse() == whole.coarse()
    assert sum(whole.counts.values()) > 60 * UNIT


def test_a_table_comes_back_from_its_bytes_and_asked_counts_follow_what_is_added() -> None:
    corpus = [reading for _, reading in readings(20, 9)]
    table = PremiseTable()
    for reading in corpus[:10]:
        table.add(reading)
    before = dict(table.counts)
    for reading in corpus[10:]:
        table.add(reading)
    again = PremiseTable.from_bytes(table.to_bytes())
    assert again.to_bytes() == table.to_bytes()
    assert again.counts == table.counts != before
    assert again.coarse() == table.coarse()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"format":1}',
        b'{"format":9,"situations":[]}',
        b'{"format":4,"situations":[]}',
    ],
)
def test_bytes_that_are_no_table(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="Count the corpus again"):
        PremiseTable.from_bytes(data)


class Counted(PremiseTable):
    """A table with counts of its own, in UNITs."""

    def __init__(self, counts: dict[str, int]) -> None:
        super().__init__()
        self._counts = {key: n * UNIT for key, n in counts.items()}


@pytest.mark.parametrize(
    ("counts", "rare_below", "wanted"),
    [
        ({FLOW.there: 8, FLOW.back: 2, "MR|show|+left|x|a|b": 90}, 10, Acceptance(0.25, 0)),
        ({FLOW.there: 2, FLOW.back: 8}, 10, Acceptance(1.0, 0)),
        ({FLOW.there: 8, FLOW.back: 2, "MR|show|+left|x|a|b": 32}, 11, Acceptance(0.05, 1)),
        ({FLOW.there: 1, "CT|*|x|a|b": 20, "MR|*|x|b|a": 5}, 10, Acceptance(0.25, 2)),
        ({FLOW.there: 1, "CT|*|x|a|b": 20, "CT|finding|a": 1, "CT|finding|b": 9}, 10, Acceptance(0.0, 2)),
        ({"CT|finding|a": 4, "MR|finding|b": 1}, 5, Acceptance(0.0, 3)),
        ({"CT|finding|a": 4}, 5, Acceptance(0.0, 3)),
        ({}, 5, Acceptance(0.0, 3)),
    ],
)
def test_metropolis_at_the_finest_level_that_is_not_rare(
    counts: dict[str, int], rare_below: int, wanted: Acceptance
) -> None:
    found = accept_probability(EDIT, FLOW, Counted(counts), rare_below)
    assert found.probability == pytest.approx(wanted.probability)
    assert found.level == wanted.level


def test_only_the_value_of_a_fact_is_judged_by_plain_frequencies() -> None:
    table = Counted({"CT|side|a": 4, "MR|side|b": 1})
    assert accept_probability(replace(EDIT, slot="side"), FLOW, table, 5) == Acceptance(0.25, 3)


def test_proposal_odds_enter() -> None:
    table = Counted({FLOW.there: 5, FLOW.back: 5})
    uneven = replace(EDIT, forward=0.5, backward=0.25)
    assert accept_probability(uneven, FLOW, table, 5).probability == 0.5
    assert accept_probability(uneven, FLOW, table, 5, draws=2).probability == pytest.approx(0.4375 / 0.75)
    assert proposed(1.0, 3) == 1.0
    assert proposed(0.5, 2) == 0.75


def test_a_proposal_is_counted_under_the_key_that_it_is_judged_by() -> None:
    """What is proposed of a reading is a true premise of it, so the reading alone has its key."""
    for image_id, reading in readings(20, 4):
        setting = context([(image_id, reading)], forms_per_edit=20)
        for proposal in propose(image_id, reading, setting):
            form_kind = proposal.flow.there.split("|")[1]
            assert flow(reading, proposal.edit, form_kind, proposal.frame) == proposal.flow
            assert setting.table.counts.get(proposal.flow.there, 0) > 0, proposal


def test_back_offs_are_counted() -> None:
    reading = read_facts("CT of the head. A left subdural haematoma. No skull fracture.")
    many = context([(str(i), reading) for i in range(50)] + readings(100, 2), rare_below=5)
    made = make_pairs("one", "train", reading, many)
    rare = make_pairs(
        "one", "train", reading, replace(many, params=many.params.model_copy(update={"rare_below": 9999}))
    )
    assert made.backed_off < 10
    assert rare.backed_off == len(rare.pairs)
