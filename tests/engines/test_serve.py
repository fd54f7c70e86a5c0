"""The openai engine against a real server with a real, tiny model: `transformers serve` on the loopback."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mht.engines.openai import Engine, Params
from mht.generation import Failure, Request

NEEDS = ("transformers", "torch", "openai", "fastapi", "uvicorn")
MISSING = [name for name in NEEDS if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"transformers serve needs {', '.join(MISSING)}")

COMMAND = "from transformers.cli.transformers import main; main()"
START_LIMIT_S = 90


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    from tests.engines.tiny import llava

    folder = llava(tmp_path_factory.mktemp("served") / "llava")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", str(folder), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    log = folder.parent / "log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *words],
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=said,
            stderr=said,
        )
    try:
        _await(f"http://127.0.0.1:{port}/health", server, log)
        yield Params(model=str(folder), base_url=f"http://127.0.0.1:{port}/v1", concurrency=3, max_tries=2)
    finally:
        server.terminate()
        server.wait(20)


def _await(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    pytest.fail(f"transformers serve did not start: {log.read_text(errors='replace')[-2000:]}")


def test_a_served_model_answers_about_the_picture_that_it_is_shown(served: Params) -> None:
    from tests.engines.tiny import png

    question = "is there a nodule in the left lung ?"
    requests = [Request(f"r{i}", question, "you are careful", png(i % 4), max_tokens=64) for i in range(8)]
    with Engine(served) as engine:
        replies = engine.generate(requests)
        ledger = engine.ledger
    assert [reply.request_id for reply in replies] == [request.request_id for request in requests]
    assert [reply.failure for reply in replies] == [None] * 8
    assert [reply.text for reply in replies[:4]] == [reply.text for reply in replies[4:]]
    assert len({reply.text for reply in replies}) > 1
    assert all(reply.prompt_tokens > 16 for reply in replies)  # 16 of them are the picture's
    assert (ledger.calls, ledger.failed) == (8, 0)
    assert ledger.tokens == sum(reply.tokens for reply in replies) > 0


def test_a_served_model_ends_at_the_bound_and_refuses_another_name(served: Params) -> None:
    with Engine(served) as engine:
        [cut] = engine.generate([Request("a", "describe the image", max_tokens=1)])
    assert (cut.failure, cut.tokens) == (Failure.CUT_SHORT, 1)
    with Engine(served.model_copy(update={"model": "another"})) as engine:
        [refused] = engine.generate([Request("a", "describe the image")])
    assert (refused.failure, refused.detail) == (Failure.NOT_ACCEPTED, "status 400")
