"""LLaVA's JSON, held against its documented form: id, image, and turns of human and gpt that alternate."""

from __future__ import annotations

import json
from typing import Any

from PIL import Image

from tests.dataset.export.conftest import Export
from tests.dataset.small import picture


def test_every_pair_is_a_conversation_about_its_image(exported: Export, pairs: dict[str, Any]) -> None:
    out = exported("format=llava")
    seen = set()
    for split in ("test", "train", "validation"):
        rows = json.loads((out / f"{split}.json").read_text(encoding="utf-8"))
        assert isinstance(rows, list)
        for row in rows:
            assert row.keys() == {"id", "image", "conversations"}
            pair = pairs[row["id"]]
            assert pair["split"] == split
            assert row["conversations"] == [
                {"from": "human", "value": "<image>\n" + pair["question"]},
                {"from": "gpt", "value": pair["answer"]},
            ]
            assert (out / row["image"]).read_bytes() == picture(int(pair["image_id"], 16))[1]
            with Image.open(out / row["image"]) as image:
                assert image.format == {".jpg": "JPEG", ".png": "PNG"}[(out / row["image"]).suffix]
            seen.add(row["id"])
    assert seen == set(pairs)
    assert len(list(out.glob("images/*/*"))) == 13
