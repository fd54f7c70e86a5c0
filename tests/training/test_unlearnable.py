"""Rows that the model cannot be given: named before the first step, left out alike at any world size and resume."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mht.artifacts import FileRecord, manifest_bytes, parquet_bytes, read_table, write_content
from mht.errors import InputError
from mht.model.examples import Turn
from mht.model.ranks import Ranks
from mht.storage import Storage, StorageParams
from mht.training.preparation import Tokeniser, speech_in, without
from mht.training.unlearnable import Checked, read
from mht.training.validation import learnable
from tests.dataset.small import write_dataset
from tests.engines import tiny
from tests.model.processes import in_ranks
from tests.training import ranked
from tests.training.sources.made import write_lines
from tests.training.test_tracking import events

STORAGE = Storage(StorageParams())
SPECIAL, LONG, CUT = "0000000000000003", "0000000000000005", "0000000000000008"


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Nine images to train on, one of them cut behind its header; a text with a special token, one over the context."""

    def change(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        words = {f"{SPECIAL}-{0:010x}f": "<image>", f"{LONG}-{1:010x}h": "effusion " * 5000}
        return [{**pair, "answer": words.get(pair["pair_id"], pair["answer"])} for pair in pairs]

    root = str(tmp_path_factory.mktemp("spoilt") / "dataset")
    write_dataset(root, change=change)
    _cut_image(Path(root))
    return root


def _cut_image(root: Path) -> None:
    manifest = json.loads((root / "MANIFEST.json").read_text())
    records = [FileRecord(**one) for one in manifest["files"]]
    for at, record in enumerate(records):
        if not record.path.startswith("images/"):
            continue
        table = read_table(STORAGE, str(root), record)
        rows = table.to_pylist()
        for row in rows:
            if row["image_id"] == CUT:
                row["image"]["bytes"] = row["image"]["bytes"][: len(row["image"]["bytes"]) // 2]
        data = parquet_bytes(pa.Table.from_pylist(rows, schema=table.schema))
        records[at] = write_content(STORAGE, str(root), record.path.rpartition("-")[0], data, len(rows))
    STORAGE.write(str(root / "MANIFEST.json"), manifest_bytes("abcdef012345", records, {}))


def words(given: list[str], spoilt: str, output: Path, *more: str, limit: float = 0.2) -> list[str]:
    """Nine images an epoch, one a step: of one of them nothing is left."""
    taken = ("data.path", "validation", "step_examples", "checkpoints", "epochs")
    usual = [word for word in given if not word.startswith(taken)]
    usual += [f"data.path={spoilt}", "validation.rows=0", "step_examples=1", "checkpoints.every_steps=4"]
    usual += ["epochs=2", "max_steps=13"]
    return [*usual, f"run.max_unlearnable={limit}", f"output={output}", *more]


def test_too_many_end_it_before_it_begins_and_a_higher_limit_goes_on(
    given: list[str], spoilt: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"over run.max_unlearnable=0.1: 6 of 36 rows"):
        ranked.run_command(words(given, spoilt, tmp_path / "run", "run.ray=false", limit=0.1))
    assert not (tmp_path / "run" / "checkpoints").exists()
    found, _ = ranked.run_command(words(given, spoilt, tmp_path / "run", "run.ray=false"))
    assert found is not None
    assert found["steps"] == 13
    assert found["rows_left_out"] == 6
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert re.search(r"rows left out\s*\|\s*\|\s*6\b", card)


def test_a_run_that_did_not_look_is_told_by_name(given: list[str], spoilt: str, tmp_path: Path) -> None:
    told = [*words(given, spoilt, tmp_path / "run"), "run.ray=false"]
    with pytest.raises(InputError, match=f"({SPECIAL}|{LONG}|{CUT})"):
        ranked.run_command([*told, "run.check_rows=false"])


def test_an_image_that_was_mended_is_looked_at_again(given: list[str], tmp_path: Path) -> None:
    """As the error says: its file is no part of the data's digest, and the run has the same name."""
    image = tiny.png(0)
    (tmp_path / "0.png").write_bytes(image[: len(image) // 2])
    (tmp_path / "1.png").write_bytes(tiny.png(1))
    rows = [{"image": f"{n}.png", "question": "is there a mass", "answer": "yes"} for n in (0, 1)]
    write_lines(tmp_path / "rows.jsonl", rows)
    told = [word for word in given if not word.startswith(("data", "validation"))]
    told += ["data.kind=table", f"data.path={tmp_path / 'rows.jsonl'}", f"output={tmp_path / 'run'}"]
    told += ["validation.rows=0", "run.ray=false"]
    with pytest.raises(InputError, match=r"(?s)1 of 2 rows cannot be learnt.*0\.png.*give new_run=true"):
        ranked.run_command(told)
    (tmp_path / "0.png").write_bytes(image)
    with pytest.raises(InputError, match="1 of 2 rows"):
        ranked.run_command(told)
    found, _ = ranked.run_command([*told, "new_run=true"])
    assert found is not None
    assert (found["rows_left_out"], found["images"]) == (0, 6)


@pytest.fixture
def preferring(given: list[str], tmp_path: Path) -> Callable[..., list[str]]:
    """Words of a run by preference on six rows, of which so many have a wrong answer."""

    def told(wrong: int, *more: str) -> list[str]:
        rows = [
            {"question": "is there a mass", "answer": "yes", "rejected": "no" * (n < wrong)} for n in range(6)
        ]
        write_lines(tmp_path / "rows.jsonl", rows)
        usual = [word for word in given if not word.startswith(("data", "validation"))]
        usual += ["data.kind=table", f"data.path={tmp_path / 'rows.jsonl'}", "data.image=null"]
        usual += ["data.rejected=rejected", "preference.beta=0.1", "validation.rows=0"]
        usual += ["run.ray=false", f"output={tmp_path / 'run'}"]
        return [*usual, *more]

    return told


@pytest.mark.parametrize(
    ("more", "said"),
    [((), "none of 6 samples has"), (("run.check_rows=false",), "the first 6 samples.*check_rows=true")],
)
def test_preference_without_a_wrong_answer_is_refused(
    preferring: Callable[..., list[str]], more: tuple[str, ...], said: str
) -> None:
    for _ in range(2):
        with pytest.raises(InputError, match=f"^preference: .*{said}.*leave preference out"):
            ranked.run_command(preferring(0, *more))


@pytest.mark.parametrize("wrong", [2, 6])
def test_how_many_have_a_wrong_answer_is_said_where_not_all_do(
    preferring: Callable[..., list[str]], tmp_path: Path, wrong: int
) -> None:
    found, progress = ranked.run_command(preferring(wrong))
    assert found is not None
    said = [line for line in progress.lines if line.startswith("preference: ")]
    assert [line.partition(";")[0] for line in said] == ["preference: 2 of 6 samples have a wrong answer"] * (
        wrong < 6
    )
    history = pq.read_table(tmp_path / "run" / "history.parquet").to_pydict()
    drawn = [
        (step, value)
        for step, name, value in events(tmp_path / "run/tensorboard")
        if name == "train/preferred"
    ]
    there = [(step, value) for step, value in enumerate(history["preferred"], start=1) if value is not None]
    assert drawn == there, "no figure where no pair was, and shares of two pairs at most"
    assert len(there) == 9 if wrong == 6 else 0 < len(there) <= 6


def test_a_list_of_rows_that_counted_no_wrong_answers_is_read(tmp_path: Path) -> None:
    (tmp_path / "unlearnable.json").write_text('{"rows": 4, "unlearnable": []}')
    assert read(STORAGE, str(tmp_path / "unlearnable.json")) == Checked(4, (), None)


def test_a_stop_is_heard_while_rows_are_looked_at(given: list[str], spoilt: str, tmp_path: Path) -> None:
    found, progress = ranked.run_command([*words(given, spoilt, tmp_path / "run"), "run.ray=false"], after=0)
    assert found is None
    assert progress.beats == []
    assert not (tmp_path / "run" / "unlearnable.json").exists()


def test_held_out_rows_that_cannot_be_asked_are_said_and_left_out(llava: Path) -> None:
    trainee = ranked.trainee_of(ranked.config_of(llava), Ranks())
    rows = ranked.held_out()
    bad = replace(rows[1].exchange, turns=(Turn("is there a <image>", "yes"),))
    said: list[str] = []
    kept = learnable([rows[0], replace(rows[1], exchange=bad), *rows[2:]], trainee, Ranks(), said.append)
    assert kept == [rows[0], *rows[2:]]
    assert len(said) == 1
    assert "1 of" in said[0]
    assert "special token" in said[0]


def test_how_a_model_is_spoken_to_is_known_before_its_weights(llava: Path) -> None:
    config = ranked.config_of(llava)
    assert speech_in(config.model, False) == ranked.trainee_of(config, Ranks()).speech


def test_an_example_is_without_what_is_left_out(llava: Path) -> None:
    trainee = ranked.trainee_of(ranked.config_of(llava), Ranks())
    one, two = ranked.examples(2)
    kept = without([one, two], {"0-0", "1-1"})
    assert [[x.exchange_id for x in example.exchanges] for example in kept] == [["1-0"]]
    sound, huge = Tokeniser(trainee.speech, trainee.chat).check([two, replace(two, image=_claims_much())])
    assert (sound.exchanges, sound.unlearnable, sound.rejected) == (2, (), 2)
    assert huge.rejected == 0
    assert [name for name, _ in huge.unlearnable] == ["1-0", "1-1"]
    assert "cannot be decoded" in huge.unlearnable[0][1]


def _claims_much() -> bytes:
    """A small PNG whose header says 65,500 x 65,500 pixels."""
    data = bytearray(tiny.png(0))
    data[16:24] = struct.pack(">II", 65_500, 65_500)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def test_they_are_left_out_at_any_world_size_and_resume(
    given: list[str], spoilt: str, tmp_path: Path
) -> None:
    """Of an epoch and a half: two ranks, then one, are as one that nothing stopped."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    found, progress = ranked.run_command(words(given, spoilt, whole, "run.ray=false"))
    assert found is not None
    [said] = [line for line in progress.lines if "cannot be learnt" in line]
    assert "6 of 36 rows" in said
    assert "unlearnable.json" in said
    plain = json.loads((whole / "unlearnable.json").read_text())
    assert plain["rows"] == 36
    reasons = {one["exchange"]: one["reason"] for one in plain["unlearnable"]}
    assert len(reasons) == 6
    assert "special token" in reasons[f"{SPECIAL}-{0:010x}f"]
    assert "the model's context" in reasons[f"{LONG}-{1:010x}h"]
    assert all("cannot be decoded" in reason for name, reason in reasons.items() if name.startswith(CUT))
    history = pq.read_table(whole / "history.parquet").slice(0, 9).to_pydict()
    assert sorted(history["images"]) == [0, *[1] * 8]
    assert sorted(history["exchanges"]) == [0, 3, 3, *[4] * 6]

    ended = in_ranks(2, ranked.leg, words(given, spoilt, cut), 6)
    assert [finished for finished, _ in ended] == [False, False]
    assert json.loads((cut / "unlearnable.json").read_text()) == plain
    assert ranked.leg(words(given, spoilt, cut))[0]
    assert ranked.losses_of(cut) == pytest.approx(ranked.losses_of(whole), rel=1e-4)
