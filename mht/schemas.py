"""The Arrow schema of each artifact's files, and records as tables.

Apart from the records, so that what only handles records (the decoding child above all) need not load Arrow.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def _schema(**fields: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in fields.items()])


PLAN_SCHEMA = _schema(
    image_id=pa.string(),
    name=pa.string(),
    uri=pa.string(),
    offset_bytes=pa.int64(),
    length_bytes=pa.int64(),
    row=pa.int64(),
    size_bytes=pa.int64(),
    version=pa.string(),
    group=pa.string(),
    licence=pa.string(),
    modality=pa.string(),
    caption=pa.string(),
    caption_uri=pa.string(),
    caption_version=pa.string(),
    split=pa.string(),
    shard=pa.string(),
)

FACT_TYPE = pa.struct(
    [
        ("finding", pa.string()),
        ("text", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("presence", pa.string()),
        ("side", pa.string()),
        ("site", pa.string()),
        ("severity", pa.string()),
        ("size_mm", pa.float64()),
        ("attributes", pa.list_(pa.string())),
    ]
)

CAPTION_SCHEMA = _schema(
    image_id=pa.string(),
    caption=pa.string(),
    modality=pa.string(),
    facts=pa.list_(FACT_TYPE),
    reason=pa.string(),
    detail=pa.string(),
)

IMAGE_SCHEMA = _schema(
    image_id=pa.string(),
    split=pa.string(),
    group=pa.string(),
    image=pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    width_px=pa.int32(),
    height_px=pa.int32(),
    source_width_px=pa.int32(),
    source_height_px=pa.int32(),
    source_format=pa.string(),
    source_sha256=pa.string(),
    pixel_hash=pa.binary(),
    caption=pa.string(),
    facts=pa.list_(FACT_TYPE),
    modality=pa.string(),
    dicom_modality=pa.string(),
    body_part=pa.string(),
    view=pa.string(),
    laterality=pa.string(),
    licence=pa.string(),
)

HASH_SCHEMA = _schema(
    image_id=pa.string(),
    split=pa.string(),
    group=pa.string(),
    source_sha256=pa.string(),
    pixel_hash=pa.binary(),
    thumbnail=pa.binary(),
)

BENCHMARK_SCHEMA = _schema(
    name=pa.string(),
    reason=pa.string(),
    source_sha256=pa.string(),
    thumbnail=pa.binary(),
    codes=pa.binary(),
)

LEAK_SCHEMA = _schema(
    image_id=pa.string(),
    split=pa.string(),
    shard=pa.string(),
    benchmark=pa.string(),
    picture=pa.string(),
    found_by=pa.string(),
    distance_bits=pa.int32(),
    likeness=pa.float64(),
    left=pa.float64(),
    top=pa.float64(),
    right=pa.float64(),
    bottom=pa.float64(),
)

DUPLICATE_SCHEMA = _schema(
    image_id=pa.string(),
    duplicate_of=pa.string(),
    distance_bits=pa.int32(),
    same_bytes=pa.bool_(),
    same_group=pa.bool_(),
    same_split=pa.bool_(),
    leave_out=pa.list_(pa.string()),
)

PAIR_SCHEMA = _schema(
    pair_id=pa.string(),
    twin_id=pa.string(),
    image_id=pa.string(),
    split=pa.string(),
    form=pa.string(),
    state=pa.string(),
    type=pa.string(),
    strategy=pa.string(),
    question=pa.string(),
    premise=pa.string(),
    answer=pa.string(),
    rejected=pa.string(),
    polarity=pa.string(),
    slot=pa.string(),
    span_start=pa.int32(),
    span_end=pa.int32(),
    span=pa.string(),
    counterpart=pa.string(),
    evidence=pa.string(),
    risk=pa.string(),
    risk_rule=pa.string(),
    row_hash=pa.string(),
)

_COST = {"calls": pa.int32(), "prompt_tokens": pa.int64(), "tokens": pa.int64()}

TEXT_SCHEMA = _schema(
    image_id=pa.string(), stage=pa.string(), text=pa.string(), reason=pa.string(), detail=pa.string(), **_COST
)

WORDING_SCHEMA = _schema(
    twin_id=pa.string(),
    image_id=pa.string(),
    question=pa.string(),
    true_answer=pa.string(),
    true_wrong=pa.string(),
    false_answer=pa.string(),
    false_wrong=pa.string(),
    reason=pa.string(),
    detail=pa.string(),
    **_COST,
)

VERDICT_SCHEMA = _schema(
    pair_id=pa.string(),
    row_hash=pa.string(),
    step=pa.string(),
    verdict=pa.string(),
    reason=pa.string(),
    refusal=pa.string(),
    **_COST,
)

REFUSED_PAIR_SCHEMA = _schema(
    pair_id=pa.string(),
    twin_id=pa.string(),
    image_id=pa.string(),
    stage=pa.string(),
    reason=pa.string(),
    detail=pa.string(),
)

QUARANTINE_SCHEMA = _schema(
    image_id=pa.string(),
    split=pa.string(),
    stage=pa.string(),
    reason=pa.string(),
    detail=pa.string(),
    attempts=pa.int32(),
)

REVIEWED_SCHEMA = _schema(
    pair_id=pa.string(),
    row_hash=pa.string(),
    verdict=pa.string(),
    outcome=pa.string(),
    reason=pa.string(),
    new_row_hash=pa.string(),
    reviewer=pa.string(),
    note=pa.string(),
)


def to_table(records: list[Any], schema: pa.Schema) -> pa.Table:
    """Records or plain mappings' columns as a table; a field of the schema is an attribute of the record."""
    columns = [
        pa.array([getattr(record, field.name) for record in records], type=field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
