"""How a card names the files of a split: by a pattern, where the pattern finds the manifest's files and no other."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from mht.artifacts import FileRecord, names_below
from mht.storage import Storage, join


def data_files(storage: Storage, root: str, files: Iterable[FileRecord], kind: str) -> dict[str, list[str]]:
    """Split to patterns of paths, for `pairs` or `images`.

    An earlier run of another configuration may have left files in the same folder, which no manifest names any more.
    There the paths are written out one by one.
    """
    ours: dict[str, list[str]] = {}
    for record in files:
        folder, _, name = record.path.partition("/")
        if folder == kind:
            ours.setdefault(name.split("-", 1)[0], []).append(record.path)
    there = [f"{kind}/{name}.parquet" for name in names_below(storage, join(root, kind), ".parquet")]
    return {split: _patterns(f"{kind}/{split}-*.parquet", ours[split], there) for split in sorted(ours)}


def _patterns(glob: str, paths: list[str], there: list[str]) -> list[str]:
    found = {path for path in there if fnmatchcase(path, glob)}
    return [glob] if found == set(paths) else sorted(paths)
