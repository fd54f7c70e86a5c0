"""R2: a worker node is lost in mid-build, and the dataset is what it would have been."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dataset.lose_node import AT_COMMIT
from tests.dataset.oracle import common, environment, rows_of

pytestmark = pytest.mark.timeout(900)
SLACK = 3


def test_r2_a_node_is_lost_and_no_row_changes(
    phantoms: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    words = common(phantoms, tmp_path / "{}")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.dataset.lose_node", *words],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(ended.stdout.splitlines()[-1])
    print(f"figures R2: {figures}")
    assert (figures["nodes"], figures["nodes_left"]) == (3, 2)
    shards = len(list(tmp_path.glob("lost/commits/*/*.json")))
    assert AT_COMMIT <= figures["lost_at_commit"] < shards
    assert figures["lost_s"] <= 3 * SLACK * figures["undisturbed_s"]
    for name in ("undisturbed", "lost"):
        assert rows_of(str(tmp_path / name)) == undisturbed
