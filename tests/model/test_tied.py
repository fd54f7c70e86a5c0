"""Merging where head and embeddings are one weight: the adapted one gets its own, the other stays as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

from mht.model.exporting import Export, export_model, merge_adapter
from mht.model.lora import Adapters, adapt
from mht.pretrained.loading import adapted, model_in
from tests.engines import tiny
from tests.model.adapted import PLAIN, card_of, logits
from tests.model.conftest import EYES, Family

HEAD = Adapters(4, 16.0, 0.0, r"(.*\.layers\.0\..*q_proj)|lm_head", rslora=False, dora=False)
SAID = {"input_ids": torch.tensor([[2, 20, 21, 22, 23, 24, 25]])}

pytestmark = pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`:UserWarning:peft")


@pytest.fixture
def tied(family: Callable[[str], Family], tmp_path: Path) -> Callable[[str], Path]:
    """A family's folder, with the embeddings in the place of the head."""

    def made(name: str) -> Path:
        model = model_in(family(name).folder, torch.float32)
        model.config.tie_word_embeddings = model.config.get_text_config().tie_word_embeddings = True
        model.tie_weights()
        model.save_pretrained(tmp_path / "base")
        assert shared(plain(tmp_path / "base"))
        return tmp_path / "base"

    return made


def plain(folder: Path) -> Any:
    kind = "vision_config" in json.loads((folder / "config.json").read_text())
    return (AutoModelForImageTextToText if kind else AutoModelForCausalLM).from_pretrained(folder)


def shared(model: Any) -> bool:
    return model.get_input_embeddings().weight is model.get_output_embeddings().weight


def drawn(module: Any) -> Any:
    """With an adapter that changes something: a new one does not."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.3)
    return module


def exported(module: Any, base: Path, out: Path) -> tuple[Any, Any]:
    """What plain transformers and PEFT load of the adapter on its base, and of the two merged."""
    export = Export(base, card_of(base))
    export_model(module, PLAIN, str(out / "adapter"), export)
    export_model(module, PLAIN, str(out / "merged"), replace(export, merge=True))
    return PeftModel.from_pretrained(plain(base), out / "adapter"), plain(out / "merged")


def same(one: Any, other: Any) -> bool:
    """To 1e-5 of the largest logit."""
    first, second = logits(one, SAID), logits(other, SAID)
    return float((first - second).abs().max()) < 1e-5 * float(first.abs().max())


@pytest.mark.parametrize("name", [*EYES, "llama"])
def test_a_merged_head_leaves_the_embeddings_it_was_tied_to(
    tied: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    base = tied(name)
    beside, merged = exported(drawn(adapt(model_in(base, torch.float32), HEAD, seed=0)), base, tmp_path)
    assert not same(plain(base), beside)
    assert same(beside, merged)
    assert merged.get_input_embeddings().weight.equal(plain(base).get_input_embeddings().weight)
    assert not merged.config.tie_word_embeddings
    assert not merged.config.get_text_config().tie_word_embeddings


def test_merged_embeddings_leave_the_head(tied: Callable[[str], Path], tmp_path: Path) -> None:
    """An adapter of others', for ours are on linear modules."""
    base = tied("llama")
    config = LoraConfig(r=4, target_modules=["embed_tokens"], init_lora_weights=False)
    get_peft_model(model_in(base, torch.float32), config).save_pretrained(
        tmp_path / "adapter", save_embedding_layers=False
    )
    merge_adapter(base, tmp_path / "adapter", tmp_path / "merged")
    beside = PeftModel.from_pretrained(plain(base), tmp_path / "adapter")
    assert not same(plain(base), beside)
    assert same(beside, plain(tmp_path / "merged"))


def test_what_is_asked_with_an_adapter_on_a_tied_head_is_right_too(
    tied: Callable[[str], Path], tmp_path: Path
) -> None:
    base = tied("llava")
    beside, _ = exported(drawn(adapt(model_in(base, torch.float32), HEAD, seed=0)), base, tmp_path)
    assert same(beside, adapted(model_in(base, torch.float32), tmp_path / "adapter").merge_and_unload())


def test_a_tied_model_whose_head_is_not_adapted_stays_tied(
    tied: Callable[[str], Path], tmp_path: Path
) -> None:
    base = tied("llava")
    few = replace(HEAD, targets=None)
    beside, merged = exported(drawn(adapt(model_in(base, torch.float32), few, seed=0)), base, tmp_path)
    assert same(beside, merged)
    assert shared(merged)
    assert merged.config.tie_word_embeddings


def test_an_untied_head_is_merged_into_the_config_as_it_was(tmp_path: Path) -> None:
    base = tiny.text_only(tmp_path / "base", layers=1)
    beside, merged = exported(drawn(adapt(model_in(base, torch.float32), HEAD, seed=0)), base, tmp_path)
    assert same(beside, merged)
    configs = [json.loads((one / "config.json").read_text()) for one in (base, tmp_path / "merged")]
    assert configs[0] == configs[1]
