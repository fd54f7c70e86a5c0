"""The wording stage: a writer's model words the planned twins of a shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from mht.dataset.asked.ask import Generate
from mht.dataset.asked.kept import Spent
from mht.pairing.context import Judge
from mht.pairing.twins import refusal_of
from mht.records import Pair, Reading, Reason, Refusal, RefusedPair, Wording
from mht.seeds import row_seed

STAGE = "wordings"
Twins = tuple[Pair, Pair]
_TEXTS = ("question", "true_answer", "true_wrong", "false_answer", "false_wrong")


@dataclass(frozen=True, slots=True)
class Worded:
    """What became of one twin pair: a wording, or a reason; and what that cost."""

    twin_id: str
    image_id: str
    question: str | None
    true_answer: str | None
    true_wrong: str | None
    false_answer: str | None
    false_wrong: str | None
    reason: str | None
    detail: str | None
    calls: int
    prompt_tokens: int
    tokens: int


def twins_of(pairs: Sequence[Pair]) -> Iterator[Twins]:
    """(faithful, hallucinated), as they stand side by side."""
    yield from zip(pairs[::2], pairs[1::2], strict=True)


def word(
    made: Sequence[tuple[Reading, Sequence[Pair]]],
    writer: tuple[ModuleType, Any],
    seed: int,
    generate: Generate,
) -> Iterator[Worded]:
    """What became of every twin pair that the writer wants to word, in order."""
    module, params = writer
    asked = [
        (twins, module.ask(twins, reading, params, row_seed(seed, STAGE, twins[0].twin_id)))
        for reading, pairs in made
        for twins in twins_of(pairs)
        if module.asked(twins, params)
    ]
    replies = generate([request for _, request in asked])
    for (twins, request), reply in zip(asked, replies, strict=True):
        said, spent = module.read(request, reply, twins), Spent.of([reply])
        texts = {name: None if isinstance(said, Refusal) else getattr(said, name) for name in _TEXTS}
        reason, detail = (said.reason.value, said.detail) if isinstance(said, Refusal) else (None, None)
        yield Worded(
            twin_id=twins[0].twin_id,
            image_id=twins[0].image_id,
            **texts,
            reason=reason,
            detail=detail,
            calls=spent.calls,
            prompt_tokens=spent.prompt_tokens,
            tokens=spent.tokens,
        )


def reword(
    pairs: Sequence[Pair],
    reading: Reading,
    kept: Mapping[str, Mapping[str, Any]],
    writer: tuple[ModuleType, Any],
    checks: Sequence[tuple[str, Judge]],
) -> tuple[list[Pair], list[RefusedPair]]:
    """(the pairs in their new words, those that are refused). A wording must pass the checks as any text must."""
    module, params = writer
    done: list[Pair] = []
    refused: list[RefusedPair] = []
    for twins in twins_of(pairs):
        if not module.asked(twins, params):
            done += twins
            continue
        row = kept[twins[0].twin_id]
        why = (row["reason"], row["detail"]) if row["reason"] is not None else None
        if why is None:
            wording = Wording(twins[0].twin_id, *(row[name] for name in _TEXTS))
            twins = module.apply(wording, twins)
            found = refusal_of(twins, reading, checks)
            why = (
                None
                if found is None
                else (Reason.REPLY_UNFIT.value, f"the check {found} refuses the wording")
            )
        if why is None:
            done += twins
        else:
            refused += [RefusedPair(p.pair_id, p.twin_id, p.image_id, STAGE, *why) for p in twins]
    return done, refused
