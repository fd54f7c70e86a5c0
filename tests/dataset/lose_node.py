"""A build on a cluster of a head and two worker nodes, one of which is lost when so many shards are committed.

::

    python -m tests.dataset.lose_node 'output={}' source.path=… …

builds twice, undisturbed and with the loss, `{}` being the name of each, and prints one JSON line of figures.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

AT_COMMIT = 4


def _at_work(node: Any) -> bool:
    """Whether a worker of the build runs below the node's raylet."""
    raylet = next(info.process.pid for info in node.all_processes["raylet"])
    for process in psutil.Process(raylet).children(recursive=True):
        try:
            if "_Worker" in " ".join(process.cmdline()):
                return True
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return False


class _Loss:
    """Takes a node away, without a word to it, once enough is committed and it is at work."""

    def __init__(self, cluster: Any, output: Path) -> None:
        self._cluster = cluster
        self._output = output
        self.commits: int | None = None

    def pulse(self) -> None:
        committed = len(list(self._output.glob("commits/*/*.json")))
        if self.commits is not None or committed < AT_COMMIT:
            return
        node = next((node for node in self._cluster.worker_nodes if _at_work(node)), None)
        if node is not None:
            self.commits = committed
            self._cluster.remove_node(node, allow_graceful=False)


def _build(words: list[str], name: str, pulse: Callable[[], None]) -> float:
    from mht.config import load
    from mht.dataset.build import build
    from mht.dataset.progress import ProgressLine

    began = time.monotonic()
    build(load(None, [word.replace("{}", name) for word in words]), ProgressLine(on=False), pulse)
    return time.monotonic() - began


def main(words: list[str]) -> None:
    """Both builds on one cluster, the undisturbed one first."""
    import ray
    from ray.cluster_utils import Cluster

    output = next(word.partition("=")[2] for word in words if word.startswith("output="))
    with tempfile.TemporaryDirectory(prefix="mht-nodes-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        head = {"num_cpus": 0, "include_dashboard": False, "temp_dir": folder}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            cluster.add_node(num_cpus=2)
        ray.init(address=cluster.address, log_to_driver=False)
        figures: dict[str, Any] = {"nodes": len(ray.nodes())}
        figures["undisturbed_s"] = _build(words, "undisturbed", lambda: None)
        loss = _Loss(cluster, Path(output.replace("{}", "lost")))
        figures["lost_s"] = _build(words, "lost", loss.pulse)
        figures["lost_at_commit"] = loss.commits
        figures["nodes_left"] = sum(node["Alive"] for node in ray.nodes())
        ray.shutdown()
        cluster.shutdown()
    print(json.dumps(figures))


if __name__ == "__main__":
    os.environ["RAY_AUTH_MODE"] = "disabled"
    main(sys.argv[1:])
