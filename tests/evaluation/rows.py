"""Rows that every metric finds something in: pairs of phantoms with replies that are right, wrong, odd or missing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from mht.predictions import Judgement, Prediction, of_pair
from mht.records import Pair
from mht.schemas import PAIR_SCHEMA
from tests.pairing.corpus import read_pairs

FAILURES = ("timeout", "cut_short", "server_error")


def columns(pair: Pair) -> dict[str, object]:
    """A pair as a dataset's reader gives it."""
    return {name: getattr(pair, name) for name in PAIR_SCHEMA.names}


@cache
def predictions(n: int = 6, seed: int = 3) -> tuple[Prediction, ...]:
    """Of three replies two are right; one in twelve is odd, one in twenty failed."""
    rng = random.Random(seed)
    rows = []
    for reading, pairs in read_pairs(n, seed):
        known = {"caption": reading.caption, "modality": reading.modality, "site": "chest"}
        rows += [_row(pair, rng, known) for pair in pairs]
    return tuple(rows)


def _row(pair: Pair, rng: random.Random, known: dict[str, str | None]) -> Prediction:
    reply: str | None = pair.answer if rng.random() < 0.66 else pair.rejected
    if rng.random() < 0.08:
        reply = rng.choice(("", "It cannot be determined from this image.", "A dog.", "Yes and no."))
    failure = rng.choice(FAILURES) if rng.random() < 0.05 else None
    columns_of = columns(pair)
    judged = Judgement("j", *(float(rng.randint(1, 10)) for _ in range(4)))
    if rng.random() < 0.1:
        judged = Judgement("j", failure="not_four_scores")
    return of_pair(
        columns_of,
        None if failure else reply,
        failure,
        likelihood_yes=None if failure else rng.random(),
        judgements=(judged,),
        **known,
    )


def choices(n: int = 24) -> tuple[Prediction, ...]:
    """Questions with four options, two an image: replies that pick the right one, another, none or two; some failed."""
    options = ("Left lung", "Right lung", "Heart", "Liver")
    rows = []
    for at in range(n):
        right, said = at % 4, (at * 7) % 5
        letters = "ABCD"
        replies = (
            letters[right],
            f"The answer is {letters[right - 1]}.",
            options[right],
            "A or B",
            "I cannot say.",
        )
        rows.append(
            Prediction(
                "choice", f"{at}", f"i{at // 2}", f"Which one is number {at} ?", options[right],
                None if at % 11 == 10 else replies[said], "timeout" if at % 11 == 10 else None, kind="choice",
                options=options, likelihoods=tuple(0.4 if at % 3 == place else 0.2 for place in range(4)),
            )
        )  # fmt: skip
    return tuple(rows)


def failed(rows: Sequence[Prediction]) -> list[Prediction]:
    """The same questions, all without a reply."""
    judged = Judgement("j", failure="timeout")
    return [
        replace(
            row, reply=None, failure="timeout", likelihood_yes=None, likelihoods=None, judgements=(judged,)
        )
        for row in rows
    ]
