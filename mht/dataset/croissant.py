"""croissant.json: the dataset as machines look for it, in MLCommons' vocabulary (Croissant 1.0).

Every Parquet file stands there with its sha256; the two record sets read the columns of pairs/ and images/. It names
no address and no date: where and when a dataset is published is for its publisher to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from mht.artifacts import FileRecord, dump_json
from mht.dataset.columns import KINDS
from mht.dataset.licences import address
from mht.schemas import IMAGE_SCHEMA, PAIR_SCHEMA

CROISSANT = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"

_PARQUET = "application/x-parquet"
_SCHEMAS = {"pairs": PAIR_SCHEMA, "images": IMAGE_SCHEMA}
_KEYS = {"pairs": "pair_id", "images": "image_id"}
# The context of https://docs.mlcommons.org/croissant/docs/croissant-spec.html
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        word: f"cr:{word}"
        for word in (
            "citeAs", "column", "equivalentProperty", "extract", "fileObject", "fileProperty", "fileSet", "format",
            "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references",
            "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "field": "cr:field",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}  # fmt: skip


def croissant(
    name: str,
    about: str,
    version: str,
    licence: str,
    files: Sequence[FileRecord],
    patterns: Mapping[str, Mapping[str, Sequence[str]]],
) -> bytes:
    """The file's bytes. `patterns` names for pairs and images the files of each split."""
    parquet = sorted((f for f in files if f.path.partition("/")[0] in _SCHEMAS), key=lambda f: f.path)
    return dump_json(
        {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": CONFORMS_TO,
            "name": name,
            "description": about,
            "version": version,
            "citeAs": f"{name}, {version}.",
            "inLanguage": "en",
            "keywords": ["medical images", "visual question answering", "hallucination"],
            "license": address(licence) or "see the column licence of images/",
            "distribution": [_file_set(kind, patterns[kind]) for kind in _SCHEMAS]
            + [_file(f) for f in parquet],
            "recordSet": [_record_set(kind) for kind in _SCHEMAS],
        }
    )


def _file(record: FileRecord) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": record.path,
        "name": record.path,
        "description": f"{record.rows} rows",
        "contentUrl": record.path,
        "contentSize": f"{record.bytes} B",
        "encodingFormat": _PARQUET,
        "sha256": record.sha256,
    }


def _file_set(kind: str, splits: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{kind}-files",
        "name": f"{kind}-files",
        "description": f"One row a {kind.removesuffix('s')}; the file's name begins with its split.",
        "encodingFormat": _PARQUET,
        "includes": [pattern for split in sorted(splits) for pattern in splits[split]],
    }


def _record_set(kind: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": kind,
        "name": kind,
        "key": {"@id": f"{kind}/{_KEYS[kind]}"},
        "field": [_field(kind, field) for field in _SCHEMAS[kind]],
    }


def _field(kind: str, field: pa.Field) -> dict[str, Any]:
    here = {
        "@type": "cr:Field",
        "@id": f"{kind}/{field.name}",
        "name": f"{kind}/{field.name}",
        "description": KINDS[kind].get(field.name, field.name),
    }
    if field.name == "image":
        return here | {"dataType": "sc:ImageObject", "source": _source(kind, "image", "bytes")}
    if pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type):
        parts = [_part(kind, field.name, part) for part in field.type.value_type]
        return here | {"repeated": True, "subField": parts}
    return here | {"dataType": data_type(field.type), "source": _source(kind, field.name)}


def _part(kind: str, column: str, part: pa.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{kind}/{column}/{part.name}",
        "name": f"{kind}/{column}/{part.name}",
        "description": part.name,
        "dataType": data_type(part.type),
        "source": _source(kind, column, part.name),
        **({"repeated": True} if pa.types.is_list(part.type) else {}),
    }


def _source(kind: str, column: str, path: str | None = None) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": f"{kind}-files"}, "extract": {"column": column}}
    return source | ({"transform": {"jsonPath": path}} if path else {})


def data_type(kind: pa.DataType) -> str:
    """The Croissant type of a column's values."""
    if pa.types.is_list(kind):
        return data_type(kind.value_type)
    if pa.types.is_integer(kind):
        return "sc:Integer"
    # Croissant 1.0 has no type for bytes; mlcroissant gives those of a text column as they are.
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
