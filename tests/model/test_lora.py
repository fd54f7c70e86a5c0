"""What is trained: adapters on the language model's projections alone, or whole parts; kept in float32."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mht.errors import ConfigError
from mht.model.lora import Adapters, adapt, counts, unfreeze
from mht.model.parts import part_of
from tests.model.conftest import EYES, Family

FEW = Adapters(rank=4, alpha=8.0, dropout=0.0, targets=None, rslora=False, dora=False)


def trained(model: Any) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("name", ["llava", "idefics3", "qwen2_5_vl", "llama"])
def test_adapters_are_on_the_language_models_projections_alone(
    family: Callable[[str], Family], name: str
) -> None:
    names = trained(adapt(copy.deepcopy(family(name).model), FEW, seed=0))
    projections = {one.split(".lora_")[0].rpartition(".")[2] for one in names}
    assert projections == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert {part_of(one) for one in names} == {"language"}
    assert len(names) == 2 * 7 * 2, "two matrices, seven projections, two layers"


def test_a_seed_draws_the_same_adapter(family: Callable[[str], Family]) -> None:
    import torch

    def drawn(seed: int) -> Any:
        model = adapt(copy.deepcopy(family("llava").model), FEW, seed)
        return next(p for n, p in model.named_parameters() if "lora_A" in n)

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))


def test_targets_dora_and_rslora_are_as_given(family: Callable[[str], Family]) -> None:
    given = Adapters(4, 8.0, 0.1, r".*language_model\.layers\.1\.self_attn\.(q|v)_proj", True, True)
    model = adapt(copy.deepcopy(family("llava").model), given, seed=0)
    kinds = {name.split(".layers.1.self_attn.")[1] for name in trained(model)}
    assert {kind.split(".")[0] for kind in kinds} == {"q_proj", "v_proj"}
    assert any("magnitude" in kind for kind in kinds)
    config = model.active_peft_config
    assert (config.use_rslora, config.lora_dropout) == (True, 0.1)


def test_a_regex_for_whole_layers_means_the_linear_modules_in_them(family: Callable[[str], Family]) -> None:
    given = Adapters(4, 8.0, 0.0, r".*language_model\.layers\.0\.self_attn.*", False, False)
    assert len(trained(adapt(copy.deepcopy(family("llava").model), given, seed=0))) == 8


@pytest.mark.parametrize("name", EYES)
def test_the_projectors_own_weights_are_trained_beside_adapters(
    family: Callable[[str], Family], name: str
) -> None:
    given = copy.deepcopy(family(name).model)
    wanted = {n for n, _ in given.named_parameters() if part_of(n) == "projector"} - {"model.image_newline"}
    model = adapt(given, replace(FEW, projector=True), seed=0)
    names = trained(model)
    assert {part_of(one) for one in names} == {"language", "projector"}
    beside = {one.removeprefix("base_model.model.") for one in names if part_of(one) == "projector"}
    assert {one.replace("modules_to_save.default.", "") for one in beside} == wanted
    assert all("lora_" in one for one in names if part_of(one) == "language")


def test_a_projector_that_is_not_there_or_adapted_already_is_told(family: Callable[[str], Family]) -> None:
    with pytest.raises(ConfigError, match="projector: the model has none"):
        adapt(copy.deepcopy(family("llama").model), replace(FEW, projector=True), seed=0)
    both = replace(FEW, projector=True, targets=r".*(q_proj|linear_1)")
    with pytest.raises(ConfigError, match=r"multi_modal_projector\.linear_1 is of the projector"):
        adapt(copy.deepcopy(family("llava").model), both, seed=0)


def test_targets_may_adapt_the_vision_tower(family: Callable[[str], Family]) -> None:
    names = trained(adapt(copy.deepcopy(family("llava").model), replace(FEW, targets=".*_proj"), seed=0))
    assert {part_of(one) for one in names} == {"language", "vision"}


def test_targets_that_mean_nothing_are_told_with_near_names(family: Callable[[str], Family]) -> None:
    given = Adapters(4, 8.0, 0.0, r".*language_model\.layers\.0\.self_attn\.q_prj", False, False)
    with pytest.raises(ConfigError, match=r"near ones are .*layers\.0\.self_attn\.q_proj"):
        adapt(copy.deepcopy(family("llava").model), given, seed=0)


def test_what_is_trained_is_float32_and_the_rest_as_it_was(family: Callable[[str], Family]) -> None:
    import torch

    model = adapt(copy.deepcopy(family("llava").model).to(torch.bfloat16), FEW, seed=0)
    kinds = {(parameter.requires_grad, parameter.dtype) for parameter in model.parameters()}
    assert kinds == {(True, torch.float32), (False, torch.bfloat16)}


def test_full_training_is_of_the_parts_that_are_named(family: Callable[[str], Family]) -> None:
    model = copy.deepcopy(family("llava").model)
    unfreeze(model, ["language", "projector"])
    assert {part_of(name) for name in trained(model)} == {"language", "projector"}
    some, every = counts(model)
    assert 0 < some < every == sum(parameter.numel() for parameter in model.parameters())


def test_a_model_without_the_part_is_told(family: Callable[[str], Family]) -> None:
    with pytest.raises(ConfigError, match="none of the parts vision"):
        unfreeze(copy.deepcopy(family("llama").model), ["vision"])
