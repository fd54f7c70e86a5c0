"""A history goes through a checkpoint's JSON and comes back as it was."""

from __future__ import annotations

import json
import math
from typing import Any

from mht.training.history import COLUMNS, History, held_out


def made() -> History:
    history = History()
    for step in range(3):
        figures = {name: step for name in COLUMNS} | {"loss": math.pi / (step + 1), "learning_rate": 1e-4 / 3}
        history.add(figures)
    history.validated({"loss": 0.1 + 0.2}, "the rows")
    history.seconds = 1.5
    return history


def test_json_keeps_every_number() -> None:
    history = made()
    assert History.from_plain(json.loads(json.dumps(history.plain()))) == history
    assert history.columns["loss"][2] == math.pi / 3


def test_one_row_a_step() -> None:
    table = made().table()
    assert table.column("step").to_pylist() == [0, 1, 2]
    assert table.column("loss").to_pylist() == made().columns["loss"]
    assert table.column_names == ["step", *COLUMNS]


def test_a_validation_belongs_to_the_steps_taken_by_then() -> None:
    history = made()
    assert history.validations == [{"step": 3, "rows": "the rows", "loss": 0.1 + 0.2}]
    assert history.is_validated
    history.add({name: 1 for name in COLUMNS})
    assert not history.is_validated
    assert (history.steps, history.total("images")) == (4, 4)


def entry(step: int, loss: float, rows: str | None = "a") -> dict[str, Any]:
    return {"step": step, "loss": loss} | ({} if rows is None else {"rows": rows})


def test_before_training_is_step_0_on_the_same_rows_or_nothing() -> None:
    last = entry(20, 1.5)
    assert held_out([entry(0, 2.0), entry(10, 1.7), last], 20) == [("loss", 2.0, 1.5)]
    assert held_out([entry(0, 2.0, "b"), last], 20) == [("loss", None, 1.5)], "of other rows"
    assert held_out([entry(10, 1.7), last], 20) == [("loss", None, 1.5)], "of a model that had learnt"
    assert held_out([last], 20) == [("loss", None, 1.5)]
    assert held_out([entry(0, 2.0, None), entry(20, 1.5, None)], 20) == [("loss", 2.0, 1.5)], "stored earlier"


def test_what_a_later_step_has_changed_is_not_told_as_the_end() -> None:
    assert held_out([entry(0, 2.0), entry(10, 1.7)], 20) == []
    assert held_out([], 20) == []


def test_what_was_stored_before_there_were_pairs_is_read() -> None:
    plain = made().plain()
    columns = {
        name: values for name, values in plain["columns"].items() if name not in ("margin", "preferred")
    }
    history = History.from_plain(plain | {"columns": columns})
    assert history.columns["preferred"] == [None] * 3
    history.add({name: 1 for name in COLUMNS})
    assert history.table().column("margin").to_pylist() == [None, None, None, 1.0]
