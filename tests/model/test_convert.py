"""`mht convert`: what a converted model computes, what comes back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from mht.cli import main
from mht.engines.transformers import Engine, Params
from mht.generation import Request
from mht.model.convert import convert
from mht.pretrained.chat import Chat
from mht.pretrained.files import weights
from mht.pretrained.loading import model_in, reader_in
from tests.engines import tiny
from tests.model import llava_med

QUESTION = "Is there a nodule?"
PICTURE = tiny.png(3, 56, 40)
MISTRAL = f"[INST] <image>\n{QUESTION} [/INST]"
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
    f"and polite answers to the user's questions. USER: <image>\n{QUESTION} ASSISTANT:"
)


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for path in weights(folder) for name, tensor in load_file(path).items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


def as_loaded(folder: Path) -> tuple[Any, Chat]:
    model = model_in(folder, torch.float32).eval()
    return model, Chat(*reader_in(folder, model))


def logits_of(folder: Path, picture: bytes = PICTURE) -> torch.Tensor:
    """[tokens, vocabulary] of the question about the picture, through the processor's own input."""
    model, chat = as_loaded(folder)
    text = chat.render([("user", QUESTION)], image=True, reply=True)
    ids, pixels = chat.process([text], [picture])
    with torch.no_grad():
        made: torch.Tensor = model(input_ids=torch.tensor(ids), **pixels).logits[0]
    return made


def agrees(output: Path, source: llava_med.Tiny, prompt: str, picture: bytes = PICTURE) -> None:
    wanted, given = source.logits(prompt, picture), logits_of(output, picture)
    assert given.shape == (len(wanted), 384)
    assert wanted.std() > 0.1
    torch.testing.assert_close(given[:, : wanted.shape[1]], wanted, rtol=0, atol=1e-5)
    # No row that was added can be the likeliest.
    assert (given[:, wanted.shape[1] :].max(1).values < wanted.max(1).values).all()


@pytest.mark.parametrize("picture", [PICTURE, tiny.png(4, 40, 56), tiny.png(5, 28)])
def test_the_logits_are_those_of_a_direct_computation(
    source: llava_med.Tiny, converted: Path, picture: bytes
) -> None:
    agrees(converted, source, MISTRAL, picture)


@pytest.mark.parametrize(
    ("prompt", "how"),
    [
        (VICUNA, {"text": "llama", "projector": "linear", "legacy": False}),
        (VICUNA, {"text": "llama", "inside": False, "image_aspect_ratio": "square"}),
        (MISTRAL, {"projector": "mlp1x_gelu", "legacy": False, "mm_vision_select_feature": "cls_patch"}),
        (MISTRAL, {"mm_vision_select_layer": -1, "model_type": "llava", "inside": False}),
    ],
)
def test_other_kinds_compute_the_same_and_come_back_bit_for_bit(
    prompt: str, how: dict[str, Any], tmp_path: Path
) -> None:
    source = llava_med.make(tmp_path, **how)
    output, back = tmp_path / "out", tmp_path / "back"
    convert(str(source.folder), str(output), [f"vision_tower={source.tower_folder}"])
    agrees(output, source, prompt)
    convert(str(output), str(back), ["layout=original"])
    assert same(tensors(back), tensors(source.folder))


def test_a_tower_of_openai_s_needs_no_folder(tmp_path: Path) -> None:
    source = llava_med.make(tmp_path, width=64, mm_vision_tower="openai/clip-vit-large-patch14-336")
    convert(str(source.folder), str(tmp_path / "out"), [])
    agrees(tmp_path / "out", source, MISTRAL)


def test_a_tower_that_the_source_names_is_found_beside_it(tmp_path: Path) -> None:
    source = llava_med.make(tmp_path, inside=False, mm_vision_tower="../tower")
    convert(str(source.folder), str(tmp_path / "out"), [])
    agrees(tmp_path / "out", source, MISTRAL)


def test_the_round_trip_keeps_tensors_config_and_tokens(
    source: llava_med.Tiny, converted: Path, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    convert(str(converted), str(back), ["layout=original"])
    assert same(tensors(back), tensors(source.folder))
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        assert json.loads((back / name).read_text()) == json.loads((source.folder / name).read_text())
    before, after = (json.loads((folder / "tokenizer.json").read_text()) for folder in (source.folder, back))
    assert after == before


def test_the_way_back_knows_what_training_saves(
    source: llava_med.Tiny, converted: Path, tmp_path: Path
) -> None:
    """transformers writes other names and its own config; the record and the tensors survive."""
    model, chat = as_loaded(converted)
    with torch.no_grad():
        model.lm_head.weight[5] += 1
    model.save_pretrained(tmp_path / "trained")
    chat.processor.save_pretrained(tmp_path / "trained")
    convert(str(tmp_path / "trained"), str(tmp_path / "back"), ["layout=original", "tower_inside=false"])
    wanted = {
        name: one for name, one in tensors(source.folder).items() if not name.startswith(llava_med.TOWER)
    }
    wanted["lm_head.weight"][5] += 1
    assert same(tensors(tmp_path / "back"), wanted)


def test_a_single_layer_that_was_trained_as_two_comes_back_as_one(tmp_path: Path) -> None:
    source = llava_med.make(tmp_path, projector="linear")
    convert(str(source.folder), str(tmp_path / "out"), [f"vision_tower={source.tower_folder}"])
    (path,) = weights(tmp_path / "out")
    changed = load_file(path)
    second, shift = (changed[f"multi_modal_projector.linear_2.{kind}"] for kind in ("weight", "bias"))
    second += 0.1 * torch.randn(64, 64)
    shift += 1
    save_file(changed, path, metadata={"format": "pt"})
    convert(str(tmp_path / "out"), str(tmp_path / "back"), ["layout=original"])
    features = torch.randn(5, 32)
    weight, bias = (tensors(tmp_path / "back")[f"model.mm_projector.{kind}"] for kind in ("weight", "bias"))
    wanted = source.projector(features).detach() @ second.T + shift
    torch.testing.assert_close(features @ weight.T + bias, wanted, rtol=0, atol=1e-5)


def test_constants_of_old_versions_are_left_out_and_told(
    copy: Path, source: llava_med.Tiny, tmp_path: Path
) -> None:
    add(copy, "model.layers.0.self_attn.rotary_emb.inv_freq", torch.ones(8))
    add(copy, f"{llava_med.TOWER}embeddings.position_ids", torch.arange(5)[None])
    said = convert(str(copy), str(tmp_path / "out"), [f"vision_tower={source.tower_folder}"])
    assert "left out: 2 constants" in said
    agrees(tmp_path / "out", source, MISTRAL)


def test_bfloat16_stays_bfloat16(copy: Path, source: llava_med.Tiny, tmp_path: Path) -> None:
    for path in weights(copy):
        halved = {name: tensor.bfloat16() for name, tensor in load_file(path).items()}
        save_file(halved, path, metadata={"format": "pt"})
    said = convert(str(copy), str(tmp_path / "out"), [f"vision_tower={source.tower_folder}"])
    assert "bfloat16" in said
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "bfloat16"
    convert(str(tmp_path / "out"), str(tmp_path / "back"), ["layout=original"])
    assert same(tensors(tmp_path / "back"), tensors(copy))
    assert json.loads((tmp_path / "back" / "config.json").read_text())["torch_dtype"] == "bfloat16"


def test_a_tokenizer_that_cannot_give_the_same_tokens_is_told(
    copy: Path, source: llava_med.Tiny, tmp_path: Path
) -> None:
    ended = Tokenizer.from_file(str(copy / "tokenizer.json"))
    ended.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    ended.save(str(copy / "tokenizer.json"))
    (copy / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"})
    )
    words = [f"vision_tower={source.tower_folder}"]
    assert "not those of LLaVA's own code" in convert(str(copy), str(tmp_path / "out"), words)
    assert "not those" not in convert(str(source.folder), str(tmp_path / "other"), words)


def test_shards_keep_to_their_size_and_the_manifest_lists_every_file(converted: Path) -> None:
    shards = weights(converted)
    assert len(shards) > 3
    assert all(path.stat().st_size < 110_000 or len(load_file(path)) == 1 for path in shards)
    manifest = json.loads((converted / "MANIFEST.json").read_text())
    listed = {record["path"]: record["sha256"] for record in manifest["files"]}
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in converted.iterdir()}
    assert listed == {name: digest for name, digest in there.items() if name != "MANIFEST.json"}
    assert manifest["made"]["layout"] == "transformers"


def test_conversations_are_llava_s_own(converted: Path, tmp_path: Path) -> None:
    turns = [("system", "Be brief."), ("user", "A?"), ("assistant", "Yes."), ("user", "B?")]
    _, chat = as_loaded(converted)
    assert chat.render(turns, image=True, reply=True) == (
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n<image>\nA? [/INST] Yes. </s>[INST] B? [/INST]"
    )
    source = llava_med.make(tmp_path, text="llama", mm_use_im_start_end=True)
    convert(str(source.folder), str(tmp_path / "out"), [f"vision_tower={source.tower_folder}"])
    _, chat = as_loaded(tmp_path / "out")
    assert chat.render(turns, image=True, reply=True) == (
        "<s>Be brief. USER: <im_start><image><im_end>\nA? ASSISTANT: Yes.</s>USER: B? ASSISTANT:"
    )


def test_an_engine_answers_from_the_converted_folder(converted: Path) -> None:
    with Engine(Params(model=str(converted))) as engine:
        requests = [Request(f"{n}", QUESTION, image=tiny.png(n), max_tokens=5) for n in (1, 2)]
        replies = engine.generate(requests)
    assert [reply.tokens for reply in replies] == [5, 5]
    assert replies[0].prompt_tokens == 31


def add(folder: Path, name: str, tensor: torch.Tensor) -> None:
    path = weights(folder)[0]
    save_file(load_file(path) | {name: tensor}, path, metadata={"format": "pt"})


def test_the_command(source: llava_med.Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "deep" / "out"
    assert main(["convert", str(source.folder), str(output), f"vision_tower={source.tower_folder}"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{output / 'MANIFEST.json'}: 80 tensors, ")
    assert "mistral_instruct, pictures padded to a square" in said
    assert main(["convert", str(source.folder), str(output)]) == 73
    assert "is there already" in capsys.readouterr().err
