"""Rows that cannot be asked: counted by reason, the first of each named, and too many of them an error."""

from __future__ import annotations

from dataclasses import dataclass, field

from mht.errors import InputError

_NAMED = 3


class Unfit(Exception):
    """A row is refused. `reason` is one word that is counted, `detail` the particulars; it never leaves the family."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Refused:
    """How many rows were looked at, and what of them is refused, by reason."""

    n_rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def add(self, where: str, unfit: Unfit) -> None:
        """`where` names the row for people."""
        self.counts[unfit.reason] = self.counts.get(unfit.reason, 0) + 1
        named = self.named.setdefault(unfit.reason, [])
        if len(named) < _NAMED:
            named.append(f"{where}: {unfit.detail}" if unfit.detail else where)

    def lines(self) -> list[str]:
        """One a reason, the most frequent one first."""
        found = []
        for reason, count in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            more = ", …" if count > len(self.named[reason]) else ""
            found.append(f"{reason} {count:,} ({'; '.join(self.named[reason])}{more})")
        return found

    def check(self, path: str, max_refused: float) -> None:
        """Raises InputError where a larger share than `max_refused` is refused, or everything."""
        if self.n_rows == 0:
            raise InputError(f"{path!r}: no rows to ask. Check the benchmark's path and split.")
        if self.count <= max_refused * self.n_rows and self.count < self.n_rows:
            return
        reasons = "\n".join(self.lines())
        raise InputError(
            f"{path!r}: {self.count:,} of {self.n_rows:,} rows cannot be asked, over max_refused={max_refused:g}. "
            f"Complete the copy, or raise max_refused to ask the others.\n{reasons}"
        )
