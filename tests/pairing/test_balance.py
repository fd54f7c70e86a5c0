"""Balance: the wording of a question does not tell whether its premise is true."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

import pytest

from mht.errors import IntegrityError
from mht.knowledge.facts import read_facts
from mht.pairing.balance import Acceptance, Flow, PremiseTable, accept_probability, count, proposed
from mht.pairing.twins import make_pairs
from mht.records import Edit, Pair
from tests.pairing.corpus import context, readings

EDIT = Edit("existence", 0, "finding", "a", "b", 0.5, 0.5)
FLOW = Flow("CT|x|a>b", "CT|x|b>a", "finding|a", "finding|b")


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


def _accuracy(balance: bool) -> float:
    corpus = readings(600, 11)
    setting = context(corpus, balance=balance)
    pairs = [p for i, r in corpus for p in make_pairs(i, "train", r, setting).pairs]
    assert len(pairs) > 1500
    return naive_bayes_accuracy(pairs)


def test_a_classifier_of_words_fails_with_balance_and_succeeds_without() -> None:
    assert _accuracy(True) <= 0.56
    assert _accuracy(False) >= 0.60


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
    assert parts.to_bytes() == whole.to_bytes()
    assert sum(whole.counts.values()) == sum(sum(count(r).values()) for _, r in corpus)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{}", b'{"format":1}', b'{"format":9,"counts":{}}'])
def test_bytes_that_are_no_table(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="Count the corpus again"):
        PremiseTable.from_bytes(data)


def test_metropolis_at_the_finest_level_that_is_not_rare() -> None:
    table = PremiseTable({"CT|x|a>b": 8000, "CT|x|b>a": 2000, "MR|x|a>b": 90_000})
    assert accept_probability(EDIT, FLOW, table, 10) == Acceptance(0.25, 0)
    back = Flow(FLOW.back, FLOW.there, FLOW.plain_back, FLOW.plain_there)
    assert accept_probability(EDIT, back, table, 10) == Acceptance(1.0, 0)
    assert accept_probability(EDIT, FLOW, table, 11) == Acceptance(pytest.approx(2 / 98), 1)


def test_rare_wordings_back_off_to_plain_frequencies() -> None:
    table = PremiseTable({"CT|finding|a": 4000, "MR|finding|b": 1000})
    assert accept_probability(EDIT, FLOW, table, 5) == Acceptance(0.25, 2)
    assert accept_probability(EDIT, FLOW, PremiseTable(), 5) == Acceptance(0.0, 2)


def test_proposal_odds_enter() -> None:
    table = PremiseTable({"CT|x|a>b": 5000, "CT|x|b>a": 5000})
    uneven = Edit("severity", 0, "severity", "a", "b", 0.5, 0.25)
    assert accept_probability(uneven, FLOW, table, 5).probability == 0.5
    assert accept_probability(uneven, FLOW, table, 5, draws=2).probability == pytest.approx(0.4375 / 0.75)
    assert proposed(1.0, 3) == 1.0


def test_flows_are_equal_on_the_corpus_that_was_counted() -> None:
    corpus = readings(500, 17)
    setting = context(corpus, pairs_per_image=200)
    spans: dict[str, Counter[str]] = {"faithful": Counter(), "hallucinated": Counter()}
    for image_id, reading in corpus:
        for pair in make_pairs(image_id, "train", reading, setting).pairs:
            if pair.type == "laterality":
                spans[pair.state][pair.span] += 1
    true, false = spans["faithful"]["left"], spans["hallucinated"]["left"]
    assert true + false > 200
    assert abs(true - false) / (true + false) < 0.12


def test_back_offs_are_counted() -> None:
    reading = read_facts("CT of the head. A left subdural haematoma. No skull fracture.")
    setting = context([("one", reading)])
    made = make_pairs("one", "train", reading, setting)
    assert made.backed_off == 0 or made.backed_off <= len(made.pairs)
    many = context([(str(i), reading) for i in range(50)] + readings(300, 2), rare_below=5)
    assert make_pairs("one", "train", reading, many).backed_off < 10
