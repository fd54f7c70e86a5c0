"""What benchmarks/train.py trains on: a LLaVA with drawn weights, LoRA as it begins, pictures with questions."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engines import tiny

PATCH_PX = 14
FILE_PX = 336
"""Side of the image files; a build keeps its images so."""
TEMPLATE = (
    "{% for message in messages %}{{ '<s>' if loop.first else '' }}{{ '<|' + message['role'] + '|> ' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<image> ' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "{{ ' </s>' if message['role'] == 'assistant' else ' ' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|> ' }}{% endif %}"
)
"""An answer ends with a token of its own, so that every trainer learns the same tokens without being told of it."""
RANK = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """Of the model and of what it is trained on.

    `image_tokens` is a square, `text_tokens` those of a sample on average. A step has `pairs` samples about each of
    `images` images.
    """

    hidden: int = 256
    layers: int = 4
    image_tokens: int = 256
    text_tokens: int = 55
    pairs: int = 10
    images: int = 1
    steps: int = 16

    @property
    def side_px(self) -> int:
        return PATCH_PX * round(self.image_tokens**0.5)


def write(folder: Path, shape: Shape, seed: int = 0) -> Path:
    """model/, adapter/, images/ and steps.json below `folder`."""
    _model(folder, shape, seed)
    (folder / "images").mkdir()
    rng = random.Random(seed)
    table = [[row for i in range(shape.images) for row in _samples(folder, step * shape.images + i, shape, rng)]
             for step in range(shape.steps)]  # fmt: skip
    (folder / "steps.json").write_text(json.dumps(table))
    return folder


def _model(folder: Path, shape: Shape, seed: int) -> None:
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForImageTextToText, AutoProcessor

    place = tiny.llava(
        folder / "model", seed=seed, hidden=shape.hidden, layers=shape.layers, side_px=shape.side_px
    )
    processor = AutoProcessor.from_pretrained(place)
    processor.chat_template = processor.tokenizer.chat_template = TEMPLATE
    processor.save_pretrained(place)
    model = AutoModelForImageTextToText.from_pretrained(place)
    torch.manual_seed(seed)
    get_peft_model(model, lora()).save_pretrained(folder / "adapter")


def lora() -> Any:
    """On queries and values of the language model."""
    from peft import LoraConfig

    targets = r".*language_model\.layers\..*\.(q_proj|v_proj)"
    return LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=0.0, target_modules=targets)


def _samples(folder: Path, number: int, shape: Shape, rng: random.Random) -> list[dict[str, str]]:
    path = folder / "images" / f"{number:05}.png"
    path.write_bytes(tiny.png(number, FILE_PX))
    return [_sample(path, shape.text_tokens, rng) for _ in range(shape.pairs)]


def _sample(path: Path, text_tokens: int, rng: random.Random) -> dict[str, str]:
    """A question of about three fifths of the tokens, all words of one token; five tokens are the template's."""
    count = max(text_tokens - 4 + rng.randint(-5, 5), 4)
    asked = (3 * count) // 5
    words = rng.choices(tiny.WORDS, k=count)
    return {"image": str(path), "question": " ".join(words[:asked]), "answer": " ".join(words[asked:])}
