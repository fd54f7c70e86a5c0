"""Greedy replies of a model to questions about grey pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

_BATCH = 64


def answers(
    model: Any,
    processor: Any,
    pictures: Sequence[npt.NDArray[np.uint8]],
    questions: Sequence[str],
    most: int = 48,
) -> list[str]:
    """The reply to each picture's question, of `most` tokens at the most."""
    order = sorted(range(len(questions)), key=lambda i: len(questions[i]))
    replies = [""] * len(questions)
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        texts = [prompt(processor, questions[i]) for i in chosen]
        images = [Image.fromarray(pictures[i]) for i in chosen]
        given = processor(
            text=texts, images=images, return_tensors="pt", padding=True, add_special_tokens=False
        )
        with torch.inference_mode():
            made = model.generate(**given, max_new_tokens=most, do_sample=False)
        said = processor.batch_decode(made[:, given["input_ids"].shape[1] :], skip_special_tokens=True)
        for i, reply in zip(chosen, said, strict=True):
            replies[i] = reply.strip()
    return replies


def prompt(processor: Any, question: str) -> str:
    """The question behind an image in the model's chat template."""
    content = [{"type": "image"}, {"type": "text", "text": question}]
    text: str = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True
    )
    return text
