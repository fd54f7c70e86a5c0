"""Where replies were given: those of another address are taken over, since a gateway may move, and it is said."""

from __future__ import annotations

from collections.abc import Iterable

from mht.evaluation.kept import Commit


def remarks(key: str, address: str | None, commits: Iterable[Commit]) -> list[str]:
    """A line where replies were given elsewhere than the model of `key` is asked now."""
    others = sorted({at for commit in commits for at in commit.at if at != address})
    if address is None or not others:
        return []
    return [
        f"{key} is asked at {address}, and replies that {' and '.join(others)} gave under the same name are taken "
        f"over; if other weights are served there, give {key}.revision a label of its own"
    ]
