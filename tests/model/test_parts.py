"""Vision tower, projector and language model by the names of their parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mht.model.parts import part_of
from tests.model.conftest import EYES, Family


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("model.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight", "vision"),
        ("model.visual.blocks.1.attn.qkv.weight", "vision"),
        ("model.visual.merger.mlp.0.weight", "projector"),
        ("model.multi_modal_projector.linear_1.bias", "projector"),
        ("model.image_newline", "projector"),
        ("model.connector.modality_projection.proj.weight", "projector"),
        ("base_model.model.model.language_model.layers.0.mlp.up_proj.lora_A.default.weight", "language"),
        ("model.text_model.layers.3.input_layernorm.weight", "language"),
        ("lm_head.weight", "language"),
    ],
)
def test_names(name: str, part: str) -> None:
    assert part_of(name) == part


@pytest.mark.parametrize("name", EYES)
def test_every_family_has_all_three_and_text_passes_through_the_language_model_alone(
    family: Callable[[str], Family], name: str
) -> None:
    model = family(name).model
    found = {part_of(parameter) for parameter, _ in model.named_parameters()}
    assert found == {"vision", "projector", "language"}
    text = {*model.get_decoder().parameters(), *model.get_output_embeddings().parameters()}
    of_language = {p for n, p in model.named_parameters() if part_of(n) == "language"}
    assert of_language == text
