"""The parity certificate: does sharing the image give the loss and the gradient of separate rows, on this model?

The other side is as plain as can be: one exchange at a time through the model's own forward, with the masks and the
positions that it makes itself, and the logits of all tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from mht.model.conversation import Prepared, Suffix
from mht.model.learner import Learner
from mht.model.packing import Batch, pack

TOLERANCE = 1e-5
"""Relative, in float32."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was compared and how far apart it was. `gradient` is |packed - separate| / |separate| over all parameters.

    `loss` is the largest relative difference of an exchange's loss. `holds` is whether both are within `tolerance`.
    """

    architecture: str
    dtype: str
    examples: int
    exchanges: int
    packed_tokens: int
    separate_tokens: int
    loss: float
    gradient: float
    tolerance: float

    @property
    def holds(self) -> bool:
        return self.loss <= self.tolerance and self.gradient <= self.tolerance

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


def certify(learner: Learner, prepared: Sequence[Prepared], tolerance: float = TOLERANCE) -> Certificate:
    """Compare on the given examples, in evaluation mode. Gradients that the parameters hold are lost.

    `prepared` must hold no wrong answers. Memory: the gradient of what is trained, twice.
    """
    was_training = learner.training
    learner.eval()
    learner.zero_grad(set_to_none=True)
    placed = [learner.place(one) for one in prepared]
    batches = pack(placed, 1 << 30, learner.architecture.admitted, learner.several)
    device = next(learner.parameters()).device
    try:
        packed = {n: s for batch in batches for n, s in _packed(learner, batch.to(device)).items()}
        gradient = _taken(learner)
        separate = {s.exchange_id: separate_loss(learner, one, s) for one in prepared for s in one.suffixes}
        wanted = _taken(learner)
    finally:
        learner.train(was_training)
    return Certificate(
        architecture=learner.architecture.name,
        dtype=str(learner.whole.dtype).removeprefix("torch."),
        examples=len(prepared),
        exchanges=len(separate),
        packed_tokens=sum(batch.real_tokens for batch in batches),
        separate_tokens=sum(len(one.prefix) + len(s.ids) for one in prepared for s in one.suffixes),
        loss=max(abs(packed[name] - loss) / max(abs(loss), 1e-12) for name, loss in separate.items()),
        gradient=float((gradient - wanted).norm() / wanted.norm().clamp(min=1e-30)),
        tolerance=tolerance,
    )


def _packed(learner: Learner, batch: Batch) -> dict[str, float]:
    sums = learner(batch).sums
    sums.sum().backward()
    return dict(zip(batch.names, sums.tolist(), strict=True))


def separate_loss(learner: Learner, prepared: Prepared, suffix: Suffix) -> float:
    """The loss of one exchange by the model's own forward; its gradient is added up."""
    whole = learner.whole
    device = next(learner.parameters()).device
    ids = torch.tensor([prepared.prefix + suffix.ids], device=device)
    pixels = {
        n: t.to(device, whole.dtype) if t.is_floating_point() else t.to(device)
        for n, t in prepared.pixels.items()
    }
    made = whole(
        input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False,
        **learner.architecture.by_token(whole.config, ids, prepared.pixels), **pixels,
    )  # fmt: skip
    learnt = torch.tensor([False] * len(prepared.prefix) + suffix.learnt, device=device)
    targets = torch.where(learnt, ids[0], -100)[1:]
    loss = nn.functional.cross_entropy(made.logits[0, :-1].float(), targets, reduction="sum")
    loss.backward()
    return float(loss.detach())


def _taken(learner: Learner) -> torch.Tensor:
    """The gradient of everything that is trained, flat in float32 on the CPU; the parameters hold none after."""
    trained = [p for p in learner.parameters() if p.requires_grad]
    flat = [
        (torch.zeros_like(p) if p.grad is None else p.grad).detach().flatten().float().cpu() for p in trained
    ]
    learner.zero_grad(set_to_none=True)
    return torch.cat(flat)
