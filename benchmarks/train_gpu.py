"""Claim: training uses >= 45 % of an H100's arithmetic; packed rows give several times the samples/s of padded ones.

    python -m benchmarks.train_gpu --models qwen2.5-vl-3b qwen2.5-vl-7b llava-7b --save

Needs torch, transformers and peft, and no Ray. Models of the published shapes with drawn weights: speed does not depend
on them, nothing is downloaded. Ten questions of about 55 tokens with their answers on each image (256 image tokens of
448 px for Qwen2.5-VL, 576 of 336 px for LLaVA). LoRA of rank 8 on all linear layers of the language model, or all of
the language model and the projector; the vision tower is frozen. What is trained is kept in float32 and computed in
bfloat16, as `mht train` does; what is frozen is kept in bfloat16.

A step is one of `mht.training.step`, with the clipping of gradients and the optimizer's move, over `--images` images in
batches of at most `--tokens`. Its batches are made
before and lie on the card: what making them costs is told beside, and a training makes them meanwhile. The share of the
peak is the arithmetic that the rows ask for (benchmarks/flops.py, padding and recomputation not counted) by the card's
peak in bfloat16. Never run on a GPU yet. Without one a tiny model runs in float32 on the CPU, to show that the program
works: those are no figures.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks import large
from benchmarks.flops import FULL, LORA, operations, sizes_of, work_of
from benchmarks.report import markdown, page, save
from mht.model.conversation import Prepared, Preparer
from mht.model.examples import Example, Exchange, Turn
from mht.model.learner import Learner
from mht.model.lora import Adapters, adapt, unfreeze
from mht.model.optimizer import adamw
from mht.model.packing import Batch, pack
from mht.model.ranks import Ranks
from mht.model.sharding import recompute
from mht.pretrained.chat import Chat
from mht.training.step import Answers, Stepper
from tests.engines import tiny

MODELS = ("tiny", "qwen2.5-vl-3b", "qwen2.5-vl-7b", "llava-7b")
PEAKS = {"H100 PCIe": 756e12, "H100": 989e12, "H200": 989e12, "A100": 312e12}
"""bfloat16 operations a second without sparsity, by the makers' sheets; the first name that fits counts."""
PAIRS = 10
HEAD = ("model", "trained", "rows", "attention", "samples/s", "tokens/s", "share of the peak", "memory GiB",
        "padding", "layers computed again", "making a batch, ms/sample")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured. `attention` is blocks, gathered or mask; `again` computes layers again on the way back."""

    model: str
    trained: str
    packed: bool
    attention: str
    again: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of it. `tokens` of a batch at most."""

    images: int
    tokens: int
    steps: int


def built(name: str, folder: Path, device: torch.device) -> tuple[Any, Chat]:
    """A model with drawn weights on the device, and how it is spoken to."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    if name == "tiny":
        tiny.llava(folder)
        processor = AutoProcessor.from_pretrained(folder)
        return AutoModelForImageTextToText.from_pretrained(folder).to(device), Chat(
            processor.tokenizer, processor
        )
    config, processor = _llava(folder) if name == "llava-7b" else large.configured(name[-2:], folder)
    with torch.device(device):
        model = AutoModelForImageTextToText.from_config(
            config, dtype=torch.bfloat16, attn_implementation="sdpa"
        )
    return model, Chat(processor.tokenizer, processor)


def _llava(folder: Path) -> tuple[Any, Any]:
    """LLaVA 1.5 7B: CLIP ViT-L/14 at 336 px before Vicuna."""
    from transformers import AutoProcessor, CLIPVisionConfig, LlamaConfig, LlavaConfig

    tiny.llava(folder, side_px=336)
    eyes = CLIPVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, image_size=336,
        patch_size=14, projection_dim=768,
    )  # fmt: skip
    text = LlamaConfig(
        hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32, vocab_size=32064,
        max_position_embeddings=4096,
    )  # fmt: skip
    small = LlavaConfig.from_pretrained(folder)
    config = LlavaConfig(
        vision_config=eyes,
        text_config=text,
        image_token_index=small.image_token_index,
        tie_word_embeddings=False,
    )
    return config, AutoProcessor.from_pretrained(folder)


def learner_of(model: Any, setting: Setting) -> Learner:
    """The model with what is trained free, in `mht train`'s way."""
    if setting.trained == "LoRA":
        low_rank = Adapters(rank=8, alpha=16, dropout=0.0, targets=None, rslora=False, dora=False)
        model = adapt(model, low_rank, seed=0)
    else:
        unfreeze(model, ["language", "projector"])
    learner = Learner(model).train()
    if setting.again:
        recompute(learner)
    if setting.attention == "blocks":
        learner.skip_masked()
    elif setting.attention == "gathered":
        learner.gather()
    return learner


def examples(images: int, side_px: int) -> list[Example]:
    """Ten exchanges of 50 words each about every image."""
    words = tiny.WORDS

    def exchange(image: int, number: int) -> Exchange:
        said = [words[(7 * image + 3 * number + k) % len(words)] for k in range(50)]
        return Exchange(f"{image}-{number}", (Turn(" ".join(said[:30]), " ".join(said[30:])),))

    return [
        Example(f"{i}", tiny.png(i, side_px), tuple(exchange(i, k) for k in range(PAIRS)))
        for i in range(images)
    ]


@dataclass(frozen=True, slots=True)
class Made:
    """A step's batches on the device, with what they were made of. `made_ms` is CPU time a sample."""

    prepared: list[Prepared]
    batches: list[Batch]
    made_ms: float


def batches_of(learner: Learner, chat: Chat, packed: bool, scale: Scale, device: torch.device) -> Made:
    side_px = 448 if learner.architecture.axes > 1 else learner.whole.config.vision_config.image_size
    preparer = Preparer(chat, frozenset({int(chat.tokenizer.eos_token_id)}), 4096)
    raw = examples(scale.images, side_px)
    started = time.process_time()
    prepared = [preparer.prepare(one) for one in raw]
    placed = [learner.place(one) for one in prepared]
    made = pack(placed, scale.tokens, packed, learner.several)
    made_ms = 1000 * (time.process_time() - started) / (scale.images * PAIRS)
    return Made(prepared, [batch.to(device) for batch in made], made_ms)


def seconds(learner: Learner, batches: Sequence[Batch], steps: int, device: torch.device) -> float:
    """Of a step, the median; the first three, which compile, are not counted."""
    optimizer = adamw(learner, 1e-4, weight_decay=0.01, betas=(0.9, 0.999), epsilon=1e-8)
    compute = torch.bfloat16 if device.type == "cuda" else torch.float32
    stepper = Stepper(learner, optimizer, Answers(), Ranks(), device, compute, clip_norm=1.0)
    taken = []
    for _ in range(steps + 3):
        started = time.perf_counter()
        stepper.step(batches, batches[0], stop=False)
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return median(taken[3:])


def measured(setting: Setting, scale: Scale, device: torch.device) -> tuple[str, ...]:
    """A line of the table. Raises torch.OutOfMemoryError where it does not fit."""
    with TemporaryDirectory() as folder:
        model, chat = built(setting.model, Path(folder), device)
    sizes, image_id = sizes_of(model), chat.image_id
    learner = learner_of(model, setting)
    made = batches_of(learner, chat, setting.packed, scale, device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    step_s = seconds(learner, made.batches, scale.steps, device)
    work = work_of(made.prepared, setting.packed, image_id)
    done = operations(sizes, work, LORA if setting.trained == "LoRA" else FULL) / step_s
    computed = sum(batch.tokens for batch in made.batches)
    peak, gib = (
        _peak(device),
        torch.cuda.max_memory_allocated() / (1 << 30) if device.type == "cuda" else None,
    )
    return (
        setting.model, setting.trained, "packed" if setting.packed else "padded", setting.attention,
        f"{scale.images * PAIRS / step_s:,.1f}", f"{work.tokens / step_s:,.0f}",
        "-" if peak is None else f"{done / peak:.1%}", "-" if gib is None else f"{gib:.1f}",
        f"{1 - work.tokens / computed:.1%}", "yes" if setting.again else "no", f"{made.made_ms:.1f}",
    )  # fmt: skip


def _peak(device: torch.device) -> float | None:
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((value for part, value in PEAKS.items() if part in name), None)


def fitting(
    model: str, trained: str, packed: bool, attention: str, scale: Scale, device: torch.device
) -> tuple[str, ...]:
    """Measured with every layer's activations kept, or with layers computed again where those do not fit."""
    for again in (False, True):
        try:
            return measured(Setting(model, trained, packed, attention, again), scale, device)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
    return (
        model,
        trained,
        "packed" if packed else "padded",
        attention,
        "does not fit",
        *["-"] * (len(HEAD) - 5),
    )


def table(
    models: Sequence[str], trained: Sequence[str], attention: str, scale: Scale, device: torch.device
) -> str:
    rows = [
        fitting(model, how, packed, attention, scale, device)
        for model in models
        for how in trained
        for packed in (False, True)
    ]
    return markdown(HEAD, rows)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_gpu", description="Training on a GPU.")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["qwen2.5-vl-3b"])
    parser.add_argument("--trained", nargs="+", choices=["LoRA", "full"], default=["LoRA", "full"])
    parser.add_argument(
        "--attention", choices=["blocks", "gathered", "mask"], help="blocks on a GPU by default"
    )
    parser.add_argument("--images", type=int, default=32, help="of a step")
    parser.add_argument("--tokens", type=int, default=16384, help="of a batch")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    given = parser.parse_args(words)
    there = torch.cuda.is_available()
    device = torch.device("cuda" if there else "cpu")
    attention = given.attention or ("blocks" if there else "gathered")
    scale = Scale(given.images, given.tokens, given.steps)
    told = table(given.models if there else ["tiny"], given.trained, attention, scale, device)
    notes = (
        []
        if there
        else ["No GPU was here: a tiny model on the CPU, which shows no more than that this runs."]
    )
    card = torch.cuda.get_device_name() if there else "no GPU"
    facts = {
        "card": card,
        "torch": torch.__version__,
        "a step": f"{scale.images} images, {scale.steps} steps timed",
    }
    text = page(f"Training on {card}", facts, told, notes)
    print(text)
    if given.save and there:
        print(f"kept in {save('train-gpu', text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
