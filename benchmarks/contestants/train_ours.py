"""The library's own step: `packed` (an image once), `padded` (rows of their own), `turns` (a talk; it leaks)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel

from benchmarks.contestants.train_words import Meter, Told, by_image, read_words
from mht.model.conversation import Preparer
from mht.model.examples import Example, Exchange, Turn
from mht.model.learner import Learner
from mht.model.packing import Batch, pack
from mht.model.ranks import Ranks
from mht.pretrained.chat import Chat
from mht.pretrained.loading import model_in, reader_in
from mht.training.step import Answers, Stepper

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
        exchanges: tuple[Exchange, ...]
        if how == "turns":
            exchanges = (Exchange(image, tuple(turns)),)
        else:
            exchanges = tuple(Exchange(f"{image}-{i}", (turn,)) for i, turn in enumerate(turns))
        made.append(Example(image, Path(image).read_bytes(), exchanges))
    return made


def batches(learner: Learner, preparer: Preparer, step: Sequence[dict[str, str]], how: str) -> list[Batch]:
    placed = [learner.place(preparer.prepare(example)) for example in examples(step, how)]
    return pack(placed, BUDGET, share=how != "padded")


def main(told: Told) -> None:
    torch.set_num_threads(told.threads)
    learner, preparer = loaded(told)
    trained = [p for p in learner.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=told.rate, weight_decay=0.0)
    stepper = Stepper(
        learner, optimizer, Answers(), Ranks(), torch.device("cpu"), torch.float32, clip_norm=math.inf
    )
    meter = Meter()
    meter.begin()
    for step in told.table:
        own = batches(learner, preparer, step, told.how)
        meter.step(stepper.step(own, spare=own[0], stop=False).loss)
    meter.tell([len(step) for step in told.table], torch=torch.__version__)


if __name__ == "__main__":
    main(read_words())
