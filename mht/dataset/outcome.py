"""What became of a shard's images, row by row and in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mht.dataset.leakage.gate import Leak
from mht.dataset.pixels import ImageRow
from mht.dataset.review.settle import Reviewed
from mht.dataset.tallies import tally_rows
from mht.imaging.guard import Decoded
from mht.records import Pair, PlannedImage, Quarantined, Refusal, RefusedPair


@dataclass(slots=True)
class Outcome:
    """What became of a shard's images so far."""

    images: list[ImageRow] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    reviewed: list[Reviewed] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    refused_pairs: list[RefusedPair] = field(default_factory=list)
    refused_pixels: dict[str, Decoded] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    backed_off: int = 0
    spent: Counter[str] = field(default_factory=Counter)
    reported: tuple[int, int] = (0, 0)

    def refuse(self, row: PlannedImage, stage: str, refusal: Refusal, attempts: int = 1) -> None:
        self.quarantined.append(
            Quarantined(row.image_id, row.split, stage, refusal.reason, refusal.detail, attempts)
        )

    def counts(self, asked: int) -> dict[str, dict[str, int]]:
        """The shard's books: what came in, what went out, and how it is made up."""
        tallies = {
            "reason": Counter(q.reason for q in self.quarantined),
            "dropped": self.dropped,
            "leak": Counter(leak.found_by for leak in self.leaks),
            **tally_rows(self.images, self.pairs),
        }
        if self.reviewed:
            tallies["review"] = Counter(reviewed.outcome for reviewed in self.reviewed)
        if self.spent:
            tallies["spent"] = self.spent
        totals = {
            "in": asked,
            "out": len(self.images),
            "quarantined": len(self.quarantined),
            "pairs": len(self.pairs),
            "backed_off": self.backed_off,
        }
        return {"total": totals} | {name: dict(sorted(c.items())) for name, c in tallies.items()}
