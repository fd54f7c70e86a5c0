"""TRL's SFTTrainer over prompts and completions; runs in a virtual environment of its own (benchmarks/trl_venv.py).

Its defaults but for what would make it slower or unlike the others: no gradient checkpointing, float32, no clipping,
the samples in their order. The loss of each step is noted unrounded.
"""

from __future__ import annotations

import tempfile
from typing import Any

import torch

from benchmarks.contestants.train_words import Meter, Told, read_words


def dataset(told: Told) -> Any:
    from datasets import Dataset, Image, List  # type: ignore[import-not-found,unused-ignore]

    rows = [
        {
            "images": [sample["image"]],
            "prompt": [{"role": "user", "content": sample["question"]}],
            "completion": [{"role": "assistant", "content": sample["answer"]}],
        }
        for step in told.table
        for sample in step
    ]
    return Dataset.from_list(rows).cast_column("images", List(Image()))


def settings(told: Told, folder: str) -> Any:
    from trl import SFTConfig  # type: ignore[import-not-found,unused-ignore]

    return SFTConfig(
        output_dir=folder, per_device_train_batch_size=len(told.table[0]), num_train_epochs=1,
        learning_rate=told.rate, lr_scheduler_type="constant", weight_decay=0.0, max_grad_norm=0.0,
        max_length=None, completion_only_loss=True, bf16=False, gradient_checkpointing=False,
        train_sampling_strategy="sequential", dataloader_pin_memory=False, use_cpu=True, report_to="none",
        save_strategy="no", logging_steps=1000, disable_tqdm=True,
    )  # fmt: skip


def main(told: Told) -> None:
    import transformers
    import trl
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText, AutoProcessor

    torch.set_num_threads(told.threads)
    meter = Meter()

    class Noted(trl.SFTTrainer):  # type: ignore[misc,unused-ignore]
        def training_step(self, *given: Any, **named: Any) -> Any:
            loss = super().training_step(*given, **named)
            self.last = float(loss)
            return loss

    class Timed(transformers.TrainerCallback):  # type: ignore[misc,unused-ignore]
        def on_train_begin(self, *given: Any, **named: Any) -> None:
            meter.begin()

        def on_step_end(self, *given: Any, **named: Any) -> None:
            meter.step(trainer.last)

    processor = AutoProcessor.from_pretrained(told.model)
    base = AutoModelForImageTextToText.from_pretrained(told.model, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(told.adapter), is_trainable=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Noted(
            model=model, args=settings(told, folder), train_dataset=dataset(told), processing_class=processor,
            callbacks=[Timed()],
        )  # fmt: skip
        trainer.train()
    meter.tell([len(step) for step in told.table], torch=torch.__version__, trl=trl.__version__)


if __name__ == "__main__":
    main(read_words())
