"""What a small sentence encoder says of the likeness of texts, as features beside the offline judge's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mht.evaluation.judges import Asked

LAYER = 5
MAX_TOKENS = 192
BATCH = 16


def likenesses(rows: Sequence[Asked], folder: Path) -> Any:
    """float32 [rows, 6]: cosines of reference and reply, question and reply, question and reference, caption and
    reply; and of the tokens of reference and reply, each beside its nearest in the other: recall and precision.
    """
    told = {
        name: _encoded([getattr(row, name) or " " for row in rows], folder)
        for name in ("question", "truth", "reply", "caption")
    }
    pairs = (("truth", "reply"), ("question", "reply"), ("question", "truth"), ("caption", "reply"))
    cosines = [[float(a @ b) for (a, _), (b, _) in zip(told[p], told[q], strict=True)] for p, q in pairs]
    near = [_matched(t, r) for (_, t), (_, r) in zip(told["truth"], told["reply"], strict=True)]
    return np.hstack([np.array(cosines).T, np.array(near)]).astype(np.float32)


def _matched(truth: Any, reply: Any) -> tuple[float, float]:
    if not len(truth) or not len(reply):
        return 0.0, 0.0
    likeness = truth @ reply.T
    return float(likeness.max(1).mean()), float(likeness.max(0).mean())


def _encoded(texts: Sequence[str], folder: Path) -> list[tuple[Any, Any]]:
    """By text: its vector (mean over the tokens) and those of its tokens in a middle layer, all of length 1."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found: dict[int, tuple[Any, Any]] = {}
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        batch = tokenizer(
            [texts[i] for i in places],
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
        )
        with torch.inference_mode():
            out = model(**batch, output_hidden_states=True)
        unit = torch.nn.functional.normalize
        mask = batch["attention_mask"].unsqueeze(-1)
        whole = unit((out.last_hidden_state * mask).sum(1) / mask.sum(1), dim=-1)
        tokens = unit(out.hidden_states[LAYER], dim=-1)
        for k, i in enumerate(places):
            length = int(mask[k].sum())
            found[i] = whole[k].numpy(), tokens[k, 1 : length - 1].numpy()
    return [found[i] for i in range(len(texts))]
