"""A review: one decision a line, each about one row by its pair's id and the row's own hash.

A decision is content-addressed: once the row is another one, the decision is stale and does nothing. The review as
a whole is addressed by its content, too, whatever the order of its lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mht.errors import InputError

EDITABLE = ("question", "answer", "rejected")
FOLDER = "review"
_STRICTEST = ("accept", "edit", "reject")
Key = tuple[str, str]


class Decision(BaseModel):
    """What a reviewer says of one row. An edit gives the texts that change; the others are None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair_id: str = Field(pattern=r"^[0-9a-f]+-[0-9a-f]+[fh]$")
    row_hash: str = Field(pattern=r"^[0-9a-f]+$")
    verdict: Literal["accept", "reject", "edit"]
    question: str | None = None
    answer: str | None = None
    rejected: str | None = None
    reviewer: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _edits_say_what(self) -> Decision:
        if (self.verdict == "edit") != bool(self.changes()):
            raise ValueError(f"an edit, and nothing else, gives one of {', '.join(EDITABLE)}")
        return self

    @property
    def key(self) -> Key:
        return self.pair_id, self.row_hash

    @property
    def image_id(self) -> str:
        return self.pair_id.partition("-")[0]

    def changes(self) -> dict[str, str]:
        """The texts that an edit puts in place of the row's."""
        return {name: text for name in EDITABLE if (text := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Review:
    """Decisions by the row that they are about."""

    decisions: Mapping[Key, Decision]

    def __len__(self) -> int:
        return len(self.decisions)

    @classmethod
    def of(cls, decisions: Iterable[Decision]) -> Review:
        """The strictest verdict on a row stands. Raises InputError for two different edits of one row."""
        found: dict[Key, Decision] = {}
        for decision in decisions:
            found[decision.key] = _stricter(found.get(decision.key), decision)
        return cls(dict(sorted(found.items())))

    def to_bytes(self) -> bytes:
        """One line a decision, sorted, so that the same decisions are the same bytes."""
        lines = (decision.model_dump_json(exclude_none=True) for decision in self.decisions.values())
        return "".join(f"{line}\n" for line in lines).encode()

    @property
    def path(self) -> str:
        """Where a dataset keeps it: a name that holds the hash of the content."""
        return f"{FOLDER}/{hashlib.sha256(self.to_bytes()).hexdigest()[:16]}.jsonl"

    def by_image(self) -> dict[str, dict[Key, Decision]]:
        found: dict[str, dict[Key, Decision]] = {}
        for key, decision in self.decisions.items():
            found.setdefault(decision.image_id, {})[key] = decision
        return found

    def over(self, older: Review) -> Review:
        """Both, this one's word standing where they speak of the same row."""
        return Review(dict(sorted({**older.decisions, **self.decisions}.items())))


def _stricter(one: Decision | None, other: Decision) -> Decision:
    if one is None:
        return other
    if one.verdict == other.verdict == "edit" and one.changes() != other.changes():
        raise InputError(
            f"pair {other.pair_id} at review: edited in two ways, by {one.reviewer or 'someone'} and by "
            f"{other.reviewer or 'someone'}. Let one of the two decisions stand."
        )
    return max(one, other, key=lambda decision: _STRICTEST.index(decision.verdict))


def decision(plain: Any, place: str) -> Decision:
    """Raises InputError with the place for anything that is no decision."""
    try:
        return Decision.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{place} at review: {where or 'decision'}: {first['msg']}. Mend it there."
        ) from None
