"""The books of a dataset: commits added up, checked to balance, and closed with the manifest.

`n_in == n_out + n_quarantined` holds in every shard and over all of them, or nothing is closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mht.artifacts import Commit, FileRecord
from mht.errors import IntegrityError
from mht.seeds import digest


@lru_cache(maxsize=65_536)
def shard_rank(shard: str) -> str:
    """An order of shards that has nothing to do with their content: hex digits over the name."""
    return digest("look", shard).hex()


@dataclass(slots=True)
class Books:
    """Counts over shards: `total` (in, out, quarantined, pairs), and by reason, state, type, form and the rest.

    `witnesses` names for each word of a tally one shard that holds such a row, whatever the order of the commits:
    the first by `shard_rank`.
    """

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    files: list[FileRecord] = field(default_factory=list)
    shard_seconds: float = 0.0
    witnesses: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, commit: Commit) -> None:
        """Raises IntegrityError for a shard whose own books do not balance."""
        total = commit.counts["total"]
        if total["in"] != total["out"] + total["quarantined"]:
            raise IntegrityError(
                f"shard {commit.shard}: {total['in']} images in, {total['out']} out and {total['quarantined']} "
                "quarantined do not balance. Remove its commit record and build again."
            )
        for name, tally in commit.counts.items():
            self.counts.setdefault(name, Counter()).update(tally)
            self._witness(commit.shard, name, tally)
        self.files.extend(commit.files())
        self.shard_seconds += commit.seconds

    def _witness(self, shard: str, name: str, tally: Mapping[str, int]) -> None:
        for word, count in tally.items():
            known = self.witnesses.get((name, word))
            if count and (known is None or shard_rank(shard) < shard_rank(known)):
                self.witnesses[name, word] = shard

    def add_review(self, decisions: int) -> None:
        """Decisions about images that are not in the plan are counted, too; no shard has them."""
        told = self.counts.setdefault("review", Counter())
        told["foreign"] = decisions - told.total()

    def total(self, name: str) -> int:
        return self.counts.get("total", Counter())[name]

    @property
    def bytes(self) -> int:
        return sum(record.bytes for record in self.files)

    @property
    def quarantined_share(self) -> float:
        return self.total("quarantined") / max(1, self.total("in"))

    def close(self, planned: int) -> None:
        """Raises IntegrityError unless every planned image came in, and came out or was quarantined."""
        came_in, went_out = self.total("in"), self.total("out") + self.total("quarantined")
        if not planned == came_in == went_out:
            raise IntegrityError(
                f"the books do not balance: {planned} planned, {came_in} in, {went_out} out or quarantined."
            )

    def plain(self) -> dict[str, Any]:
        return {name: dict(sorted(tally.items())) for name, tally in sorted(self.counts.items())}


def add_up(commits: Iterable[Commit]) -> Books:
    books = Books()
    for commit in commits:
        books.add(commit)
    return books
