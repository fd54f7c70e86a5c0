"""Learning by preference: the twins' right answers made likelier than their wrong ones, against a reference.

The loss of a pair joins two exchanges, which packing may put into two batches. So the first pass only tells each
exchange's log probability; from these follows how the gradient weighs each of them (Rafailov et al., 2023, eq. 7), and
the second pass is one of weighted tokens like any other. All passes are without dropout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch

from mht.model.packing import Batch
from mht.model.ranks import Ranks
from mht.training.step import Answers, Tell, Weighed

Reference: TypeAlias = Callable[[Tell], list[torch.Tensor]]
"""What the model before training tells of the batches, by the passes that it is given."""


class Preference:
    """The mean of -log sigmoid(beta x margin) over the pairs, plus `sft_weight` times the right answers' own loss.

    The margin is by how much more the model prefers the right answer than the reference does, in log probabilities of
    whole answers. Where a step holds no wrong answer, only the right answers' own loss is left.
    """

    dropout = False

    def __init__(self, reference: Reference, beta: float, sft_weight: float) -> None:
        self._reference = reference
        self._beta = beta
        self._sft_weight = sft_weight
        self._answers = Answers()

    def weigh(self, batches: Sequence[Batch], tell: Tell, ranks: Ranks) -> Weighed:
        now, before = tell(), self._reference(tell)
        fewer = [one.double() - other.double() for one, other in zip(now, before, strict=True)]
        pairs = _pairs(batches)
        margins = [(weight, float(_at(fewer, wrong) - _at(fewer, right))) for right, wrong, weight in pairs]
        whole, margin, preferred = map(sum, zip(*ranks.every(_sums(margins)), strict=True))
        answers = self._answers.weigh(batches, tell, ranks)
        value = [share * self._sft_weight for share in answers.value]
        gradient = [share.clone() for share in value]
        beside = 0.0
        for (right, wrong, weight), (_, by) in zip(pairs, margins, strict=True):
            scaled = torch.tensor(self._beta * by, dtype=torch.float64)
            share = weight / whole
            beside += share * float(torch.nn.functional.softplus(-scaled))
            pull = self._beta * share * float(torch.sigmoid(-scaled))
            gradient[right[0]][right[1]] += pull
            gradient[wrong[0]][wrong[1]] -= pull
        if not whole:
            return Weighed(gradient, value, beside)
        return Weighed(gradient, value, beside, margin / whole, preferred / whole)


_Place: TypeAlias = tuple[int, int]
"""(number of the batch, number of the exchange in it)."""


def _pairs(batches: Sequence[Batch]) -> list[tuple[_Place, _Place, float]]:
    """(the right answer's place, the wrong one's, weight) of each exchange that has both."""
    places: dict[tuple[str, bool], _Place] = {}
    for i, batch in enumerate(batches):
        for j, (name, rejected) in enumerate(zip(batch.names, batch.rejected.tolist(), strict=True)):
            places[name, rejected] = (i, j)
    return [
        (places[name, False], wrong, float(batches[wrong[0]].weights[wrong[1]]))
        for (name, rejected), wrong in places.items()
        if rejected
    ]


def _sums(margins: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """(weight, weighted margin, weight of those with a margin above 0) of all pairs of (weight, margin)."""
    return (
        sum(weight for weight, _ in margins),
        sum(weight * margin for weight, margin in margins),
        sum(weight for weight, margin in margins if margin > 0),
    )


def _at(values: Sequence[torch.Tensor], place: _Place) -> torch.Tensor:
    return values[place[0]][place[1]]
