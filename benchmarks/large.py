"""Claim: on a GPU, decoding comes near what reading the weights takes, and ten questions an image share its reading.

    python -m benchmarks.caption --large 3b

A Qwen2.5-VL of the published shape with drawn weights: speed does not depend on them, nothing is downloaded. Its
vocabulary is the published one, the text that of tests/engines/tiny.py; no token ends a reply, so each has its bound.
Never run here: the machine that the other figures are from has no GPU.

The share of the memory bandwidth is the time that reading the language model's weights once a step would take, at the
bandwidth of a copy on the same card, by the time of a step: of decoding alone, the first token's run subtracted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.report import markdown
from mht.engines.transformers import Engine, Params
from mht.generation import Request
from tests.engines import tiny

SHAPES = {
    "3b": {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
           "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True},
    "7b": {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
           "num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": False},
}  # fmt: skip
EYES = {"hidden_size": 1280, "intermediate_size": 3420, "depth": 32, "num_heads": 16, "patch_size": 14,
        "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31]}  # fmt: skip
"""The vision tower; the library's defaults are another's."""
TOKENS = 128
SIDE_PX = 448
BATCHES = (8, 32)
HEAD = ("requests", "batch_size", "images/s", "requests/s", "tokens/s", "share of the memory bandwidth")


def configured(shape: str, folder: Path) -> tuple[Any, Any]:
    """The configuration of a Qwen2.5-VL of that size, and a processor for images of SIDE_PX."""
    from transformers import Qwen2_5_VLConfig

    made = tiny.qwen2_5_vl(folder)
    processor = tiny.still_processor(made, most_px=SIDE_PX)
    small = Qwen2_5_VLConfig.from_pretrained(made)
    text = SHAPES[shape] | {
        "max_position_embeddings": 32768,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
    }
    marks = {
        name: getattr(small, name)
        for name in ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=EYES | {"out_hidden_size": text["hidden_size"]},
        tie_word_embeddings=text["tie_word_embeddings"],
        **marks,
    )
    return config, processor


def drawn(shape: str, folder: Path) -> Any:
    """The model, made on the GPU, and a reader for it, as the engine's seam wants them."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    from mht.engines._model import loaded
    from mht.engines._prompts import Reader

    config, processor = configured(shape, folder)
    with torch.device("cuda"):
        model = Qwen2_5_VLForConditionalGeneration._from_config(
            config, dtype=torch.bfloat16, attn_implementation="sdpa"
        )
    return replace(loaded(model.eval(), Reader(processor.tokenizer, processor)), ends=frozenset())


def bandwidth() -> float:
    """Bytes/s that a copy of 2 GiB reads and writes on the card."""
    import torch

    source = torch.empty(1 << 31, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    seconds = []
    for _ in range(10):
        torch.cuda.synchronize()
        started = time.perf_counter()
        target.copy_(source)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return 2 * len(source) / median(seconds)


def seconds(engine: Engine, requests: Sequence[Request], repeats: int) -> float:
    taken = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        engine.generate(requests)
        taken.append(time.perf_counter() - started)
    return median(taken[1:])


def measured(shape: str, images: int, repeats: int) -> tuple[str, str]:
    """Title and table."""
    import torch

    rows = []
    with TemporaryDirectory() as folder:
        model = drawn(shape, Path(folder))
        weights = sum(p.nbytes for p in model.model.model.language_model.parameters())
        if not SHAPES[shape]["tie_word_embeddings"]:
            # Of the input embeddings a step reads a row a token; the output's are as large, and read whole.
            weights += model.model.lm_head.weight.nbytes - model.model.get_input_embeddings().weight.nbytes
        ideal_s = weights / bandwidth()
        for batch_size in BATCHES:
            engine = Engine(Params(model="drawn", batch_size=batch_size), lambda _: model)
            for questions in (1, 10):
                rows.append(_line(engine, batch_size, images, questions, repeats, ideal_s))
    card = torch.cuda.get_device_name()
    return f"The transformers engine, Qwen2.5-VL {shape} with drawn weights on {card}", markdown(HEAD, rows)


def _line(
    engine: Engine, batch_size: int, images: int, questions: int, repeats: int, ideal_s: float
) -> tuple[str, ...]:
    asked = [
        Request(
            f"{i}-{q}", f"is there a {tiny.WORDS[12 + q]} ?", None, tiny.png(i, SIDE_PX), max_tokens=TOKENS
        )
        for i in range(images)
        for q in range(questions)
    ]
    whole = seconds(engine, asked, repeats)
    first = seconds(engine, [replace(request, max_tokens=1) for request in asked], repeats)
    steps = (TOKENS - 1) * -(-len(asked) // batch_size)
    return (
        f"{images} images, {questions} questions each",
        f"{batch_size}",
        f"{images / whole:.1f}",
        f"{len(asked) / whole:.1f}",
        f"{len(asked) * TOKENS / whole:,.0f}",
        f"{ideal_s / ((whole - first) / steps):.0%}",
    )
