"""The base model before it has learnt anything: tokenizer, chat template, processor, drawn weights."""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CLIPVisionConfig,
    GenerationConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

SIDE_PX = 128
PATCH_PX = 16
HIDDEN = 128
MEAN, SPREAD = 0.22, 0.28
"""Of the pixels of head CT phantoms, from 0 to 1."""
PAD, UNKNOWN, BEGIN, END, USER, ASSISTANT, SYSTEM, IMAGE = range(8)
SPECIAL = ("<pad>", "<unk>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>", "<image>")
TEMPLATE = (
    "{{ '<s>' }}{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% endif %}{{ '</s>' if message['role'] == 'assistant' else '' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
_WHOLE, _LETTER, _BYTE = -10.0, -40.0, -100.0
"""Log probabilities by which a word is one piece where it is known, else letters, else bytes."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;?!'()%/-"


@cache
def pieces() -> tuple[str, ...]:
    """The words of the vocabulary; one behind a space begins with the mark."""
    return tuple(
        files("mht.phantoms.model").joinpath("words.txt").read_text(encoding="utf-8").split("\n")[:-1]
    )


def tokenizer() -> Any:
    """One token a word of `words.txt`, letters or bytes for others: it reads any text and gives it back."""
    known = {piece: _WHOLE for piece in pieces()}
    letters = {x: _LETTER for letter in _LETTERS for x in (letter, f"▁{letter}") if x not in known}
    spare = {x: _BYTE for x in ("▁", *(f"<0x{byte:02X}>" for byte in range(256))) if x not in known}
    vocabulary = [(mark, 0.0) for mark in SPECIAL] + list((known | letters | spare).items())
    made = Tokenizer(models.Unigram(vocabulary, unk_id=UNKNOWN, byte_fallback=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, padding_side="left", chat_template=TEMPLATE, model_max_length=2048,
        pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        additional_special_tokens=list(SPECIAL[4:]),
    )  # fmt: skip


def processor() -> Any:
    """The tokenizer with the reader of images, which needs no torchvision."""
    size = {"height": SIDE_PX, "width": SIDE_PX}
    pixels = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE_PX}, crop_size=size, image_mean=[MEAN] * 3, image_std=[SPREAD] * 3
    )
    return LlavaProcessor(
        image_processor=pixels, tokenizer=tokenizer(), patch_size=PATCH_PX, chat_template=TEMPLATE,
        vision_feature_select_strategy="default", num_additional_image_tokens=1,
    )  # fmt: skip


def blank(seed: int) -> Any:
    """A LLaVA with weights drawn from a seed; the eyes begin with waves for patches and a grid for places."""
    torch.manual_seed(seed)
    words = len(tokenizer())
    eyes = CLIPVisionConfig(
        hidden_size=HIDDEN, intermediate_size=4 * HIDDEN, num_hidden_layers=4, num_attention_heads=4,
        image_size=SIDE_PX, patch_size=PATCH_PX,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=words, hidden_size=HIDDEN, intermediate_size=384, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=2048, tie_word_embeddings=True, pad_token_id=PAD,
        bos_token_id=BEGIN, eos_token_id=END,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=eyes, text_config=text, image_token_index=IMAGE, vision_feature_layer=-1,
        vision_feature_select_strategy="default", tie_word_embeddings=True,
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    model.generation_config = GenerationConfig(pad_token_id=PAD, bos_token_id=BEGIN, eos_token_id=END)
    embeddings = model.model.vision_tower.embeddings
    with torch.no_grad():
        embeddings.patch_embedding.weight.copy_(_waves())
        embeddings.position_embedding.weight[1:] = _grid()
    return model


def _waves() -> torch.Tensor:
    """The slowest cosine waves of a patch, the finer the louder, since pictures hold less of them; grey of colour."""
    at = torch.arange(PATCH_PX).float()
    basis = torch.cos(math.pi * (at[None] + 0.5) * at[:, None] / PATCH_PX) * math.sqrt(2 / PATCH_PX)
    basis[0] /= math.sqrt(2)
    order = sorted((i * i + j * j, i, j) for i in range(PATCH_PX) for j in range(PATCH_PX))[:HIDDEN]
    loud = [0.02 if not speed else 0.1 + 0.05 * math.sqrt(speed) for speed, _, _ in order]
    waves = torch.stack(
        [basis[i][:, None] * basis[j][None] * by for (_, i, j), by in zip(order, loud, strict=True)]
    )
    return waves[:, None].expand(-1, 3, -1, -1) / 3


def _grid() -> torch.Tensor:
    """Sines and cosines of each patch's row and column, [patches, hidden]."""
    side = SIDE_PX // PATCH_PX
    speeds = torch.exp(torch.linspace(0, math.log(0.02), HIDDEN // 4)) * math.pi / 2
    rows, columns = torch.meshgrid(torch.arange(side).float(), torch.arange(side).float(), indexing="ij")
    waves = [f(at.flatten()[:, None] * speeds) for at in (rows, columns) for f in (torch.sin, torch.cos)]
    return 0.3 * torch.cat(waves, dim=1)


def save(model: Any, folder: Path) -> None:
    """Config, weights in float32, tokenizer, processor and chat template, as a hub would hold them."""
    model.save_pretrained(folder)
    processor().save_pretrained(folder)
