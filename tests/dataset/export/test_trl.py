"""TRL's conversational rows: read by `datasets`, held against its documented form, and by TRL itself where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dataset.export.conftest import Export, load_with_datasets


def says(role: str, text: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": [{"type": "text", "text": text}]}]


def asks(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "image", "text": None}, {"type": "text", "text": text}]}]


def test_prompt_and_completion(exported: Export, pairs: dict[str, Any], tmp_path: Path) -> None:
    loaded = load_with_datasets(exported("format=trl"), tmp_path)
    seen = set()
    for rows in loaded.values():
        assert set(rows.column_names) == {"images", "prompt", "completion", "pair_id"}
        for row in rows:
            pair = pairs[row["pair_id"]]
            assert row["prompt"] == asks(pair["question"])
            assert row["completion"] == says("assistant", pair["answer"])
            (image,) = row["images"]
            assert image.size == (40 + int(pair["image_id"], 16), 32)
            seen.add(row["pair_id"])
    assert seen == set(pairs)


def test_prompt_chosen_and_rejected(exported: Export, pairs: dict[str, Any], tmp_path: Path) -> None:
    rows = load_with_datasets(exported("format=trl", "variant=dpo", "split=validation"), tmp_path)[
        "validation"
    ]
    assert set(rows.column_names) == {"images", "prompt", "chosen", "rejected", "pair_id"}
    assert rows.num_rows == 8
    for row in rows:
        pair = pairs[row["pair_id"]]
        assert row["prompt"] == asks(pair["question"])
        assert row["chosen"] == says("assistant", pair["answer"])
        assert row["rejected"] == says("assistant", pair["rejected"])
        assert len(row["images"]) == 1


@pytest.mark.parametrize("variant", ["sft", "dpo"])
def test_trl_takes_the_rows(variant: str, exported: Export, tmp_path: Path) -> None:
    data_utils = pytest.importorskip(
        "trl.data_utils", reason="TRL is not installed; the form was checked above"
    )
    rows = load_with_datasets(exported("format=trl", f"variant={variant}"), tmp_path)["train"]
    for row in rows:
        assert data_utils.is_conversational(row)
        (asked,) = data_utils.prepare_multimodal_messages(row["prompt"], images=row["images"])
        assert asked["content"][0]["image"] is row["images"][0]
