"""What a shard's requests became, kept by fingerprint: `<stage>/<fingerprint>/<shard>-<inputs>.parquet`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from mht.artifacts import names_below, parquet_bytes, parquet_table
from mht.errors import StorageMissing
from mht.generation import Failure, Reply
from mht.schemas import to_table
from mht.storage import Storage, join


@dataclass(frozen=True, slots=True)
class Spent:
    """What requests cost: how many were made, tries included, and the engine's own count of tokens."""

    calls: int = 0
    prompt_tokens: int = 0
    tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.tokens + other.tokens,
        )

    @staticmethod
    def of(replies: Sequence[Reply]) -> Spent:
        return Spent(
            sum(reply.calls for reply in replies),
            sum(reply.prompt_tokens for reply in replies),
            sum(reply.tokens for reply in replies),
        )


class Kept:
    """One stage's files. A shard whose file is there is done, and is never asked again."""

    def __init__(self, storage: Storage, root: str, stage: str, fingerprint: str, schema: pa.Schema) -> None:
        self._storage = storage
        self._folder = join(root, stage, fingerprint)
        self._schema = schema

    def done(self) -> set[str]:
        """`<shard>-<inputs>` of every shard that is done."""
        return set(names_below(self._storage, self._folder, ".parquet"))

    def write(self, key: str, rows: Sequence[Any]) -> None:
        """Keep a shard's rows, unless another worker did: whose is first is the one that counts."""
        self._storage.create(self._uri(key), parquet_bytes(to_table(list(rows), self._schema)))

    def read(self, key: str) -> list[dict[str, Any]] | None:
        """A shard's rows as plain mappings, or None where nobody has asked yet."""
        try:
            data = self._storage.read(self._uri(key))
        except StorageMissing:
            return None
        rows: list[dict[str, Any]] = parquet_table(data).to_pylist()
        return rows

    def part(self, key: str) -> dict[str, Reply]:
        """The replies that a shard had when an engine stopped, by request; they need not be paid for again."""
        try:
            lines = self._storage.read(join(self._folder, f"{key}.part")).decode().splitlines()
        except StorageMissing:
            return {}
        rows = (json.loads(line) for line in lines)
        return {
            row["request_id"]: Reply(**row | {"failure": Failure(row["failure"]) if row["failure"] else None})
            for row in rows
        }

    def write_part(self, key: str, replies: Sequence[Reply]) -> None:
        """Keep what a shard has so far."""
        lines = "".join(json.dumps(asdict(reply)) + "\n" for reply in replies)
        self._storage.write(join(self._folder, f"{key}.part"), lines.encode())

    def drop_part(self, key: str) -> None:
        """The shard is whole: its parts are of no use any more."""
        self._storage.delete(join(self._folder, f"{key}.part"))

    def _uri(self, key: str) -> str:
        return join(self._folder, f"{key}.parquet")


def spent_on(rows: Sequence[dict[str, Any]]) -> Spent:
    """What the kept rows of a shard cost."""
    return Spent(*(sum(row[name] for row in rows) for name in ("calls", "prompt_tokens", "tokens")))
