"""Processes that have torch loaded already, alone or as the ranks of a gloo job on this machine."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_LIMIT_S = 800


def in_ranks(count: int, work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What `work` gives in each of `count` ranks; the first traceback is raised, a death gives its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting" if count > 1 else None
        return _run(count, meeting, work, arguments)


def in_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` gives in a process of its own, or the exit code of one that died."""
    return _run(1, None, work, arguments)[0]


def _run(count: int, meeting: str | None, work: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Any]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.model.preload"])
    started = []
    for rank in range(count):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_enter, args=(theirs, rank, count, meeting, work, arguments))
        process.start()
        theirs.close()
        started.append((process, ours))
    results = [_result(process, ours) for process, ours in started]
    failed = next((one for one in results if isinstance(one, _Failed)), None)
    if failed is not None:
        raise AssertionError(f"a rank failed:\n{failed.text}")
    return results


class _Failed:
    def __init__(self, text: str) -> None:
        self.text = text


def _result(process: Any, ours: Connection) -> Any:
    try:
        result = ours.recv() if ours.poll(_LIMIT_S) else _Failed(f"no answer in {_LIMIT_S} s")
    except EOFError:
        process.join(_LIMIT_S)
        result = process.exitcode
    if process.is_alive():
        process.join(5)
        process.kill()
    process.join()
    ours.close()
    return result


def _enter(
    out: Connection, rank: int, count: int, meeting: str | None, work: Any, arguments: tuple[Any, ...]
) -> None:
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    if meeting is not None:
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=count)
    try:
        out.send(work(*arguments))
    except BaseException:  # noqa: BLE001 - shown by the test
        out.send(_Failed(traceback.format_exc()))
    out.close()
    # What ends a process that another one has died on is not waited for.
    os._exit(0)


def staged(parent: Path) -> list[str]:
    """What is left of local folders."""
    return sorted(path.name for path in parent.iterdir()) if parent.exists() else []
