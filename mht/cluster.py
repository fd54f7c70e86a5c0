"""Which Ray the work runs on: the job's cluster, or a private one of this process."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ray

from mht.errors import MhtError

# What a private Ray reports about itself to nobody: 1.5 % of a core, and 0.1 % more in each of its processes.
_UNHEARD = {
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_timeline": "0",
    "RAY_event_stats": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "REPORTER_UPDATE_INTERVAL_MS": "60000",
}

_TRIES = 3
_TOO_SLOW = "timed out during startup"
"""What Ray says, in an exception without a type of its own."""


def start(address: str, object_store_mib: int, temp_dir: str | None) -> Callable[[], None]:
    """Join the job's cluster, or start a private one; returns what ends it. Ray's bars and log noise stay off.

    Under `ray job submit` RAY_ADDRESS names the job's cluster, and `local` means that one.
    """
    if ray.is_initialized():
        return _leave_running
    _quieten()
    settings: dict[str, Any] = {"address": address}
    if address == "local" and os.environ.get("RAY_ADDRESS"):
        settings = {}
    elif address == "local":
        for name, value in _UNHEARD.items():
            os.environ.setdefault(name, value)
        settings |= {"object_store_memory": object_store_mib << 20, "include_dashboard": False}
        settings |= {"_temp_dir": temp_dir} if temp_dir else {}
    # Ray puts its own handlers in place; ours let the shards' records be finished and told.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    _init(settings)
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return ray.shutdown


def _init(settings: dict[str, Any]) -> None:
    """Start or join, again where a machine under load was too slow for Ray's own patience of half a minute.

    Raises MhtError after so many tries.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with _stderr_aside():
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **settings)
            return
        except Exception as error:
            if _TOO_SLOW not in str(error):
                raise
            ray.shutdown()
            if not tries_left:
                raise MhtError(
                    f"Ray did not start in {_TRIES} tries of 30 s; the machine is under heavy load, or out of memory "
                    "or processes. Free some of it, and give the same command again."
                ) from error


def _leave_running() -> None:
    """Somebody else's cluster, a test session's for instance."""


def _quieten() -> None:
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)


@contextmanager
def _stderr_aside() -> Iterator[None]:
    """Ray's native code greets on descriptor 2; keep that aside, and give it back only when the start fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def cpus() -> int:
    """CPUs of the cluster."""
    return int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]


def gpus() -> float:
    """GPUs of the cluster."""
    return float(ray.cluster_resources().get("GPU", 0))  # type: ignore[no-untyped-call]
