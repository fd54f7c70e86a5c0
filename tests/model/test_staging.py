"""Local folders: a killed process's are swept, a living one's are not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from mht.model.staging import Staging
from tests.model.processes import in_process


def killed(parent: str) -> None:
    place = Staging(Path(parent)).place("save")
    place.mkdir()
    (place / "half").write_bytes(b"x" * 1000)
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_process_left_is_swept_and_a_living_ones_stays(tmp_path: Path) -> None:
    living = Staging(tmp_path)
    mine = living.place("save")
    mine.mkdir()
    assert in_process(killed, str(tmp_path)) == -signal.SIGKILL
    assert len(list(tmp_path.glob("*/save-*/half"))) == 1
    other = Staging(tmp_path)
    assert list(tmp_path.glob("*/save-*")) == [mine]
    living.close()
    other.close()
    assert list(tmp_path.iterdir()) == []
