"""LLaMA-Factory's sharegpt form: its documented schema, and its own converter where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.dataset.export.conftest import Export, rows_of_lines

COLUMNS = {"messages": "conversations", "images": "images"}


def described(out: Path, name: str) -> dict[str, Any]:
    info: dict[str, Any] = json.loads((out / "dataset_info.json").read_text())[name]
    return info


def test_supervised(exported: Export, pairs: dict[str, Any]) -> None:
    out = exported("format=llamafactory")
    seen = set()
    for split in ("test", "train", "validation"):
        info = described(out, f"mht_{split}")
        assert info == {"file_name": f"{split}.jsonl", "formatting": "sharegpt", "columns": COLUMNS}
        for row in rows_of_lines(out / info["file_name"]):
            pair = pairs[row["id"]]
            asked, answered = row["conversations"]
            assert asked == {"from": "human", "value": "<image>" + pair["question"]}
            assert answered == {"from": "gpt", "value": pair["answer"]}
            assert [(out / path).is_file() for path in row["images"]] == [True]
            seen.add(row["id"])
    assert seen == set(pairs)


def test_ranking(exported: Export, pairs: dict[str, Any]) -> None:
    out = exported("format=llamafactory", "variant=dpo", "name=chest", "split=train")
    info = described(out, "chest_train")
    assert info["ranking"] is True
    assert info["columns"] == {**COLUMNS, "chosen": "chosen", "rejected": "rejected"}
    rows = rows_of_lines(out / info["file_name"])
    assert len(rows) == 36
    for row in rows:
        pair = pairs[row["id"]]
        assert [turn["from"] for turn in row["conversations"]] == ["human"]
        assert row["chosen"] == {"from": "gpt", "value": pair["answer"]}
        assert row["rejected"] == {"from": "gpt", "value": pair["rejected"]}


@pytest.mark.parametrize("variant", ["sft", "dpo"])
def test_its_own_converter_takes_the_rows(variant: str, exported: Export) -> None:
    converter = pytest.importorskip("llamafactory.data.converter", reason="LLaMA-Factory is not installed")
    parser = pytest.importorskip("llamafactory.data.parser")
    out = exported("format=llamafactory", f"variant={variant}")
    (told,) = parser.get_dataset_list(["mht_train"], str(out))
    convert = converter.SharegptDatasetConverter(told, SimpleNamespace(media_dir=str(out)))
    for row in rows_of_lines(out / told.dataset_name):
        taken = convert(row)
        assert len(taken["_prompt"]) == 1
        assert len(taken["_response"]) == (2 if variant == "dpo" else 1)
        assert [Path(path).is_file() for path in taken["_images"]] == [True]
