"""What a dataset is made of on disk: commit records, the manifest, content-addressed Parquet files.

A file becomes part of the dataset only by a commit record that names it with its sha256, and the dataset only by
MANIFEST.json, which is written last. Readers read what the manifest names and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mht.errors import IntegrityError, StorageMissing
from mht.storage import Storage, join

MANIFEST = "MANIFEST.json"
SUCCESS = "_SUCCESS"
RUN = "run.json"
PLAN = "plan.parquet"
FORMAT = "mht-dataset/1"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of an artifact: path below the artifact's root, rows, bytes and sha256 of its content."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Commit:
    """The record that makes a shard exist: its files, and the counts the books are kept with."""

    run: str
    shard: str
    images: FileRecord
    pairs: FileRecord
    hashes: FileRecord
    quarantine: FileRecord | None
    counts: dict[str, dict[str, int]]
    seconds: float
    reviewed: FileRecord | None = None
    leaks: FileRecord | None = None
    refused_pairs: FileRecord | None = None

    def files(self) -> list[FileRecord]:
        written = [self.images, self.pairs, self.hashes, self.quarantine, *self._extra()]
        return [record for record in written if record is not None]

    def _extra(self) -> list[FileRecord | None]:
        return [self.reviewed, self.leaks, self.refused_pairs]

    def to_json(self) -> bytes:
        return dump_json(asdict(self))

    @classmethod
    def from_json(cls, data: bytes, where: str) -> Commit:
        """Raises IntegrityError for a record that is not one."""
        try:
            plain = json.loads(data)
            for name in ("images", "pairs", "hashes"):
                plain[name] = FileRecord(**plain[name])
            for name in ("quarantine", "reviewed", "leaks", "refused_pairs"):
                plain[name] = FileRecord(**plain[name]) if plain.get(name) else None
            return cls(**plain)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IntegrityError(f"{where}: not a commit record ({error}). Remove it and resume.") from None


def dump_json(plain: Any) -> bytes:
    """JSON for people and programs: sorted keys, indented, one final newline."""
    return (json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def parquet_bytes(
    table: pa.Table, *, stored: tuple[str, ...] = (), row_group_rows: int | None = None
) -> bytes:
    """The table as one Parquet file. Columns in `stored` hold compressed bytes and are not compressed again.

    The same rows give the same bytes under one pyarrow version: no time and no random name goes in.
    """
    names = [path for path in _leaf_paths(table.schema) if path.split(".")[0] not in stored]
    compression = {path: "zstd" for path in names} | {
        path: "none" for path in _leaf_paths(table.schema) if path.split(".")[0] in stored
    }
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression=compression,
        compression_level={path: 1 for path in names} or None,
        use_dictionary=[path for path in names if not path.endswith(".bytes")],
        write_statistics=names,
        row_group_size=row_group_rows or max(1, table.num_rows),
        store_schema=True,
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _leaf_paths(schema: pa.Schema) -> list[str]:
    return [path for field in schema for path in _field_paths(field.type, field.name)]


def _field_paths(kind: pa.DataType, prefix: str) -> list[str]:
    if pa.types.is_struct(kind):
        return [p for field in kind for p in _field_paths(field.type, f"{prefix}.{field.name}")]
    if pa.types.is_list(kind):
        return _field_paths(kind.value_type, f"{prefix}.list.element")
    return [prefix]


def write_content(storage: Storage, root: str, stem: str, data: bytes, rows: int) -> FileRecord:
    """Write under a name that holds the content's own hash, so that writing it twice is writing it once."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = f"{stem}-{sha256[:16]}.parquet"
    uri = join(root, path)
    if storage.size(uri) != len(data):
        storage.write(uri, data)
    return FileRecord(path, rows, len(data), sha256)


def write_named(storage: Storage, root: str, path: str, data: bytes, rows: int = 0) -> FileRecord:
    """Write under a fixed name, replacing what was there."""
    storage.write(join(root, path), data)
    return FileRecord(path, rows, len(data), hashlib.sha256(data).hexdigest())


def record_of(storage: Storage, root: str, path: str) -> FileRecord:
    """The record of a file without rows that is there already."""
    data = storage.read(join(root, path))
    return FileRecord(path, 0, len(data), hashlib.sha256(data).hexdigest())


def read_table(storage: Storage, root: str, record: FileRecord, columns: list[str] | None = None) -> pa.Table:
    """A file's rows after its hash was checked. Raises IntegrityError when it is missing or altered."""
    return parquet_table(read_checked(storage, root, record), columns)


def parquet_table(data: bytes, columns: list[str] | None = None) -> pa.Table:
    """The rows of a Parquet file in memory, read by this thread alone.

    Arrow's own threads win nothing on files of a shard's size, and now and then they abort a process that ends
    while they are being put away (`terminate called without an active exception`). `pq.read_table` starts one in
    any case.
    """
    return pq.ParquetFile(pa.BufferReader(data), pre_buffer=False).read(columns, use_threads=False)


def read_checked(storage: Storage, root: str, record: FileRecord) -> bytes:
    """A file's bytes after length and sha256 were checked against its record."""
    uri = join(root, record.path)
    try:
        data = storage.read(uri)
    except StorageMissing:
        raise IntegrityError(
            f"{uri}: named in the records and not there. Run the same command again to restore it."
        ) from None
    if len(data) != record.bytes or hashlib.sha256(data).hexdigest() != record.sha256:
        raise IntegrityError(
            f"{uri}: {len(data)} bytes that are not those its record names ({record.bytes} bytes, sha256 "
            f"{record.sha256[:16]}…). Remove the file and run the same command again to restore it."
        )
    return data


def commit_uri(root: str, run: str, shard: str) -> str:
    return join(root, "commits", run, f"{shard}.json")


def make_commit(storage: Storage, root: str, commit: Commit) -> Commit:
    """Create the record if absent; when another worker was first, its record is the one that counts."""
    uri = commit_uri(root, commit.run, commit.shard)
    if storage.create(uri, commit.to_json()):
        return commit
    return Commit.from_json(storage.read(uri), uri)


def committed_shards(storage: Storage, root: str, run: str) -> list[str]:
    """The shards of this run that exist, by the names of their records."""
    return names_below(storage, join(root, "commits", run), ".json")


def names_below(storage: Storage, folder: str, suffix: str) -> list[str]:
    """The objects of a folder that end so, without the ending; none where the folder is not there yet."""
    try:
        names = [item.name for item in storage.list(folder)]
    except StorageMissing:
        return []
    return [name.removesuffix(suffix) for name in names if name.endswith(suffix)]


def read_commits(storage: Storage, root: str, run: str, shards: list[str]) -> Iterator[Commit]:
    for shard in shards:
        uri = commit_uri(root, run, shard)
        yield Commit.from_json(storage.read(uri), uri)


def manifest_bytes(run: str, files: list[FileRecord], books: Mapping[str, Any], form: str = FORMAT) -> bytes:
    listed = [asdict(record) for record in sorted(files, key=lambda record: record.path)]
    return dump_json({"format": form, "run": run, "books": dict(books), "files": listed})


def read_manifest(storage: Storage, root: str, form: str = FORMAT) -> tuple[dict[str, Any], list[FileRecord]]:
    """(the manifest, its files). Raises IntegrityError when there is none or it is not one of this format."""
    uri = join(root, MANIFEST)
    try:
        plain = json.loads(storage.read(uri))
        files = [FileRecord(**record) for record in plain.pop("files")]
    except StorageMissing:
        raise IntegrityError(
            f"{uri}: no manifest, so nothing finished is here. Run the same command again to finish it."
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError(
            f"{uri}: not a manifest ({error}). Run the same command again to restore it."
        ) from None
    if plain.get("format") != form:
        raise IntegrityError(f"{uri}: format {plain.get('format')!r}, expected {form!r}.")
    return plain, files
