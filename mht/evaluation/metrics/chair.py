"""CHAIR: findings that a reply states and that are not there.

`chair.i` is their share of all findings that replies state, `chair.s` the share of replies that state at least one.
A finding counts once a reply. It is there where the caption or the reference answer states it, a kind of it or what it
is a kind of, or leaves it open ("may be"); findings are read with the lexicon, and one that the reply denies is not
stated. `chair.stated` is how many findings a reply states: a model that says nothing has a CHAIR of nothing. Lower is
better, for `chair.stated` neither is better. Source: Rohrbach et al., Object Hallucination in Image Captioning
(arXiv 1809.02156), whose objects are our findings.
Captions are not exhaustive, so an unmentioned finding may be there all the same: `denied_only` counts only findings
that the text denies. Failed replies, and rows whose caption and reference state nothing that is read, are unscored; no
row, or no finding stated: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._findings import ground, read, stated
from mht.knowledge.truth import DENIED, POSSIBLE, TRUE, world
from mht.predictions import Kind, Measured, Parts, Prediction, Unscored, per_row, ratio


class Params(BaseModel):
    """`denied_only`: count a finding as made up only where the text says that it is not there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    denied_only: bool = False


def asks(row: Prediction) -> bool:
    return bool(row.caption or row.truth)


def made_up(row: Prediction, params: Params) -> tuple[set[str], set[str]] | None:
    """The findings that the reply states and those of them that are not there; None where nothing is known."""
    known = ground(row)
    if not known.facts:
        return None
    said = {fact.finding for fact in stated(read(row.answer, row.modality))}
    status = {finding: world(known).status(finding) for finding in said}
    if params.denied_only:
        return said, {finding for finding, is_there in status.items() if is_there == DENIED}
    return said, {finding for finding, is_there in status.items() if is_there not in (TRUE, POSSIBLE)}


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    def parts(row: Prediction) -> Parts | Unscored:
        found = made_up(row, params)
        if found is None:
            return Unscored.NOTHING_READ
        said, wrong = found
        return float(len(wrong)), float(len(said)), float(bool(wrong)), 1.0

    units = per_row(rows, asks, parts)
    return (
        Measured("chair.i", units, ratio(0, 1)),
        Measured("chair.s", units, ratio(2, 3)),
        Measured("chair.stated", units, ratio(1, 3), kind=Kind.NUMBER),
    )
