"""Abstention: the share of replies that say that they cannot answer, and the share that leave room for doubt.

`abstention` counts an empty reply, and one without a yes, a no or a verdict that says within two sentences that it
cannot be told; `abstention.hedged` every reply with a word of doubt in it. Neither is better by itself: read it beside
the errors of the replies that do answer (`over_confidence`). Source: abstention as surveyed by Wen et al., Know Your
Limits (arXiv 2407.18418), read from the words (`knowledge.polarity`).
Failed replies are unscored; no rows: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.knowledge.polarity import abstains, hedges
from mht.predictions import Measured, Prediction, share


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    return (
        share("abstention", rows, _every, lambda row: float(abstains(row.answer))),
        share("abstention.hedged", rows, _every, lambda row: float(hedges(row.answer))),
    )


def _every(row: Prediction) -> bool:
    return True
