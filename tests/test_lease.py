"""The lease: who builds an output, and when a dead owner's is taken over."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mht.errors import RunConflict
from mht.lease import LEASE, Lease
from mht.storage import Storage, StorageParams


def storage() -> Storage:
    return Storage(StorageParams())


def leave(root: Path, **changes: object) -> None:
    """An owner's record as some driver left it."""
    plain = {"token": "t", "host": "elsewhere", "pid": 1, "started": "1", "since": 0.0, "seen": 0.0}
    (root / LEASE).write_text(json.dumps(plain | changes))


def test_it_is_given_back(tmp_path: Path) -> None:
    with Lease(storage(), str(tmp_path)):
        assert (tmp_path / LEASE).exists()
    assert not (tmp_path / LEASE).exists()


def test_a_living_owner_is_named(tmp_path: Path) -> None:
    import os

    with Lease(storage(), str(tmp_path)), pytest.raises(RunConflict, match=f"process {os.getpid()} on"):
        Lease(storage(), str(tmp_path)).__enter__()
    assert RunConflict.exit_code == 73


def test_an_owner_that_died_on_this_machine_is_taken_over_at_once(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from mht.lease import Lease\n"
        "from mht.storage import Storage, StorageParams\n"
        f"Lease(Storage(StorageParams()), {str(tmp_path)!r}).__enter__()\n"
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False, timeout=240)
    assert (tmp_path / LEASE).exists()
    with Lease(storage(), str(tmp_path)):
        pass


@pytest.mark.parametrize(("silent_s", "taken"), [(30, False), (61, True)])
def test_an_owner_elsewhere_is_believed_while_it_beats(tmp_path: Path, silent_s: float, taken: bool) -> None:
    leave(tmp_path, seen=1000.0)
    lease = Lease(storage(), str(tmp_path), clock=lambda: 1000.0 + silent_s)
    if taken:
        with lease:
            pass
    else:
        with pytest.raises(RunConflict, match="on elsewhere"):
            lease.__enter__()


def test_a_number_given_to_a_later_process_is_not_the_owner(tmp_path: Path) -> None:
    import os
    import socket

    leave(tmp_path, host=socket.gethostname(), pid=os.getpid(), started="1")
    with Lease(storage(), str(tmp_path)):
        assert json.loads((tmp_path / LEASE).read_text())["started"] != "1"


def test_a_record_that_is_none_is_replaced(tmp_path: Path) -> None:
    (tmp_path / LEASE).write_text("not json")
    with Lease(storage(), str(tmp_path)):
        assert json.loads((tmp_path / LEASE).read_text())["host"]


def test_it_does_not_remove_somebody_elses(tmp_path: Path) -> None:
    with Lease(storage(), str(tmp_path)):
        leave(tmp_path, token="another")
    assert json.loads((tmp_path / LEASE).read_text())["token"] == "another"
