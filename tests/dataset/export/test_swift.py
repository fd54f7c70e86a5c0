"""ms-swift's messages: its documented schema, and its own preprocessor where it is installed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dataset.export.conftest import Export, rows_of_lines


@pytest.mark.parametrize("variant", ["sft", "dpo"])
def test_messages_images_and_the_wrong_answer(variant: str, exported: Export, pairs: dict[str, Any]) -> None:
    out = exported("format=swift", f"variant={variant}")
    seen = set()
    for split in ("test", "train", "validation"):
        for row in rows_of_lines(out / f"{split}.jsonl"):
            pair = pairs[row.pop("pair_id")]
            assert row.pop("messages") == [
                {"role": "user", "content": "<image>" + pair["question"]},
                {"role": "assistant", "content": pair["answer"]},
            ]
            assert [(out / path).is_file() for path in row.pop("images")] == [True]
            assert row == ({"rejected_response": pair["rejected"]} if variant == "dpo" else {})
            seen.add(pair["pair_id"])
    assert seen == set(pairs)


def test_its_own_preprocessor_takes_the_rows(exported: Export) -> None:
    preprocessor = pytest.importorskip("swift.dataset.preprocessor", reason="ms-swift is not installed")
    from datasets import Dataset

    rows = rows_of_lines(exported("format=swift", "variant=dpo") / "train.jsonl")
    taken = preprocessor.AutoPreprocessor()(Dataset.from_list(rows), strict=True)
    assert len(taken) == len(rows)
    for row, before in zip(taken, rows, strict=True):
        assert row["messages"] == before["messages"]
        assert row["rejected_response"] == before["rejected_response"]
        assert [image["path"] for image in row["images"]] == before["images"]
