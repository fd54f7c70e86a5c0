"""A tiny checkpoint in LLaVA's own layout, as LLaVA-Med v1.5 is published, and what LLaVA's own code would compute."""

from __future__ import annotations

import io
import json
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from transformers import AutoModelForCausalLM, CLIPVisionConfig, CLIPVisionModel, LlamaTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

SIDE, PATCH = 28, 14
MEAN = (0.48145466, 0.4578275, 0.40821073)
TOWER = "model.vision_tower.vision_tower.vision_model."
INNER = {"linear": (1, ""), "mlp1x_gelu": (1, "{}."), "mlp2x_gelu": (2, "{}.")}


@dataclass
class Tiny:
    """The modules of a checkpoint, its tokenizer, and the folders that it was saved in."""

    folder: Path
    tower_folder: Path
    text: Any
    tower: Any
    projector: nn.Sequential
    tokenizer: Any
    config: dict[str, Any]

    def logits(self, prompt: str, picture: bytes) -> torch.Tensor:
        """[tokens, vocabulary]: the features of the picture in the place of `<image>`, step by step."""
        with torch.no_grad():
            hidden = self.tower(self.pixels(picture), output_hidden_states=True).hidden_states
            chosen = hidden[self.config["mm_vision_select_layer"]]
            seen = chosen if self.config["mm_vision_select_feature"] == "cls_patch" else chosen[:, 1:]
            features = self.projector(seen)[0]
            before, after = (self.tokenizer(piece)["input_ids"] for piece in prompt.split("<image>"))
            words = self.text.get_input_embeddings()
            row = torch.cat([words(torch.tensor(before)), features, words(torch.tensor(after[1:]))])
            made: torch.Tensor = self.text(inputs_embeds=row[None]).logits[0]
        return made

    def pixels(self, picture: bytes) -> torch.Tensor:
        """The picture on a square of the mean colour where the config says pad, then as CLIP reads it."""
        opened = Image.open(io.BytesIO(picture)).convert("RGB")
        if self.config["image_aspect_ratio"] == "pad":
            side = max(opened.size)
            square = Image.new("RGB", (side, side), tuple(int(255 * part) for part in MEAN))
            square.paste(opened, ((side - opened.width) // 2, (side - opened.height) // 2))
            opened = square
        reads = CLIPImageProcessorPil(
            size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}, image_mean=MEAN
        )
        pixels: torch.Tensor = reads(opened, return_tensors="pt")["pixel_values"]
        return pixels


def make(
    root: Path, text: str = "mistral", projector: str = "mlp2x_gelu", inside: bool = True, legacy: bool = True,
    width: int = 32, **more: Any,
) -> Tiny:  # fmt: skip
    """Draw the modules and save them by the names of the published weights, in two shards.

    A tower of width 64 is as OpenAI's are: heads of 64, quick GELU.
    """
    torch.manual_seed(7)
    root.mkdir(parents=True, exist_ok=True)
    words = tokenizer(legacy)
    eyes = CLIPVisionConfig(
        hidden_size=width, intermediate_size=48, num_hidden_layers=3, num_attention_heads=1 if width == 64 else 4,
        image_size=SIDE, patch_size=PATCH, initializer_range=0.3, hidden_act="quick_gelu" if width == 64 else "gelu",
    )  # fmt: skip
    settings = {
        "vocab_size": len(words), "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
        "rope_theta": 1000000.0, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": False,
        "initializer_range": 0.1, "hidden_act": "silu",
    } | ({"sliding_window": None} if text == "mistral" else {})  # fmt: skip
    config = settings | {
        "model_type": f"llava_{text}", "architectures": [f"Llava{text.capitalize()}ForCausalLM"],
        "mm_projector_type": projector, "mm_hidden_size": width, "mm_vision_tower": "tower-of-the-tests",
        "mm_vision_select_layer": -2, "mm_vision_select_feature": "patch", "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False, "image_aspect_ratio": "pad", "tokenizer_model_max_length": 2048,
        "torch_dtype": "float32", "use_mm_proj": True,
    } | more  # fmt: skip
    made = Tiny(
        root / "source", root / "tower", _text(text, settings), CLIPVisionModel(eyes).eval(),
        _projector(projector, width), words, config,
    )  # fmt: skip
    _save_tower(made)
    _save(made, inside)
    return made


def tokenizer(legacy: bool) -> Any:
    """A Llama tokenizer of letters and bytes, with a few words; it blanks like the published ones."""
    letters = dict.fromkeys("▁" + string.ascii_letters + string.digits + string.punctuation)
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
    merges = [("I", "N"), ("IN", "S"), ("INS", "T"), ("▁", "["), ("▁", "n"), ("▁n", "o"), ("▁", "y")]
    pieces += ["".join(pair) for pair in merges]
    made = LlamaTokenizer(
        vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges, legacy=legacy, add_bos_token=True
    )
    return made


def _text(kind: str, settings: dict[str, Any]) -> Any:
    from transformers import AutoConfig

    return AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **settings)).eval()


def _projector(kind: str, width: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(width, 64)]
    for _ in range(1, INNER[kind][0]):
        layers += [nn.GELU(), nn.Linear(64, 64)]
    return nn.Sequential(*layers)


def _save(made: Tiny, inside: bool) -> None:
    made.folder.mkdir()
    tensors = dict(made.text.state_dict())
    name = INNER[made.config["mm_projector_type"]][1]
    for number, layer in enumerate(made.projector):
        for kind, tensor in layer.state_dict().items():
            tensors[f"model.mm_projector.{name.format(number)}{kind}"] = tensor
    if inside:
        tensors |= {TOWER + key: tensor for key, tensor in made.tower.state_dict().items()}
    order = list(tensors)
    halves = {"model-00001-of-00002.safetensors": order[::2], "model-00002-of-00002.safetensors": order[1::2]}
    for file, names in halves.items():
        save_file(
            {key: tensors[key].contiguous() for key in names}, made.folder / file, metadata={"format": "pt"}
        )
    index = {"metadata": {}, "weight_map": {key: file for file, names in halves.items() for key in names}}
    (made.folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (made.folder / "config.json").write_text(json.dumps(made.config))
    made.tokenizer.save_pretrained(made.folder)
    settings = {
        "tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
        "pad_token": "<unk>", "legacy": made.tokenizer.legacy, "model_max_length": 2048, "add_bos_token": True,
    }  # fmt: skip
    (made.folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (made.folder / "generation_config.json").write_text(json.dumps({"bos_token_id": 1, "eos_token_id": 2}))


def _save_tower(made: Tiny) -> None:
    """As a hub has CLIP: the whole of it, with a part for text that nobody asks for."""
    made.tower_folder.mkdir()
    tensors = {f"vision_model.{key}": tensor.contiguous() for key, tensor in made.tower.state_dict().items()}
    tensors |= {"logit_scale": torch.ones(()), "text_model.final_layer_norm.weight": torch.ones(8)}
    save_file(tensors, made.tower_folder / "model.safetensors", metadata={"format": "pt"})
    config = {"model_type": "clip", "vision_config": made.tower.config.to_dict()}
    (made.tower_folder / "config.json").write_text(json.dumps(config))
    pixels = {"size": SIDE, "crop_size": SIDE, "image_mean": MEAN, "do_center_crop": True, "resample": 3}
    (made.tower_folder / "preprocessor_config.json").write_text(json.dumps(pixels))
