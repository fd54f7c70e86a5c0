"""A part while it is judged: its rows, what is judged of them already, requests and replies, till it is committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mht.evaluation.kept import KeptParts
from mht.evaluation.tables import Judged
from mht.generation import TRANSIENT, Reply, Request
from mht.judgements import Asked, Judgement
from mht.predictions import Prediction


def row_of(prediction: Prediction) -> Asked:
    """A reply as judges are given it."""
    name = f"{prediction.benchmark}/{prediction.row_id}"
    return Asked(name, prediction.question, prediction.truth, str(prediction.reply), prediction.caption)


def with_cost(name: str, given: Judgement, asked: Asked, replies: Sequence[Reply]) -> Judged:
    """What was said of a row, with what the replies cost."""
    return Judged(
        name,
        given,
        asked.digest,
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        tokens=sum(reply.tokens for reply in replies),
        calls=sum(reply.calls for reply in replies),
    )


@dataclass(slots=True)
class PartInHand:
    """A part in hand: what is judged already, what is to be, and the requests and replies of that, by request."""

    name: str
    kept: KeptParts[Judged]
    number: int
    of: str
    predictions: list[Prediction]
    done: dict[str, Judged]
    tried: dict[str, int]
    requests: dict[str, tuple[Request, ...]] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    committed: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every request has its reply, or its failure."""
        return len(self.replies) == sum(map(len, self.requests.values()))

    @property
    def left(self) -> list[Prediction]:
        return [row for row in self.predictions if row.row_id not in self.done]

    def keep(self) -> None:
        """The replies that no later try could better, for whoever opens the part after this process."""
        ready = [reply for reply in self.replies.values() if reply.failure not in TRANSIENT]
        if ready:
            self.kept.keep_ready(self.name, ready)

    def commit(self) -> None:
        rows = [self.done[row.row_id] for row in self.predictions]
        self.kept.commit(self.name, self.number, rows, self.of)
        self.kept.drop_ready(self.name)
        self.committed = True
