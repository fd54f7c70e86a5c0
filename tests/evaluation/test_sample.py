"""A limit takes whole images in a seeded order, says so, and is another run than the whole benchmark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mht.errors import RunConflict
from mht.evaluation.sample import limited
from mht.questions import Question
from tests.evaluation.asked import IMAGES, QUESTIONS, Engine, config, run, write_table

EVERY = [
    Question("b", f"{image}-{at}", f"i{image}", None, "Is it?", "yes", "closed", twin_id=f"{image}-{at ^ 1}")
    for at in range(4)
    for image in range(25)
]


def ids(limit: int | None, seed: int = 0) -> list[str]:
    return [question.row_id for question in limited(EVERY, limit, seed, "b")[0]]


def test_whole_images_are_taken_in_their_order_and_twins_stay_together() -> None:
    found, notes = limited(EVERY, 10, 0, "b")
    assert (len(found), len({question.image_id for question in found})) == (8, 2)
    assert {question.twin_id for question in found} == {question.row_id for question in found}
    assert [question.row_id for question in EVERY if question in found] == [one.row_id for one in found]
    assert notes == ["A sample: 8 of 100 questions by limit=10, on 2 images drawn by seed=0"]


def test_the_order_is_the_seeds_and_a_larger_limit_takes_nothing_away() -> None:
    assert ids(40) == ids(40)
    assert ids(40) != ids(40, seed=1)
    assert set(ids(20)) < set(ids(40)) < set(ids(99))
    assert len(ids(1)) == 4
    assert ids(None) == ids(100) == ids(1000) == [question.row_id for question in EVERY]
    assert limited(EVERY, 100, 0, "b")[1] == []


def test_a_limited_run_asks_that_much_says_so_and_is_another_run(tmp_path: Path) -> None:
    table, asked = write_table(tmp_path / "table"), list[str]()
    made = run(config(table, tmp_path / "out", "limit=10"), Engine(asked))
    assert len(asked) == len(made.benchmarks["made_up"]) == 2 * len(QUESTIONS)
    told = f"A sample: 8 of {IMAGES * len(QUESTIONS)} questions by limit=10"
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())["benchmarks"]["made_up"]
    assert report["notes"][0].startswith(told)
    for name in ("report.md", "report.html"):
        assert told in (tmp_path / "out" / name).read_text("utf-8").replace("\\", "")
    with pytest.raises(RunConflict, match="limit: 10 -> null"):
        run(config(table, tmp_path / "out"), Engine([]))
    assert run(config(table, tmp_path / "out", "limit=10"), Engine([])).run == made.run
    every = run(config(table, tmp_path / "all"), Engine([]))
    assert every.run != made.run
    assert run(config(table, tmp_path / "same", "limit=1000"), Engine([])).run == every.run
