"""Rows that cannot be learnt: counted by reason, the first of each named, and too many of them an error."""

from __future__ import annotations

from dataclasses import dataclass, field

from mht.errors import InputError

_NAMED = 5


class Unfit(Exception):
    """A row is left out. `reason` is one word that is counted, `detail` the particulars; it never leaves the family."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class LeftOut:
    """How many rows there are, and what of them is left out, by reason."""

    n_rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)

    def add(self, where: str, unfit: Unfit) -> None:
        """`where` names the row for people."""
        self.counts[unfit.reason] = self.counts.get(unfit.reason, 0) + 1
        named = self.named.setdefault(unfit.reason, [])
        if len(named) < _NAMED:
            named.append(f"{where}: {unfit.detail}" if unfit.detail else where)

    def __str__(self) -> str:
        """One line a reason, the most frequent one first; empty where nothing is left out."""
        lines = []
        for reason, count in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            more = ", …" if count > len(self.named[reason]) else ""
            lines.append(f"{reason} {count:,} ({'; '.join(self.named[reason])}{more})")
        return "\n".join(lines)

    def refuse(self, path: str, max_bad: float) -> None:
        """Raises InputError where a larger share than `max_bad` is left out, or everything."""
        count = sum(self.counts.values())
        if count <= max_bad * self.n_rows and count < self.n_rows:
            return
        if self.n_rows == 0:
            raise InputError(f"{path!r}: no rows. Check data.path.")
        raise InputError(
            f"{path!r}: {count:,} of {self.n_rows:,} rows cannot be learnt, over max_bad={max_bad:g}. Correct them, "
            f"or raise data.max_bad to leave them out.\n{self}"
        )
