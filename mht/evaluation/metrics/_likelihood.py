"""What a model's probability of yes says of a row: how confident it is, and whether rightly so."""

from __future__ import annotations

from mht.evaluation.metrics.polarity import asks, truth_of
from mht.knowledge.polarity import YES
from mht.predictions import Prediction, Unscored

__all__ = ["asks", "confidence"]


def confidence(row: Prediction) -> tuple[float, float] | Unscored:
    """(the probability of the likelier word, 1 where that is wrong); even chances are taken for a yes."""
    if row.likelihood_yes is None:
        return Unscored.NO_LIKELIHOOD
    yes = row.likelihood_yes >= 0.5
    return max(row.likelihood_yes, 1 - row.likelihood_yes), float(yes != (truth_of(row) == YES))
