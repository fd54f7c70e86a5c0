"""Families that are not admitted: logits of few tokens at a time, or of all where the head is not the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mht.model.certificate import TOLERANCE, separate_loss
from mht.model.learner import Learner
from mht.model.packing import pack
from tests.model.conftest import EYES, Family, example


def unknown(model: Any, chunk: int) -> Learner:
    """A learner that takes the model's family for one that is not admitted."""
    learner = Learner(model, chunk).eval()
    learner.architecture = replace(learner.architecture, admitted=False)
    return learner


def gradient(learner: Learner) -> Any:
    import torch

    every = [torch.zeros_like(p) if p.grad is None else p.grad for p in learner.parameters()]
    return torch.cat([one.flatten() for one in every])


def learnt(one: Family, learner: Learner, image: bool, tokens: list[int]) -> None:
    """Losses and gradient equal those by the model's own forward; the head is given so many tokens at the most."""

    given: list[int] = []
    head = learner.whole.get_output_embeddings()
    hook = head.register_forward_hook(lambda _, args, made: given.append(made.numel() // made.shape[-1]))
    prepared = [one.preparer.prepare(example(number, 2, image)) for number in range(2)]
    [batch] = pack([learner.place(p) for p in prepared], 1 << 30, share=False)
    try:
        learner.zero_grad(set_to_none=True)
        sums = learner(batch).sums
        sums.sum().backward()
    finally:
        hook.remove()
    found = gradient(learner)
    learner.zero_grad(set_to_none=True)
    losses = {s.exchange_id: separate_loss(learner, p, s) for p in prepared for s in p.suffixes}
    wanted = gradient(learner)
    assert dict(zip(batch.names, sums.tolist(), strict=True)) == pytest.approx(losses, rel=TOLERANCE)
    assert (found - wanted).norm() <= TOLERANCE * wanted.norm()
    assert max(given) == (tokens[0] if tokens else batch.ids.numel())


@pytest.mark.parametrize("name", ["llava", "qwen3_vl", "llama"])
def test_the_head_is_given_a_chunk_at_a_time(family: Callable[[str], Family], name: str) -> None:
    one = family(name)
    learnt(one, unknown(one.model, chunk=5), name in EYES, [5])


def test_logits_that_are_scaled_behind_the_head_are_made_whole(windowed: Callable[..., Family]) -> None:
    one = windowed("cohere", logit_scale=0.25)
    learnt(one, unknown(one.model, chunk=5), False, [])
