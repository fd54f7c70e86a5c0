"""Closing a dataset: near-duplicates over the whole corpus, stats, gallery, card, croissant, and last the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import mht
from mht.artifacts import (
    MANIFEST,
    RUN,
    SUCCESS,
    FileRecord,
    dump_json,
    manifest_bytes,
    parquet_bytes,
    record_of,
    write_named,
)
from mht.config import RunConfig
from mht.dataset.books import Books
from mht.dataset.card import card
from mht.dataset.columns import KINDS
from mht.dataset.croissant import CROISSANT, croissant
from mht.dataset.duplicates import duplicate_stats, find_duplicates
from mht.dataset.gallery.page import page
from mht.dataset.gallery.sample import looks, refusals
from mht.dataset.globs import data_files
from mht.dataset.licences import of_all
from mht.dataset.run import Run
from mht.storage import Storage, join

DUPLICATES = "duplicates.parquet"
STATS = "stats.json"
CARD = "README.md"
GALLERY = "gallery.html"
ABOUT = (
    "Each hallucinated pair, whose premise is false in one span, has a faithful twin on the same image in the same "
    "form. Answers and risk levels follow annotation rules. Research material, no clinical use."
)


def finish(
    storage: Storage,
    root: str,
    run: Run,
    books: Books,
    settings: RunConfig,
    written: Sequence[FileRecord] = (),
) -> dict[str, Any]:
    """Write everything that stands beside the shards, the manifest and _SUCCESS last; returns the stats.

    `root` is where the dataset lies now, which need not be where its run began. `written` is what stands beside the
    shards already.
    """
    books.close(run.plan.images)
    duplicates, skipped = find_duplicates(storage, root, books.files, settings.near_duplicate_bits)
    stats: dict[str, Any] = {
        "run": run.name,
        "books": books.plain(),
        "splits": run.plan.splits,
        "groups": run.plan.groups,
        "bytes": books.bytes,
        "duplicates": duplicate_stats(duplicates, skipped),
    }
    beside = [
        *written,
        write_named(storage, root, DUPLICATES, parquet_bytes(duplicates), duplicates.num_rows),
        write_named(storage, root, STATS, dump_json(stats)),
        *describe(storage, root, run, books, stats),
        *show(storage, root, run, books, settings.gallery_images),
        run.plan.file,
        record_of(storage, root, RUN),
    ]
    if run.resolved.get("review"):
        beside.append(record_of(storage, root, run.resolved["review"]))
    manifest = manifest_bytes(run.name, books.files + beside, stats["books"]["total"])
    storage.write(join(root, MANIFEST), manifest)
    storage.write(join(root, SUCCESS), b"")
    return stats


def describe(
    storage: Storage, root: str, run: Run, books: Books, stats: Mapping[str, Any]
) -> Iterator[FileRecord]:
    """Write the card for people and the one for machines."""
    patterns = {kind: data_files(storage, root, books.files, kind) for kind in KINDS}
    yield write_named(storage, root, CARD, card(run, mht.__version__, books, stats, patterns))
    about = f"{books.total('pairs'):,} question-answer pairs in twins on {books.total('out'):,} medical images. {ABOUT}"
    licence = of_all(books.counts.get("licence", {}))
    name = f"mht-{run.name}"
    machine = croissant(name, about, mht.__version__, licence, books.files, patterns)
    yield write_named(storage, root, CROISSANT, machine)


def show(storage: Storage, root: str, run: Run, books: Books, images: int) -> Iterator[FileRecord]:
    """Write the gallery, or take an older one away when none is wanted: it would show what is no longer there."""
    if not images:
        storage.delete(join(root, GALLERY))
        return
    sample = looks(storage, root, books, images)
    refused = refusals(storage, root, books)
    yield write_named(storage, root, GALLERY, page(run, mht.__version__, books, sample, refused))
