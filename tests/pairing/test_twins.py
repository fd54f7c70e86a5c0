"""Twins: same image, same form, one edited span; and the same pairs whenever and wherever they are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mht.knowledge.facts import read_facts
from mht.pairing.twins import PairingContext, PairsMade, make_pairs, row_hash
from mht.records import Pair, Reading
from mht.schemas import PAIR_SCHEMA, to_table
from tests.pairing.corpus import context, readings

Made = list[tuple[str, Reading, PairsMade]]


@pytest.fixture(scope="module")
def corpus() -> list[tuple[str, Reading]]:
    return readings(400, 5)


@pytest.fixture(scope="module")
def setting(corpus: list[tuple[str, Reading]]) -> PairingContext:
    return context(corpus)


@pytest.fixture(scope="module")
def made(corpus: list[tuple[str, Reading]], setting: PairingContext) -> Made:
    return [(i, reading, make_pairs(i, "train", reading, setting)) for i, reading in corpus]


def _twins(made: Made) -> list[tuple[Pair, Pair]]:
    return [(m.pairs[k], m.pairs[k + 1]) for _, _, m in made for k in range(0, len(m.pairs), 2)]


def test_twins_stand_side_by_side_with_one_span_between_them(made: Made) -> None:
    twins = _twins(made)
    assert len(twins) > 400
    for faithful, false in twins:
        assert (faithful.state, false.state) == ("faithful", "hallucinated")
        for same in ("twin_id", "image_id", "split", "form", "type", "slot", "risk", "risk_rule"):
            assert getattr(faithful, same) == getattr(false, same)
        for pair, twin in ((faithful, false), (false, faithful)):
            assert pair.question[pair.span_start : pair.span_end] == pair.span
            assert (pair.span, pair.counterpart) == (twin.counterpart, twin.span)
            before, after = pair.question[: pair.span_start], pair.question[pair.span_end :]
            assert before + pair.counterpart + after == twin.question
        assert faithful.question != false.question
        assert faithful.answer != false.answer


def test_polarity_is_half_and_half_within_each_form(made: Made) -> None:
    counts = Counter((p.form, p.state, p.polarity) for _, _, m in made for p in m.pairs)
    assert counts[("yes_no", "faithful", "yes")] == counts[("yes_no", "hallucinated", "no")] > 100
    leading = counts[("leading_premise", "faithful", None)]
    assert leading == counts[("leading_premise", "hallucinated", None)]
    assert leading > 100
    assert len(counts) == 4


def test_ids_are_unique_and_hashes_cover_every_other_column(made: Made) -> None:
    pairs = [p for _, _, m in made for p in m.pairs]
    assert len({p.pair_id for p in pairs}) == len(pairs)
    assert len({p.row_hash for p in pairs}) == len(pairs)
    for pair in pairs[:50]:
        assert (
            pair.pair_id == f"{pair.image_id}-{pair.twin_id[:10]}{'f' if pair.state == 'faithful' else 'h'}"
        )
        assert len(pair.twin_id) == 16
        assert row_hash(pair) == pair.row_hash
        assert row_hash(replace(pair, answer=pair.answer + "!")) != pair.row_hash
    assert to_table(pairs, PAIR_SCHEMA).num_rows == len(pairs)


def test_no_more_pairs_than_asked_for_and_all_types_and_forms(made: Made, setting: PairingContext) -> None:
    assert max(len(m.pairs) for _, _, m in made) <= setting.params.pairs_per_image
    pairs = [p for _, _, m in made for p in m.pairs]
    assert {p.type for p in pairs} >= {"existence", "laterality", "severity"}
    assert {p.form for p in pairs} == set(setting.params.forms)


def test_wording_varies(made: Made) -> None:
    pairs = [p for _, _, m in made for p in m.pairs][:1000]
    assert len({p.question for p in pairs}) >= 200
    assert len({p.answer for p in pairs}) >= 200
    assert not any("caption" in (p.question + p.answer).lower() for p in pairs)


def test_the_same_row_gives_the_same_pairs(
    corpus: list[tuple[str, Reading]], setting: PairingContext
) -> None:
    again = context(list(reversed(corpus)))
    for image_id, reading in corpus[:60]:
        assert make_pairs(image_id, "train", reading, setting) == make_pairs(
            image_id, "train", reading, again
        )
    other = [make_pairs(i, "train", r, context(corpus, seed=2)).pairs for i, r in corpus[:20]]
    assert other != [make_pairs(i, "train", r, setting).pairs for i, r in corpus[:20]]


def test_what_was_dropped_is_counted(made: Made) -> None:
    dropped = sum((m.dropped for _, _, m in made), Counter())
    assert dropped["balance"] > 0
    assert set(dropped) <= {"balance", "premise_true", "premise_false", "premise_unread", "ill_formed"}


def test_a_check_takes_both_twins(corpus: list[tuple[str, Reading]], setting: PairingContext) -> None:
    def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
        return "never false" if pair.state == "hallucinated" else None

    made = make_pairs(*_first(corpus), replace(setting, checks=(("never", judge),)))
    assert made.pairs == ()
    assert made.dropped["never false"] > 0


def _first(corpus: list[tuple[str, Reading]]) -> tuple[str, str, Reading]:
    return corpus[0][0], "train", corpus[0][1]


def test_an_image_without_enough_facts_gets_fewer_pairs(setting: PairingContext) -> None:
    assert make_pairs("x", "train", read_facts("Nothing of note."), setting).pairs == ()
    assert make_pairs("x", "train", read_facts("No pneumothorax."), setting).pairs == ()


def test_the_trace_tells_every_step(corpus: list[tuple[str, Reading]], setting: PairingContext) -> None:
    image_id, reading = corpus[0]
    trace: list[str] = []
    made = make_pairs(image_id, "train", reading, setting, trace)
    assert made == make_pairs(image_id, "train", reading, setting)
    told = "\n".join(trace)
    assert all(f"fact {i}:" in told for i in range(len(reading.facts)))
    assert "accepted with" in told
    for pair in made.pairs:
        assert f"{pair.pair_id} {pair.state}: {pair.question} -> {pair.answer}" in told
        assert f"check premise_true on {pair.pair_id}: keep" in told


def test_evidence_is_the_stated_fact(made: Made) -> None:
    for _, reading, m in made[:50]:
        stated = {f.finding for f in reading.facts}
        for pair in m.pairs:
            assert any(finding in pair.evidence for finding in stated)
