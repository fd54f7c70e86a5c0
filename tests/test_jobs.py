"""jobs/*.py as `ray job submit` runs them: on a head of its own, to its end, with an exit code that tells."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from mht.config import load
from mht.dataset.verify import verify
from tests.dataset.conftest import draw
from tests.dataset.oracle import common, environment
from tests.training.disturb import kill

ROOT = Path(__file__).parents[1]
START_S = 240
JOB_S = 500
_NEEDED = {"build": [], "train": ["model.path=m", "data.path=d"]}


@dataclass(frozen=True)
class Head:
    """A running head: the address of its jobs."""

    address: str
    env: dict[str, str]

    def submit(self, *words: str, job: str = "build.py") -> subprocess.CompletedProcess[str]:
        """`ray job submit -- python jobs/build.py …`, waited for; what the job prints is followed."""
        command = [
            ray_script(),
            "job",
            "submit",
            "--address",
            self.address,
            "--working-dir",
            str(ROOT / "jobs"),
            "--",
        ]
        return subprocess.run(
            [*command, "python", job, *words],
            env=self.env, capture_output=True, text=True, timeout=JOB_S, check=False,
        )  # fmt: skip


def ray_script() -> str:
    return str(Path(sys.executable).parent / "ray")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    """`ray start --head` in a process group of its own; at the end, that group and nothing else is ended."""
    if find_spec("aiohttp_cors") is None:  # without it the dashboard starts, and takes no jobs
        pytest.skip("jobs need Ray's dashboard: install ray[default] to run this")
    names = ("port", "dashboard-port", "dashboard-agent-listen-port", "dashboard-agent-grpc-port",
             "metrics-export-port", "runtime-env-agent-port")  # fmt: skip
    ports = free_ports(len(names))
    folder = tempfile.mkdtemp(prefix="mht-j-", dir="/tmp")
    # The entrypoint's `python` is the first on the head's PATH, and it must find mht as this test does.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    env = environment({"PATH": path, "PYTHONPATH": str(ROOT)})
    process = subprocess.Popen(
        [ray_script(), "start", "--head", "--block", "--disable-usage-stats", "--node-ip-address=127.0.0.1",
         "--num-cpus=4", "--object-store-memory=150000000", "--dashboard-host=127.0.0.1", f"--temp-dir={folder}",
         *(f"--{name}={port}" for name, port in zip(names, ports, strict=True))],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{ports[1]}"
    try:
        await_jobs(address, process)
        yield Head(address, env)
    finally:
        end_tree(process)
        shutil.rmtree(folder, ignore_errors=True)


def await_jobs(address: str, process: "subprocess.Popen[str]") -> None:
    """Until the head takes jobs."""
    began = time.monotonic()
    while True:
        try:
            with urllib.request.urlopen(f"{address}/api/jobs/", timeout=5):
                return
        except OSError:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() - began < START_S, "the head did not come up"
            time.sleep(0.3)


def end_tree(process: "subprocess.Popen[str]") -> None:
    """Ends the head and every process that it started."""
    with process:  # its pipe is closed and it is waited for, whatever happens here
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(tree, timeout=15)
        kill(alive)
        psutil.wait_procs(alive, timeout=10)


def test_a_submitted_job_builds_on_its_cluster(head: Head, tmp_path: Path) -> None:
    folder, output = draw(tmp_path / "images", 60), tmp_path / "out"
    done = head.submit(*common(folder, output, "build.shard_images=20"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"60 images", done.stdout)
    assert str(output / "MANIFEST.json") in done.stdout
    assert "books balanced" in verify(load(None, [f"output={output}"]))


def test_a_submitted_job_trains_on_its_cluster(head: Head, tmp_path: Path) -> None:
    from tests.dataset.small import write_dataset
    from tests.engines import tiny

    write_dataset(str(tmp_path / "data"))
    words = [
        f"model.path={tiny.llava(tmp_path / 'model')}",
        f"data.path={tmp_path / 'data'}",
        "validation.rows=0",
    ]
    done = head.submit(*words, f"output={tmp_path / 'out'}", "step_examples=4", job="train.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"3 on 36 samples about 9 images", done.stdout)
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_a_job_with_a_mistake_in_its_configuration_fails_and_says_why(head: Head, tmp_path: Path) -> None:
    done = head.submit("source.kind=phantoms", "buld.workers=2", f"output={tmp_path}/out")
    assert done.returncode != 0
    assert "did you mean 'build'" in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("job", "key"), [("build", "build.workers"), ("train", "run.workers")])
def test_the_job_file_knows_no_more_than_the_command(job: str, key: str) -> None:
    """Without Ray around it: the job is `mht build`, or `mht train`."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "jobs" / f"{job}.py"), f"{key}=0", *_NEEDED[job]],
        env=environment({"PYTHONPATH": str(ROOT)}), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("mht: command line")
    assert key in done.stderr
