"""Written by hand on transformers and peft: a row a sample, its image in it, padded; the labels on the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft import PeftModel
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from benchmarks.contestants.train_words import Meter, Told, read_words


def rendered(processor: Any, sample: dict[str, str]) -> tuple[str, str]:
    """(the prompt, the prompt with its answer)"""
    asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": sample["question"]}]}]
    said = [*asked, {"role": "assistant", "content": [{"type": "text", "text": sample["answer"]}]}]
    prompt = processor.apply_chat_template(asked, add_generation_prompt=True)
    return prompt, processor.apply_chat_template(said)


def collated(processor: Any, step: Sequence[dict[str, str]]) -> dict[str, Any]:
    texts = [rendered(processor, sample) for sample in step]
    images = [[Image.open(sample["image"]).convert("RGB")] for sample in step]
    more = {"return_tensors": "pt", "padding": True, "padding_side": "right", "add_special_tokens": False}
    inputs = processor(text=[whole for _, whole in texts], images=images, **more)
    labels = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    image_tokens = int((inputs["input_ids"][0] == processor.image_token_id).sum())
    for row, (prompt, _) in zip(labels, texts, strict=True):
        asked = processor.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        row[: len(asked) + image_tokens - 1] = -100
    return {**inputs, "labels": labels}


def main(told: Told) -> None:
    torch.set_num_threads(told.threads)
    processor = AutoProcessor.from_pretrained(told.model)
    base = AutoModelForImageTextToText.from_pretrained(told.model, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(told.adapter), is_trainable=True).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=told.rate, weight_decay=0.0)
    meter = Meter()
    meter.begin()
    for step in told.table:
        loss = model(**collated(processor, step), use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        meter.step(float(loss.detach()))
    meter.tell([len(step) for step in told.table], torch=torch.__version__)


if __name__ == "__main__":
    main(read_words())
