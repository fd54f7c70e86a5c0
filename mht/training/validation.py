"""Validation while a model is trained: the loss of held-out rows, and its own answers to some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from mht.model.examples import Example, Exchange
from mht.model.packing import Batch
from mht.model.ranks import Ranks
from mht.model.sharding import gathered_no_more
from mht.seeds import digest
from mht.training.answers import Answers
from mht.training.preparation import Tokeniser
from mht.training.shards import HeldOut
from mht.training.step import computing
from mht.training.trainee import Trainee

_NAMED = 5


class Validation:
    """Held-out rows, divided among the ranks; every rank makes one and calls it alike.

    `rows` is a digest of what is measured: the rows, those of them that are answered, and the answers' length.
    """

    def __init__(
        self, trainee: Trainee, rows: Sequence[HeldOut], ranks: Ranks, answers: Answers | None
    ) -> None:
        self._trainee = trainee
        self._answers = answers
        self._ranks = ranks
        mine = _examples(rows)[ranks.rank :: ranks.count]
        self._batches = trainee.batches(Tokeniser(trainee.speech, trainee.chat).prepare(mine))
        self._passes = max(ranks.every(len(self._batches)))
        asked = [] if answers is None else answers.asked
        self.rows = digest(*[row.exchange.exchange_id for row in rows], "asked", *asked, size=8).hex()

    def __call__(self, stopping: Callable[[float], bool]) -> dict[str, float] | None:
        """`loss`, the mean over the learnt tokens of all rows' right answers, and what the answers are measured at.

        `stopping` is asked before each pass and before the answers; None where it said so on any rank.
        """
        trainee = self._trainee
        trainee.learner.eval()
        own = self._passed(stopping)
        if own is None:
            gathered_no_more(trainee.learner)
            return None
        measured = {} if self._answers is None else self._answers()
        gathered_no_more(trainee.learner)
        told = self._ranks.every((sum(loss for loss, _ in own), sum(count for _, count in own)))
        loss, count = (sum(one) for one in zip(*told, strict=True))
        return ({"loss": loss / count} if count else {}) | measured

    def _passed(self, stopping: Callable[[float], bool]) -> list[tuple[float, int]] | None:
        """The sums of this rank's batches; the other ranks may have more, and all make as many passes."""
        own = []
        for number in range(self._passes + 1):
            if any(self._ranks.every(stopping(number / self._passes))):
                return None
            with torch.no_grad():
                if number < len(self._batches):
                    own.append(self._sums(self._batches[number]))
                elif number < self._passes:
                    self._sums(self._trainee.spare)
        return own

    def _sums(self, batch: Batch) -> tuple[float, int]:
        trainee = self._trainee
        with computing(trainee.device, trainee.compute):
            losses = trainee.learner(batch.to(trainee.device))
        kept = ~batch.rejected
        return float(losses.sums.cpu().double()[kept].sum()), int(losses.counts.cpu()[kept].sum())


def learnable(
    rows: Sequence[HeldOut], trainee: Trainee, ranks: Ranks, say: Callable[[str], None]
) -> list[HeldOut]:
    """Those that the model can be given, on every rank the same; the others are said."""
    mine = _examples(rows)[ranks.rank :: ranks.count]
    own = [bad for one in Tokeniser(trainee.speech, trainee.chat).check(mine) for bad in one.unlearnable]
    found = dict(bad for part in ranks.every(own) for bad in part)
    if found:
        named = "\n  ".join(list(found.values())[:_NAMED])
        say(f"{len(found):,} of {len(rows):,} held-out rows cannot be asked and are left out:\n  {named}")
    return [row for row in rows if row.exchange.exchange_id not in found]


def _examples(rows: Sequence[HeldOut]) -> list[Example]:
    """The rows of an image together."""
    images: dict[str, bytes | None] = {}
    exchanges: dict[str, list[Exchange]] = {}
    for row in rows:
        images[row.example_id] = row.image
        exchanges.setdefault(row.example_id, []).append(row.exchange)
    return [Example(name, images[name], tuple(found)) for name, found in exchanges.items()]
