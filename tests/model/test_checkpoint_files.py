"""Files in pieces, and what a list of pieces may not name."""

from __future__ import annotations

import os
import pickle
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mht.errors import IntegrityError, StorageOutage
from mht.model import checkpoint_files as files
from mht.model.stored import store
from mht.storage import Storage, StorageParams
from tests.model.runs import Run, trained
from tests.model.stores import Watched

PLAIN = Storage(StorageParams())


def nothing() -> None:
    """Before each piece."""


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_what_spans_ask_for_stands_where_it_stood(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=3))
    piece = data.draw(st.integers(1, 50))
    with tempfile.TemporaryDirectory() as folder:
        local, back, root = (Path(folder) / name for name in ("local", "back", "run"))
        local.mkdir()
        for number, size in enumerate(sizes):
            (local / str(number)).write_bytes(os.urandom(size))
        uri = files.folder_of(str(root), 3)
        part = files.upload(PLAIN, local, uri, ("try", 0), nothing, piece)
        files.complete(PLAIN, uri, 3, "try", [part], b"{}")
        found = files.contents(PLAIN, str(root), 3)
        spans = []
        for number, size in enumerate(sizes):
            start = data.draw(st.integers(0, size))
            spans.append((str(number), start, data.draw(st.integers(start, size))))
        files.fetch(PLAIN, found.uri, found.pieces, spans, back)
        for name, start, end in spans:
            if start < end:
                assert (back / name).read_bytes()[start:end] == (local / name).read_bytes()[start:end]


def test_after_a_failure_no_further_piece_is_tried(tmp_path: Path) -> None:
    local, tried = tmp_path / "local", []
    local.mkdir()
    (local / "file").write_bytes(bytes(200))

    def refuse(uri: str) -> None:
        tried.append(uri)
        raise StorageOutage("gone")

    with pytest.raises(StorageOutage, match="gone"):
        files.upload(Watched(refuse), local, str(tmp_path / "stored"), ("try", 0), nothing, 1)
    assert len(tried) <= files._AT_ONCE


def test_a_file_that_a_list_places_elsewhere_is_refused(tmp_path: Path) -> None:
    uri = str(tmp_path / "checkpoints/00000003")
    piece = store(PLAIN, uri, "try/x.00000", b"x")
    listed = (
        f'[{{"file": "../x", "offset": 0, "stored": {{"path": "{piece.path}", "bytes": 1, "sha256": ""}}}}]'
    )
    part = store(PLAIN, uri, "try/parts/0.json", listed.encode())
    files.complete(PLAIN, uri, 3, "try", [part], b"{}")
    with pytest.raises(IntegrityError, match="no file's name"):
        files.contents(PLAIN, str(tmp_path), 3)


class Hostile:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._mark),)


def test_a_pickle_that_would_run_code_is_not_run(tmp_path: Path) -> None:
    local, uri, mark = tmp_path / "local", str(tmp_path / "checkpoints/00000003"), tmp_path / "mark"
    local.mkdir()
    (local / ".metadata").write_bytes(pickle.dumps(Hostile(mark)))
    part = files.upload(PLAIN, local, uri, ("try", 0), nothing)
    files.complete(PLAIN, uri, 3, "try", [part], b"{}")
    one = Run(str(tmp_path))
    with pytest.raises(IntegrityError, match="no checkpoint there can be loaded"):
        one.load()
    assert "wants posix.mkdir" in one.warned[0]
    assert not mark.exists()


def test_a_value_that_would_run_code_is_not_read(tmp_path: Path) -> None:
    one, local, mark = trained(Run(str(tmp_path)), 1), tmp_path / "local", tmp_path / "mark"
    found = files.contents(PLAIN, str(tmp_path), 1)
    files.fetch(PLAIN, found.uri, found.pieces, [(piece.file, 0, 1 << 40) for piece in found.pieces], local)
    places = pickle.loads((local / ".metadata").read_bytes()).storage_data
    place = next(info for index, info in places.items() if index.fqn.startswith("optimizer.param_groups"))
    with (local / place.relative_path).open("r+b") as file:
        file.seek(place.offset)
        file.write(pickle.dumps(Hostile(mark), protocol=2).ljust(place.length, b"\0"))
    part = files.upload(PLAIN, local, files.folder_of(str(tmp_path), 2), ("try", 0), nothing)
    files.complete(PLAIN, files.folder_of(str(tmp_path), 2), 2, "try", [part], b"{}")
    with pytest.raises(RuntimeError, match="Weights only load failed"):
        one.load()
    assert not mark.exists()
