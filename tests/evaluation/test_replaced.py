"""Images that were replaced: what was said of another one is no answer, and the same one costs no call."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mht.errors import BudgetSpent
from mht.generation import Reply
from tests.engines import tiny
from tests.engines.scripted_endpoint import scripted_endpoint
from tests.evaluation.asked import FAKE, IMAGES, QUESTIONS, Engine, config, run, write_table
from tests.evaluation.graded import grade, judge, keys

ROWS = IMAGES * len(QUESTIONS)


def about(image: int) -> set[str]:
    return {f"made_up/{image}-{at}" for at in range(len(QUESTIONS))}


def test_an_image_that_could_not_be_read_and_five_others_are_replaced(tmp_path: Path) -> None:
    table = write_table(tmp_path / "copy")
    (tmp_path / "copy" / "0.png").write_bytes(b"no image at all")
    given, asked = config(table, tmp_path / "out"), list[str]()
    made = run(given, Engine(asked))
    assert made.answered("made_up") == (ROWS - 4, ROWS)
    for image in range(IMAGES):
        (tmp_path / "copy" / f"{image}.png").write_bytes(tiny.png(100 + image))
    later: list[str] = []
    made = run(given, Engine(later))
    assert len(asked) == ROWS - 4
    assert len(later) == ROWS
    assert made.answered("made_up") == (ROWS, ROWS)
    assert {row.failure for row in made.benchmarks["made_up"]} == {None}


def test_only_rows_about_the_image_that_was_replaced_are_asked_again(tmp_path: Path) -> None:
    given, asked = config(write_table(tmp_path / "copy"), tmp_path / "out"), list[str]()
    run(given, Engine(asked))
    (tmp_path / "copy" / "3.png").write_bytes(tiny.png(100))
    later: list[str] = []
    run(given, Engine(later))
    assert set(later) == about(3)
    assert len(later) == len(QUESTIONS)
    run(given, Engine(later))
    assert len(later) == len(QUESTIONS)


def test_a_touched_or_moved_image_costs_no_call_and_is_looked_at_once(tmp_path: Path) -> None:
    given, asked = config(write_table(tmp_path / "copy"), tmp_path / "out"), list[str]()
    first = run(given, Engine(asked))
    os.utime(tmp_path / "copy" / "3.png", (1, 1))
    again = run(given, Engine(asked))
    assert len(asked) == ROWS
    assert again.benchmarks == first.benchmarks
    records = sorted(path.name for path in (tmp_path / "out").glob("commits/*/*.json"))
    assert records == ["00000.1.json", "00001.1.json", "00001.2.json", "00002.1.json"]
    run(given, Engine(asked))
    assert sorted(path.name for path in (tmp_path / "out").glob("commits/*/*.json")) == records
    (tmp_path / "copy").rename(tmp_path / "moved")
    run(config(str(tmp_path / "moved" / "table.csv"), tmp_path / "out"), Engine(asked))
    assert len(asked) == ROWS


def test_a_reply_that_was_ready_when_the_engine_stopped_is_of_its_image(tmp_path: Path) -> None:
    def stop(replies: list[Reply]) -> None:
        raise BudgetSpent("no more", replies)

    given, asked = config(write_table(tmp_path / "copy"), tmp_path / "out"), list[str]()
    with pytest.raises(BudgetSpent):
        run(given, Engine(asked, 6, stop))
    assert set(asked) == about(0) | {"made_up/1-0", "made_up/1-1"}
    (tmp_path / "copy" / "0.png").write_bytes(tiny.png(100))
    later: list[str] = []
    run(given, Engine(later))
    assert about(0) <= set(later)
    assert not {"made_up/1-0", "made_up/1-1"} & set(later)
    assert len(later) == ROWS - 2


def test_a_judge_that_is_shown_the_image_judges_another_one_anew(tmp_path: Path) -> None:
    table, asked = write_table(tmp_path / "copy"), list[str]()
    with scripted_endpoint(says=grade) as endpoint:
        looks = keys(endpoint, **{"judges.endpoint.image": "true"})
        seeing = config(table, tmp_path / "seeing", 'metrics={"judged": {}}', model=FAKE | looks)
        blind = config(table, tmp_path / "blind", 'metrics={"judged": {}}', model=FAKE | keys(endpoint))
        calls = []
        for image in (None, tiny.png(100)):
            if image is not None:
                (tmp_path / "copy" / "3.png").write_bytes(image)
            for given in (seeing, blind):
                before = len(endpoint.calls)
                judge(given, endpoint, model=Engine(asked), read_timeout_s=60, total_timeout_s=120)
                calls.append(len(endpoint.calls) - before)
    assert len(asked) == 2 * (ROWS + len(QUESTIONS))
    assert calls == [ROWS, ROWS, len(QUESTIONS), 0]
