"""Twins: same image, same form, one edited span; and the same pairs whenever and wherever they are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace

import pytest

from mht.knowledge.facts import read_facts
from mht.pairing.twins import PairingContext, PairsMade, make_pairs, row_hash
from mht.records import Pair, Reading
from mht.schemas import PAIR_SCHEMA, to_table
from tests.pairing.corpus import context, phantoms, readings

Made = list[tuple[str, Reading, PairsMade]]


@pytest.fixture(scope="module")
def corpus() -> list[tuple[str, Reading]]:
    """So many that each kind of edit has pairs whatever the seed: of 160 images, 0 to 6 had one of a device."""
    return [*readings(120, 5), *(named for _, named in phantoms(120, 5))]


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
        for same in ("twin_id", "image_id", "split", "form", "type", "strategy", "slot", "risk", "risk_rule"):
            assert getattr(faithful, same) == getattr(false, same)
        for pair, twin in ((faithful, false), (false, faithful)):
            assert pair.question[pair.span_start : pair.span_end] == pair.span
            assert pair.span in pair.premise
            assert pair.premise in pair.question
            assert (pair.span, pair.counterpart) == (twin.counterpart, twin.span)
            before, after = pair.question[: pair.span_start], pair.question[pair.span_end :]
            assert before + pair.counterpart + after == twin.question
            assert pair.rejected != pair.answer
        assert faithful.question != false.question


def test_the_states_and_polarities_are_half_and_half_within_each_form(
    made: Made, setting: PairingContext
) -> None:
    counts = Counter((p.form, p.state, p.polarity) for _, _, m in made for p in m.pairs)
    for form in setting.params.forms:
        said = ("yes", "no") if form == "yes_no" else (None, None)
        assert counts[(form, "faithful", said[0])] == counts[(form, "hallucinated", said[1])] > 20
    assert len(counts) == 2 * len(setting.params.forms)


def test_a_rejected_answer_to_a_polar_question_has_the_other_polarity(made: Made) -> None:
    for pair in (p for _, _, m in made for p in m.pairs if p.polarity):
        assert pair.answer.casefold().startswith(pair.polarity)
        assert pair.rejected.casefold().startswith("no" if pair.polarity == "yes" else "yes")


def test_ids_are_unique_and_say_where_a_pair_belongs(made: Made) -> None:
    pairs = [p for _, _, m in made for p in m.pairs]
    assert len({p.pair_id for p in pairs}) == len({p.row_hash for p in pairs}) == len(pairs)
    assert len({p.twin_id for p in pairs}) == len(pairs) / 2
    for pair in pairs:
        state = "f" if pair.state == "faithful" else "h"
        assert pair.pair_id == f"{pair.image_id}-{pair.twin_id[:10]}{state}"
        assert len(pair.twin_id) == 16
    assert to_table(pairs, PAIR_SCHEMA).num_rows == len(pairs)


@pytest.mark.parametrize("column", [f.name for f in fields(Pair) if f.name != "row_hash"])
def test_the_hash_covers_every_other_column(made: Made, column: str) -> None:
    pair = next(p for _, _, m in made for p in m.pairs if p.polarity and p.strategy)
    assert row_hash(pair) == pair.row_hash
    value = getattr(pair, column)
    changed = (
        value + 1 if isinstance(value, int) else None if column in ("polarity", "strategy") else f"{value}!"
    )
    assert row_hash(replace(pair, **{column: changed})) != pair.row_hash


def test_no_question_is_asked_of_an_image_twice(made: Made) -> None:
    for _, _, m in made:
        asked = [frozenset(p.question.casefold().split()) for p in m.pairs]
        assert len(set(asked)) == len(asked)


def test_a_question_that_was_asked_before_is_dropped_and_counted(setting: PairingContext) -> None:
    """One fact, one form, many edits: the templates run out before the edits do."""
    reading = read_facts(
        "Two lung nodules. No pneumothorax, rib fracture or cardiomegaly. Three lung masses."
    )
    many = replace(
        setting,
        params=setting.params.model_copy(
            update={
                "balance": False,
                "pairs_per_image": 200,
                "forms": ("multiple_choice",),
                "draws_per_fact": 200,
            }
        ),
        checks=(),
    )
    dropped: Counter[str] = Counter()
    for k in range(60):
        dropped += make_pairs(f"img{k}", "train", reading, many).dropped
    assert dropped["duplicate_pair"] > 0


def test_no_more_pairs_than_asked_for_and_all_types_and_forms(made: Made, setting: PairingContext) -> None:
    assert max(len(m.pairs) for _, _, m in made) == setting.params.pairs_per_image
    pairs = [p for _, _, m in made for p in m.pairs]
    assert {p.type for p in pairs} >= {name for name, *_ in setting.perturbations} - {"attribute"}
    assert {p.form for p in pairs} == set(setting.params.forms)


@pytest.mark.parametrize("most", [2, 3, 7])
def test_the_limit_is_of_pairs_and_twins_count_twice(
    corpus: list[tuple[str, Reading]], setting: PairingContext, most: int
) -> None:
    limited = replace(setting, params=setting.params.model_copy(update={"pairs_per_image": most}))
    sizes = {len(make_pairs(i, "train", reading, limited).pairs) for i, reading in corpus[:25]}
    assert max(sizes) == most - most % 2
    assert all(size % 2 == 0 for size in sizes)


def test_wording_varies_and_names_no_source(made: Made) -> None:
    pairs = [p for _, _, m in made for p in m.pairs][:1000]
    assert len({p.question for p in pairs}) >= 400
    assert len({p.answer for p in pairs}) >= 400
    assert not any("caption" in f"{p.question}{p.answer}{p.rejected}".lower() for p in pairs)


def test_the_same_row_gives_the_same_pairs_whatever_was_made_before(
    corpus: list[tuple[str, Reading]], setting: PairingContext, made: Made
) -> None:
    again = context(list(reversed(corpus)))
    for image_id, reading, before in reversed(made[::4]):
        assert make_pairs(image_id, "train", reading, again) == before
        assert make_pairs(image_id, "train", read_facts(reading.caption), setting) == before
    other = [make_pairs(i, "train", r, context(corpus[:20], seed=2)).pairs for i, r in corpus[:5]]
    assert other != [m.pairs for _, _, m in made[:5]]


def test_what_was_dropped_is_counted(made: Made) -> None:
    dropped = sum((m.dropped for _, _, m in made), Counter())
    assert dropped["balance"] > 0
    assert set(dropped) <= {
        "balance", "duplicate_pair", "near_duplicate_pair", "premise_true", "premise_false", "too_little_known",
        "unchanged",
    }  # fmt: skip
    kept = sum(len(m.pairs) for _, _, m in made)
    assert sum(n for reason, n in dropped.items() if reason != "balance") < 0.02 * kept


def test_a_check_takes_both_twins(corpus: list[tuple[str, Reading]], setting: PairingContext) -> None:
    def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
        return "never false" if pair.state == "hallucinated" else None

    image_id, reading = corpus[0]
    made = make_pairs(image_id, "train", reading, replace(setting, checks=(("never", judge),)))
    assert made.pairs == ()
    assert made.dropped["never false"] > 0


@pytest.mark.parametrize("caption", ["Nothing of note.", "Possible pneumonia.", ""])
def test_an_image_without_facts_gets_no_pairs(setting: PairingContext, caption: str) -> None:
    assert make_pairs("x", "train", read_facts(caption), setting).pairs == ()


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


def test_evidence_names_a_fact_of_the_reading(made: Made) -> None:
    for _, reading, m in made:
        stated = {f.finding for f in reading.facts}
        for pair in m.pairs:
            words = pair.evidence.replace("-", " ")
            assert any(word.rstrip("s")[:6] in words for finding in stated for word in finding.split()), pair
