"""The verdict stage: a verifier's model judges each pair of a shard, every step by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from mht.dataset.asked.ask import Generate
from mht.dataset.asked.kept import Spent
from mht.dataset.asked.wordings import twins_of
from mht.errors import IntegrityError
from mht.generation import Request
from mht.records import Pair, RefusedPair, Verdict
from mht.seeds import row_seed

STAGE = "verdicts"


@dataclass(frozen=True, slots=True)
class Judged:
    """One step's verdict on one pair, and what that cost."""

    pair_id: str
    row_hash: str
    step: str
    verdict: str | None
    reason: str
    refusal: str | None
    calls: int
    prompt_tokens: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Case:
    """A pair with what it is judged by: the caption, and the image where the verifier looks at it."""

    pair: Pair
    caption: str
    image: bytes | None = None


def judge(
    cases: Sequence[Case], verifier: tuple[ModuleType, Any], seed: int, generate: Generate
) -> Iterator[Judged]:
    """The verdicts on every pair, in order, a row a step."""
    module, params = verifier
    asked: list[tuple[Pair, tuple[Request, ...]]] = [
        (
            case.pair,
            module.ask(case.pair, case.caption, case.image, params, row_seed(seed, STAGE, case.pair.pair_id)),
        )
        for case in cases
    ]
    replies = iter(generate([request for _, requests in asked for request in requests]))
    for pair, requests in asked:
        own = [next(replies) for _ in requests]
        verdicts: Sequence[Verdict] = module.judge(pair, requests, own)
        for verdict, reply in zip(verdicts, own, strict=True):
            spent = Spent.of([reply])
            yield Judged(
                verdict.pair_id,
                verdict.row_hash,
                verdict.step,
                verdict.verdict,
                verdict.reason,
                verdict.refusal.value if verdict.refusal else None,
                spent.calls,
                spent.prompt_tokens,
                spent.tokens,
            )


def sift(
    pairs: Sequence[Pair], kept: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[list[Pair], list[RefusedPair]]:
    """(the pairs that every step agrees with, those that are refused); twins stay or go together.

    Raises IntegrityError for verdicts on other rows than these.
    """
    stay: list[Pair] = []
    refused: list[RefusedPair] = []
    for twins in twins_of(pairs):
        rows = [row for pair in twins for row in _own(pair, kept)]
        wrong = [row for row in rows if row["refusal"] is not None]
        if not wrong:
            stay += twins
            continue
        for pair in twins:
            own = [row for row in wrong if row["pair_id"] == pair.pair_id] or wrong[:1]
            what = f"{own[0]['step']}: {own[0]['verdict'] or 'no verdict'}; {own[0]['reason']}"
            who = what if own[0]["pair_id"] == pair.pair_id else f"its twin, {what}"
            refused.append(
                RefusedPair(pair.pair_id, pair.twin_id, pair.image_id, STAGE, own[0]["refusal"], who)
            )
    return stay, refused


def _own(pair: Pair, kept: Mapping[str, Sequence[Mapping[str, Any]]]) -> Sequence[Mapping[str, Any]]:
    rows = kept.get(pair.pair_id, ())
    if not rows or any(row["row_hash"] != pair.row_hash for row in rows):
        raise IntegrityError(
            f"pair {pair.pair_id}: its verdicts are on another row. Give new_run=true to have it judged again."
        )
    return rows
