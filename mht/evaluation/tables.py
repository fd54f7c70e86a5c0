"""Predictions as rows of Parquet files: what was asked, what came back, what it cost; what judges said of them; and
per-row values of metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from mht.generation import TRANSIENT, Reply
from mht.judgements import SCALES, Judgement
from mht.predictions import Measured, Prediction
from mht.schemas import to_table

_TEXTS = (
    "benchmark", "row_id", "image_id", "question", "truth", "reply", "failure", "group", "state", "type", "form",
    "risk", "modality", "site", "polarity", "premise", "rejected", "twin_id", "caption", "kind",
)  # fmt: skip
_COST = {"prompt_tokens": pa.int64(), "tokens": pa.int64(), "calls": pa.int64()}
PREDICTION_SCHEMA = pa.schema(
    {name: pa.string() for name in _TEXTS}
    | {
        "options": pa.list_(pa.string()),
        "likelihood_yes": pa.float64(),
        "likelihoods": pa.list_(pa.float64()),
        "detail": pa.string(),
        "image": pa.string(),
    }
    | _COST
)
"""Prediction's columns, with the particulars of a failure, which image was shown, and the engine's own counts.

Judgements lie beside.
"""
JUDGEMENT_SCHEMA = pa.schema(
    {name: pa.string() for name in ("row_id", "judge")}
    | dict.fromkeys(SCALES, pa.float64())
    | {"failure": pa.string(), "why": pa.string(), "samples": pa.int32(), "spread": pa.list_(pa.float64())}
    | {"of": pa.string(), "image": pa.string()}
    | _COST
)
"""Judgement's columns; `of` is a digest of what was judged, `image` of the image that the judge was shown."""
VALUE_SCHEMA = pa.schema(
    {"metric": pa.string(), "key": pa.string(), "cluster": pa.string()}
    | {"parts": pa.list_(pa.float64()), "unscored": pa.string()}
)
"""What each metric read from each row, or pair of twins."""
_FIELDS = tuple(field.name for field in fields(Prediction) if field.name != "judgements")
_JUDGED_FIELDS = tuple(field.name for field in fields(Judgement))


@dataclass(frozen=True, slots=True)
class Kept:
    """A prediction with what it cost: `calls` is how often a model was asked, tries that failed included.

    `image` is the digest of the image's file as it was then (`pictures.source`), None for a row without one.
    """

    prediction: Prediction
    detail: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    calls: int = 0
    image: str | None = None

    @property
    def may_be_asked_again(self) -> bool:
        """A failure of the way there and back may go otherwise another time; any other end is one."""
        return self.prediction.failure in TRANSIENT


def kept(prediction: Prediction, reply: Reply, image: str | None) -> Kept:
    """A prediction with the reply it was made of, and the digest of the image that was shown."""
    return Kept(prediction, reply.detail, reply.prompt_tokens, reply.tokens, reply.calls, image)


def prediction_table(rows: Sequence[Kept]) -> pa.Table:
    plain = [
        {name: getattr(row.prediction, name) for name in _FIELDS}
        | {name: getattr(row, name) for name in ("detail", "image", *_COST)}
        for row in rows
    ]
    return pa.Table.from_pylist(plain, schema=PREDICTION_SCHEMA)


def kept_rows(table: pa.Table) -> list[Kept]:
    return [_row(plain) for plain in table.to_pylist()]


def _row(plain: Mapping[str, Any]) -> Kept:
    # Runs of before the likelihoods of options, or the images' digests, have no such column.
    columns: dict[str, Any] = {
        name: plain.get(name) if name == "likelihoods" else plain[name] for name in _FIELDS
    }
    for name in ("options", "likelihoods"):
        if columns[name] is not None:
            columns[name] = tuple(columns[name])
    costs = {name: plain[name] for name in _COST}
    return Kept(Prediction(**columns), plain["detail"], image=plain.get("image"), **costs)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge said of a row, with what it cost; `of` is a digest of what was judged.

    `image` is that of the image's file, None where the judge was shown none.
    """

    row_id: str
    judgement: Judgement
    of: str
    prompt_tokens: int = 0
    tokens: int = 0
    calls: int = 0
    image: str | None = None

    @property
    def may_be_asked_again(self) -> bool:
        """As of predictions: what failed in passing may go otherwise another time."""
        return self.judgement.failure in TRANSIENT


def judged_table(rows: Sequence[Judged]) -> pa.Table:
    plain = [
        {name: getattr(row.judgement, name) for name in _JUDGED_FIELDS}
        | {name: getattr(row, name) for name in ("row_id", "of", "image", *_COST)}
        for row in rows
    ]
    return pa.Table.from_pylist(plain, schema=JUDGEMENT_SCHEMA)


def judged_rows(table: pa.Table) -> list[Judged]:
    return [_judged(plain) for plain in table.to_pylist()]


def _judged(plain: Mapping[str, Any]) -> Judged:
    columns = {name: plain[name] for name in _JUDGED_FIELDS}
    if columns["spread"] is not None:
        columns["spread"] = tuple(columns["spread"])
    costs = {name: plain[name] for name in _COST}
    return Judged(plain["row_id"], Judgement(**columns), plain["of"], image=plain.get("image"), **costs)


@dataclass(frozen=True, slots=True)
class _Value:
    metric: str
    key: str
    cluster: str
    parts: tuple[float, ...] | None
    unscored: str | None


def value_table(measured: Sequence[Measured]) -> pa.Table:
    """A row for each unit of each figure."""
    return to_table(list(_values(measured)), VALUE_SCHEMA)


def _values(measured: Sequence[Measured]) -> Iterator[_Value]:
    for one in measured:
        for unit in one.units:
            unscored = None if unit.unscored is None else str(unit.unscored)
            yield _Value(one.name, unit.key, unit.cluster, unit.parts, unscored)
