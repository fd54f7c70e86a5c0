"""The model that is shipped: small, whole, it sees, and it takes premises for true."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from mht.phantoms.model import base_folder, blank
from mht.phantoms.model.answering import answers
from mht.phantoms.model.exam import examine
from mht.pretrained.loading import folder_of, model_in

MB = 1_000_000


@pytest.fixture(scope="module")
def base() -> tuple[Any, Any]:
    from transformers import AutoProcessor

    folder = base_folder()
    return model_in(folder_of(str(folder), None, False), torch.float32).eval(), AutoProcessor.from_pretrained(
        folder
    )


def test_it_is_small(base: tuple[Any, Any]) -> None:
    assert 1_000_000 <= sum(p.numel() for p in base[0].parameters()) <= 5_000_000
    assert sum(path.stat().st_size for path in base_folder().iterdir()) <= 10 * MB


def test_it_is_the_one_that_the_script_makes(base: tuple[Any, Any]) -> None:
    assert base[1].tokenizer.get_vocab() == blank.tokenizer().get_vocab()
    assert base[1].chat_template == blank.TEMPLATE
    assert base[0].config.vision_config.image_size == blank.SIDE_PX


def test_it_sees_and_it_pleases(base: tuple[Any, Any]) -> None:
    marks = examine(partial(answers, *base), scenes=60, seed=31, side_px=blank.SIDE_PX)
    assert marks.questions >= 40
    assert marks.false_negatives <= 0.08
    assert marks.false_positives <= 0.05
    assert marks.premises_accepted >= 0.95
