"""`mht verify OUTPUT`: is every file, row, twin and sum of a dataset what its manifest says?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

import pyarrow as pa

from mht.artifacts import RUN, FileRecord, read_checked, read_commits, read_manifest, read_table
from mht.config import BuildConfig
from mht.dataset.books import add_up
from mht.dataset.plan import PlanReader
from mht.dataset.review.settle import TAKEN_OUT, twin_of
from mht.dataset.run import read_run
from mht.errors import IntegrityError
from mht.pairing.twins import row_hash
from mht.records import Pair, State
from mht.schemas import PAIR_SCHEMA
from mht.storage import Storage, join
from mht.terminal import size_face


@dataclass(slots=True)
class _Seen:
    """What has been read so far, across shards."""

    images: set[str] = field(default_factory=set)
    quarantined: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)
    taken_out: set[str] = field(default_factory=set)
    """Pairs that a review left out, whose twins stand alone."""


def verify(config: BuildConfig) -> str:
    """One line that says what was checked. Raises IntegrityError with what is wrong and the remedy."""
    storage, root = Storage(config.storage), config.output
    manifest, files = read_manifest(storage, root)
    run = read_run(storage, root)
    if run is None or run.name != manifest["run"]:
        raise IntegrityError(f"{join(root, RUN)}: not the run of the manifest ({manifest['run']}).")
    seen = _Seen()
    for record in files:
        if record.path.startswith("reviewed/"):
            seen.taken_out.update(_taken_out(read_table(storage, root, record)))
    for record in files:
        _check_file(storage, root, record, seen)
    books = add_up(read_commits(storage, root, run.name, sorted(run.plan.shards)))
    books.close(run.plan.images)
    if {r.path for r in books.files} - {r.path for r in files}:
        raise IntegrityError(
            f"{root}: commits name files that the manifest does not. Build again to close it."
        )
    _check_plan(storage, root, seen)
    size = size_face(sum(record.bytes for record in files))
    return (
        f"{root}: {len(files)} files ({size}) as their manifest says; {len(seen.images):,} images with "
        f"{len(seen.pairs):,} pairs in twins, {len(seen.quarantined):,} quarantined, "
        f"{run.plan.images:,} planned; books balanced"
    )


def _check_file(storage: Storage, root: str, record: FileRecord, seen: _Seen) -> None:
    kind = record.path.partition("/")[0]
    if kind == "pairs":
        _check_pairs(read_table(storage, root, record), record, seen)
    elif kind in ("images", "quarantine"):
        ids = read_table(storage, root, record, columns=["image_id"]).column(0).to_pylist()
        _add(seen.images if kind == "images" else seen.quarantined, ids, record)
    else:
        read_checked(storage, root, record)


def _add(seen: set[str], ids: list[str], record: FileRecord) -> None:
    doubled = [i for i, n in Counter(ids).items() if n > 1 or i in seen]
    if doubled or len(ids) != record.rows:
        raise IntegrityError(
            f"{record.path}: {len(ids)} rows of {record.rows}, {len(doubled)} ids twice (first: {doubled[:1]}). "
            "Remove its commit record and build again."
        )
    seen.update(ids)


def _check_pairs(table: pa.Table, record: FileRecord, seen: _Seen) -> None:
    if table.schema.names != PAIR_SCHEMA.names:
        raise IntegrityError(f"{record.path}: columns {table.schema.names} are not a pair's.")
    pairs = [Pair(**row) for row in table.to_pylist()]
    _add(seen.pairs, [pair.pair_id for pair in pairs], record)
    for pair in pairs:
        if row_hash(pair) != pair.row_hash:
            raise IntegrityError(f"{record.path}: pair {pair.pair_id} is not the row its hash was taken of.")
    if back := seen.taken_out.intersection(pair.pair_id for pair in pairs):
        raise IntegrityError(f"{record.path}: pair {min(back)} was left out by the review and is there.")
    for twin_id in _without_twin(pairs, seen.taken_out):
        raise IntegrityError(f"{record.path}: pair {twin_id} has no twin. Build again with new_run=true.")


def _taken_out(reviewed: pa.Table) -> Iterator[str]:
    for row in reviewed.to_pylist():
        if row["outcome"] in TAKEN_OUT:
            yield row["pair_id"]


def _without_twin(pairs: list[Pair], taken_out: Set[str]) -> Iterator[str]:
    """Twin ids that do not stand on one faithful and one hallucinated pair of one image, less those reviewed away."""
    states: dict[tuple[str, str], list[str]] = {}
    for pair in pairs:
        if twin_of(pair.pair_id) not in taken_out:
            states.setdefault((pair.image_id, pair.twin_id), []).append(pair.state)
    both = sorted([State.FAITHFUL.value, State.HALLUCINATED.value])
    return (twin_id for (_, twin_id), found in states.items() if sorted(found) != both)


def _check_plan(storage: Storage, root: str, seen: _Seen) -> None:
    """Each planned image came out once, with pairs or quarantined; groups keep to one split."""
    split_of: dict[str, str] = {}
    planned = 0
    with PlanReader(storage, root) as plan:
        rows = (row for shard in plan.shards() for row in plan.read(shard))
        for planned, row in enumerate(rows, 1):  # noqa: B007 - the last number is how many there are
            if (row.image_id in seen.images) == (row.image_id in seen.quarantined):
                raise IntegrityError(
                    f"image {row.image_id} of shard {row.shard} is lost, or both kept and refused."
                )
            if split_of.setdefault(row.group, row.split) != row.split:
                raise IntegrityError(f"group {row.group} lies in {split_of[row.group]} and {row.split}.")
    if planned != len(seen.images) + len(seen.quarantined):
        raise IntegrityError(
            f"{planned} images are planned, {len(seen.images) + len(seen.quarantined)} found."
        )
