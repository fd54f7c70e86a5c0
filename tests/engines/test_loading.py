"""What the engine refuses to load, and by which words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mht.engines.transformers import Engine, Params, check, identity
from mht.errors import InputError, IntegrityError
from mht.pretrained.bases import BASE_DIGEST, CARD
from mht.pretrained.files import digest
from tests.engines import tiny
from tests.engines.one import one

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def spoil(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(copy: Path, value: float) -> None:
    spoil(copy, lambda tensors: tensors["model.norm.weight"].fill_(value))
    with pytest.raises(IntegrityError, match=r"1 tensors hold NaN or infinity: model\.norm\.weight"):
        Engine(Params(model=str(copy)))


def test_wrong_shapes_are_named_the_first_five(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))
    with pytest.raises(IntegrityError, match="6 tensors have another shape") as refused:
        Engine(Params(model=str(copy)))
    said = str(refused.value)
    assert "model.layers.0.mlp.down_proj.weight (64x128, wanted 64x96)" in said
    assert said.count("wanted") == 5
    assert "and 1 more" in said


def test_missing_tensors_are_named(copy: Path) -> None:
    spoil(copy, lambda tensors: tensors.pop("model.norm.weight"))
    with pytest.raises(IntegrityError, match=r"1 tensors are not in the weights: model\.norm\.weight"):
        Engine(Params(model=str(copy)))


def test_a_cut_file_is_named_when_it_is_loaded(copy: Path) -> None:
    body = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(body[:-100])
    with pytest.raises(IntegrityError, match=r"copy/model\.safetensors"):
        Engine(Params(model=str(copy)))


def test_weights_as_a_pickle_are_refused_when_they_are_loaded(copy: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(IntegrityError, match="is a pickle"):
        Engine(Params(model=str(copy)))


def test_a_model_that_is_not_to_be_had_is_named() -> None:
    with pytest.raises(InputError, match=f"owner/name at {COMMIT} is not to be had"):
        Engine(Params(model="owner/name", revision=COMMIT))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("config.json", "{", r"the config\.json of .*copy cannot be read"),
        ("config.json", '{"model_type": "no_such"}', r"the config\.json of .*no_such"),
        ("config.json", '{"model_type": "vit"}', "holds a vit, which writes no text"),
        ("tokenizer.json", "{", "the tokenizer of .*copy cannot be read"),
    ],
)
def test_settings_that_cannot_be_used_are_named(copy: Path, name: str, text: str, said: str) -> None:
    (copy / name).write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        Engine(Params(model=str(copy)))
    assert "\n" not in str(refused.value)


def test_a_model_that_reads_images_needs_its_processor(llava: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(llava, tmp_path / "copy")
    (folder / "processor_config.json").unlink()
    with pytest.raises(InputError, match=r"processor of .*copy cannot be read"):
        Engine(Params(model=str(folder)))


@pytest.fixture
def adapter(llava: Path, tmp_path: Path) -> Path:
    """LoRA on the language model, with weights large enough to be heard."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(3)
    base = AutoModelForImageTextToText.from_pretrained(llava)
    wrapped = get_peft_model(
        base, LoraConfig(r=4, target_modules=r".*language_model\.layers\..*\.(q_proj|v_proj)")
    )
    for name, tensor in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(tensor)
    wrapped.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_an_adapter_is_heard(engine: Engine, llava: Path, adapter: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    params = Params(model=str(llava), adapter=str(adapter))
    check(params)
    assert identity(params)["adapter"] is not None
    with Engine(params) as adapted:
        assert one(adapted).text != one(engine).text
        wrapped = PeftModel.from_pretrained(
            AutoModelForImageTextToText.from_pretrained(llava), adapter
        ).eval()
        ids = torch.tensor([[2, 20, 21, 22]])
        with torch.inference_mode():
            assert torch.allclose(adapted.loaded.model(ids).logits, wrapped(ids).logits, atol=1e-3)


def test_an_adapter_s_folder_or_a_run_s_stands_for_the_adapter_on_its_base(
    llava: Path, adapter: Path, tmp_path: Path
) -> None:
    apart = Params(model=str(llava), adapter=str(adapter))
    run = tmp_path / "run"
    shutil.copytree(adapter, run / "model")
    (run / "run.json").write_text("{}")
    for folder in (adapter, run):
        alone = Params(model=str(folder))
        check(alone)
        assert identity(alone) == identity(apart)
        with Engine(alone) as short, Engine(apart) as long:
            assert one(short) == one(long)


def test_an_adapter_of_another_model_is_refused(llava: Path, adapter: Path, tmp_path: Path) -> None:
    wider = tiny.llava(tmp_path / "wider", hidden=128)
    with pytest.raises(IntegrityError, match="is not for this model: size mismatch"):
        Engine(Params(model=str(wider), adapter=str(adapter)))
    spoiled = adapter / "adapter_model.safetensors"
    spoiled.write_bytes(spoiled.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"adapter_model\.safetensors"):
        check(Params(model=str(llava), adapter=str(adapter)))


def test_an_adapter_is_never_put_on_another_commit_of_its_base(adapter: Path) -> None:
    (adapter / CARD).write_text(json.dumps({"base_model": "some/model", "base_revision": "a" * 40}))
    check(Params(model="some/model", revision="a" * 40, adapter=str(adapter)))
    with pytest.raises(IntegrityError, match=f"trained on some/model at {'a' * 40}.*revision={'a' * 40}"):
        check(Params(model="some/model", revision="b" * 40, adapter=str(adapter)))
    check(Params(model="a/mirror", revision="b" * 40, adapter=str(adapter)))
    (adapter / CARD).write_text(json.dumps({"base_model": "some/model", "base_revision": None}))
    check(Params(model="some/model", revision="b" * 40, adapter=str(adapter)))


def test_an_adapter_is_never_put_on_another_base_of_equal_shapes(
    llava: Path, adapter: Path, tmp_path: Path
) -> None:
    card = {"base_model": "our base", "settings": {BASE_DIGEST: digest(llava)}}
    (adapter / CARD).write_text(json.dumps(card))
    check(Params(model=str(llava), adapter=str(adapter)))
    check(Params(model=str(shutil.copytree(llava, tmp_path / "moved")), adapter=str(adapter)))
    other = tiny.llava(tmp_path / "other", seed=7)
    with pytest.raises(
        IntegrityError, match=r"is not the base that the adapter was .* our base had .*: model=PATH"
    ):
        check(Params(model=str(other), adapter=str(adapter)))
    (adapter / CARD).write_text("{")
    with pytest.raises(IntegrityError, match=r"card\.json cannot be read"):
        check(Params(model=str(llava), adapter=str(adapter)))
    for silent in ("{}", "[]", '{"settings": {}}'):
        (adapter / CARD).write_text(silent)
        check(Params(model=str(other), adapter=str(adapter)))
