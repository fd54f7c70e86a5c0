"""A model's own answers to held-out questions while it is trained, measured by the metrics that need no judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.distributed as dist

from mht import catalog
from mht.engines import _model
from mht.engines._prompts import Reader
from mht.engines.transformers import Engine, Params
from mht.generation import Reply, Request
from mht.model.ranks import Ranks
from mht.predictions import Prediction, score
from mht.training.shards import HeldOut
from mht.training.step import computing
from mht.training.trainee import Trainee

METRICS = ("false_premise", "over_rejection", "false_denial", "polarity", "twins")
"""Of the premise and of yes and no: what the training is for, and what it must not cost."""
_BATCH = 16


class Answers:
    """Answers rows greedily. Every rank answers all of them, in step: sharded layers are gathered by all or by none."""

    def __init__(self, trainee: Trainee, rows: Sequence[HeldOut], tokens: int, model: str) -> None:
        self._trainee = trainee
        self._rows = list(rows)
        self._requests = [
            Request(
                row.exchange.exchange_id,
                row.question,
                image=row.image,
                max_tokens=tokens,
                system=row.exchange.system,
            )
            for row in rows
            if len(row.exchange.turns) == 1
        ]
        self._params = Params(model=model, batch_size=_BATCH)
        self.asked = [(request.request_id, request.max_tokens) for request in self._requests]
        """(id, tokens that the answer may have) of each row that is asked."""

    def __call__(self) -> dict[str, float]:
        """Each metric's figures by name; those that nothing was asked for are left out."""
        replies = {reply.request_id: reply for reply in self.replies()}
        rows = [row for row in self._rows if row.exchange.exchange_id in replies]
        return measured([predicted(row, replies[row.exchange.exchange_id]) for row in rows])

    def replies(self) -> list[Reply]:
        """One to each question that is asked: those of a single turn."""
        self._trainee.learner.eval()
        return self._engine().generate(self._requests)

    def _engine(self) -> Engine:
        trainee = self._trainee
        reader = Reader(trainee.chat.tokenizer, trainee.chat.processor, trainee.chat)
        loaded = _model.loaded(trainee.learner.whole, reader)
        together = replace(
            loaded, forward=_Together(trainee, loaded.forward), within=partial(_within, trainee),
            agreed=_first_rank_s, device=trainee.device,
        )  # fmt: skip
        return Engine(self._params, load=lambda _: together)


class _Together:
    """The model's computation on all ranks at once: the first rank's logits are everyone's."""

    def __init__(self, trainee: Trainee, forward: _model.Forward) -> None:
        self._trainee = trainee
        self._forward = forward

    def __call__(
        self,
        ids: torch.Tensor,
        mask: Any,
        positions: torch.Tensor,
        cache: Any,
        pixels: Any,
        told: torch.Tensor | None = None,
    ) -> torch.Tensor:
        work = partial(self._forward, ids, mask, positions, cache, pixels, told)
        return _first_rank_s(_within(self._trainee, work))


def _within(trainee: Trainee, work: Callable[[], Any]) -> Any:
    """What the model computes in the numbers it is trained in, sharded or not."""

    def computed() -> Any:
        with computing(trainee.device, trainee.compute):
            return work()

    return trainee.learner.within(computed)


def _first_rank_s(logits: torch.Tensor) -> torch.Tensor:
    """The logits of the first rank, for all: ranks that chose differently would wait for each other for ever."""
    if Ranks.is_alone():
        return logits
    logits = logits.contiguous()
    dist.broadcast(logits, src=0)
    return logits


def predicted(row: HeldOut, reply: Reply) -> Prediction:
    """A held-out row with its reply, or the kind of failure that left it without one."""
    return Prediction(
        benchmark="held out", row_id=row.exchange.exchange_id, image_id=row.example_id, question=row.question,
        truth=row.answer, reply=reply.text, failure=None if reply.failure is None else str(reply.failure),
        state=row.state, type=row.type, form=row.form, risk=row.risk, polarity=row.polarity, premise=row.premise,
        rejected=row.rejected, twin_id=row.twin_id,
    )  # fmt: skip


def measured(rows: Sequence[Prediction]) -> dict[str, float]:
    """The figures of METRICS that are defined on these rows."""
    found: dict[str, float] = {}
    for name in METRICS:
        module = catalog.load("evaluation.metrics", name)
        for one in module.measure(rows, module.Params()):
            told = score(one)
            if told.value is not None:
                found[told.name] = told.value
    return found
