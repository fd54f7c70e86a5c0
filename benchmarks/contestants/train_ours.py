"""The library's own step: `packed` (an image once), `padded` (rows of their own), `turns` (a talk; it leaks)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from benchmarks.contestants.train_words import Meter, Told, by_image, read_words
from mht.model.conversation import Preparer
from mht.model.examples import Example, Exchange, Turn
from mht.model.learner import Learner
from mht.model.packing import Batch, pack
from mht.pretrained.chat import Chat
from mht.pretrained.loading import model_in, reader_in

BUDGET = 1 << 20


def loaded(told: Told) -> tuple[Learner, Preparer]:
    base = model_in(told.model, torch.float32)
    chat = Chat(*reader_in(told.model, base))
    ends = frozenset({int(chat.tokenizer.eos_token_id)})
    model = PeftModel.from_pretrained(base, str(told.adapter), is_trainable=True)
    learner = Learner(model).train()
    learner.gather()
    return learner, Preparer(chat, ends, base.config.get_text_config().max_position_embeddings)


def examples(step: Sequence[dict[str, str]], how: str) -> list[Example]:
    made = []
    for image, samples in by_image(step):
        turns = [Turn(sample["question"], sample["answer"]) for sample in samples]
        if how == "turns":
            exchanges = (Exchange(image, tuple(turns)),)
        else:
            exchanges = tuple(Exchange(f"{image}-{i}", (turn,)) for i, turn in enumerate(turns))
        made.append(Example(image, Path(image).read_bytes(), exchanges))
    return made


def batches(learner: Learner, preparer: Preparer, step: Sequence[dict[str, str]], how: str) -> list[Batch]:
    placed = [learner.place(preparer.prepare(example)) for example in examples(step, how)]
    return pack(placed, BUDGET, share=how != "padded")


def stepped(learner: Learner, optimizer: Any, batches: Sequence[Batch]) -> float:
    """One step of the optimizer; the mean loss of the learnt tokens before it."""
    count = sum(len(batch.targets) for batch in batches)
    total = 0.0
    for batch in batches:
        loss = learner(batch).sums.sum() / count
        loss.backward()
        total += float(loss.detach())
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return total


def main(told: Told) -> None:
    torch.set_num_threads(told.threads)
    learner, preparer = loaded(told)
    trained = [p for p in learner.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=told.rate, weight_decay=0.0)
    meter = Meter()
    meter.begin()
    for step in told.table:
        meter.step(stepped(learner, optimizer, batches(learner, preparer, step, told.how)))
    meter.tell([len(step) for step in told.table], torch=torch.__version__)


if __name__ == "__main__":
    main(read_words())
