"""Who writes this output: one small object with a heartbeat, so that a second driver can say whose run it meets.

The lease is a courtesy, not the guarantee: two drivers that both believe they own an output still end well, since
a shard is made by whichever creates its commit record first.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from mht.artifacts import dump_json
from mht.errors import MhtError, RunConflict, StorageMissing
from mht.storage import Storage, StorageParams, join

LEASE = "owner.json"
_BEAT_S = 10.0
_STALE_S = 60.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A driver: where it runs, since when, and when it was last seen (Unix seconds)."""

    token: str
    host: str
    pid: int
    started: str
    since: float
    seen: float


class Lease:
    """Take it before the first write, give it back at the end; a dead or silent owner's is taken over."""

    def __init__(self, storage: Storage, root: str, clock: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._uri = join(root, LEASE)
        self._clock = clock
        now = clock()
        self._owner = Owner(
            secrets.token_hex(8), socket.gethostname(), os.getpid(), _started(os.getpid()), now, now
        )
        self._stop = threading.Event()
        self._beat = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._take()
        self._beat.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._beat.join(timeout=2)
        try:
            if self._read() == self._owner.token:
                self._storage.delete(self._uri)
        except MhtError:
            pass  # the store is gone or full, which is already being told; a silent lease is taken over

    def _take(self) -> None:
        if self._storage.create(self._uri, self._bytes()):
            return
        owner = self._current()
        if owner is not None and self._alive(owner):
            age_s = self._clock() - owner.since
            raise RunConflict(
                f"{self._uri}: this output is being written by process {owner.pid} on {owner.host}, since "
                f"{age_s:.0f} s. Wait for it, stop it, or choose another output."
            )
        self._storage.write(self._uri, self._bytes())

    def _alive(self, owner: Owner) -> bool:
        if owner.host == self._owner.host:
            return bool(owner.started) and _started(owner.pid) == owner.started
        return self._clock() - owner.seen < _STALE_S

    def _current(self) -> Owner | None:
        try:
            return Owner(**json.loads(self._storage.read(self._uri)))
        except (StorageMissing, ValueError, TypeError):
            return None

    def _read(self) -> str | None:
        owner = self._current()
        return owner.token if owner else None

    def _bytes(self) -> bytes:
        return dump_json(asdict(self._owner) | {"seen": self._clock()})

    def _keep(self) -> None:
        while not self._stop.wait(_BEAT_S):
            try:
                self._storage.write(self._uri, self._bytes())
            except MhtError:
                continue  # the next beat tries again; the run itself reports the store


def impatient(params: StorageParams) -> Storage:
    """A storage for the lease: its heartbeat must not outlive the run by waiting for a store that is gone."""
    limits = ("outage_limit_s", "connect_timeout_s", "read_timeout_s")
    return Storage(params.model_copy(update={name: min(5.0, getattr(params, name)) for name in limits}))


def _started(pid: int) -> str:
    """When the process began, as the kernel counts it: tells a pid from a later one of the same number."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return "" if fields[0] == b"Z" else fields[19].decode()
    except OSError:
        return _started_elsewhere(pid)


def _started_elsewhere(pid: int) -> str:
    """Where there is no /proc: whether the process is there at all."""
    if os.path.isdir("/proc/self"):
        return ""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return "running"
