"""A history goes through a checkpoint's JSON and comes back as it was."""

from __future__ import annotations

import json
import math

from mht.training.history import COLUMNS, History


def made() -> History:
    history = History()
    for step in range(3):
        figures = {name: step for name in COLUMNS} | {"loss": math.pi / (step + 1), "learning_rate": 1e-4 / 3}
        history.add(figures)
    history.validated({"loss": 0.1 + 0.2})
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
    assert history.validations == [{"step": 3, "loss": 0.1 + 0.2}]
    assert history.is_validated
    history.add({name: 1 for name in COLUMNS})
    assert not history.is_validated
    assert (history.steps, history.total("images")) == (4, 4)
