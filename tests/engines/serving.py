"""`transformers serve` on the loopback with one local model: a real server, as a user would start it."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NEEDS = ("transformers", "torch", "openai", "fastapi", "uvicorn")
MISSING = [name for name in NEEDS if importlib.util.find_spec(name) is None]
COMMAND = "from transformers.cli.transformers import main; main()"
START_LIMIT_S = 90


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The server's base_url; what it says goes into a file beside the model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", str(folder), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    log = folder.parent / f"log-{port}"
    with log.open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *words],
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=said,
            stderr=said,
        )
    try:
        _await(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    pytest.fail(f"transformers serve did not start: {log.read_text(errors='replace')[-2000:]}")
