"""A run of two workers on a head and three nodes, one of which is lost once a checkpoint is stored.

::

    python -m tests.training.lose_node 'output=…' model.path=… …

prints one JSON line of figures.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from tests.training import ranked
from tests.training.disturb import Disturbances, is_stored, ranks_below

AT_STEP = 20


def _ranks_of(node: Any) -> int:
    raylet = next(info.process.pid for info in node.all_processes["raylet"])
    return len(ranks_below(psutil.Process(raylet)))


def main(words: list[str]) -> None:
    """Train, and take a node away, without a word to it, that a worker is on."""
    import ray
    from ray.cluster_utils import Cluster

    output = Path(next(word.partition("=")[2] for word in words if word.startswith("output=")))
    with tempfile.TemporaryDirectory(prefix="mht-nodes-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        head = {"num_cpus": 0, "include_dashboard": False, "temp_dir": folder}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(3):
            cluster.add_node(num_cpus=3)
        ray.init(address=cluster.address, log_to_driver=False)
        figures: dict[str, Any] = {"nodes": len(ray.nodes())}

        def lose() -> int:
            node = next(node for node in cluster.worker_nodes if _ranks_of(node))
            lost = _ranks_of(node)
            cluster.remove_node(node, allow_graceful=False)
            return lost

        with Disturbances([(lambda: is_stored(output, AT_STEP), lose)]) as disturbances:
            _, progress = ranked.run_command(words)
        resumes = [line for line in progress.lines if line.startswith("going on from step")]
        figures |= {"ranks_lost": sum(disturbances.done), "resumes": len(resumes)}
        figures["nodes_left"] = sum(node["Alive"] for node in ray.nodes())
        ray.shutdown()
        cluster.shutdown()
    print(json.dumps(figures))


if __name__ == "__main__":
    os.environ["RAY_AUTH_MODE"] = "disabled"
    main(sys.argv[1:])
