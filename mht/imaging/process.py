"""One decoding child: started, asked, listened to with a deadline, killed and reaped."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from mht.errors import ConfigError
from mht.imaging import wire
from mht.imaging.params import ImagingParams

CHILD = (sys.executable, "-P", "-m", "mht.imaging.child")
# what a Python of whatever kind needs to start; nothing that names an account, a token or a proxy
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "PYTHONHOME", "SYSTEMROOT", "TMPDIR")
# An image's buffers are kept for the next one instead of being given back to the system and faulted in again: up to
# 0.5 ms an image of 512 px. Few and small, so that a large image still fits below the memory limit.
_KEEP_BUFFERS = {
    "PILLOW_BLOCKS_MAX": "3",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_SAID_BYTES = 2000


class Silent(Exception):
    """The child did not answer in time."""


class Gone(Exception):
    """The child closed its pipe, ended, or said what it cannot have meant."""


class Child:
    """A running decoding child and the guard's ends of its pipes. Belongs to one thread at a time.

    `input_fd` and `output_fd` are the shared buffers, which outlive it. The constructor does not wait for it.
    """

    def __init__(self, command: Sequence[str], params: ImagingParams, input_fd: int, output_fd: int) -> None:
        self._said = b""
        self._ready = False
        self._start_s = params.child_start_s
        self._errors = wire.open_buffer("errors")
        lifeline, self._lifeline = os.pipe()
        settings = wire.Settings(
            input_fd=input_fd,
            output_fd=output_fd,
            lifeline_fd=lifeline,
            slot_bytes=wire.slot_bytes(params),
            die_with_parent=threading.current_thread() is threading.main_thread(),
            params=params,
        )
        try:
            self._process = subprocess.Popen(
                [*command, settings.model_dump_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                pass_fds=(input_fd, output_fd, lifeline),
                env=environment(),
                cwd="/",
                bufsize=0,
            )
        except OSError as error:
            os.close(self._lifeline)
            os.close(self._errors)
            raise ConfigError(f"the decoding child cannot be started: {error}.") from error
        finally:
            os.close(lifeline)

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_died_idle(self) -> bool:
        """Whether it had started and has ended since; one that never started tells why in `await_ready`."""
        return self._ready and self._process.poll() is not None

    def ask(self, first: int, count: int) -> None:
        """Tells the child to decode `count` images from `first` on; `answer` notices where it is dead."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(b"[%d,%d]\n" % (first, count))

    def await_ready(self) -> None:
        """Waits until the child has started. Raises ConfigError with what it said where it does not."""
        if self._ready:
            return
        try:
            line = self._next_line(self._start_s)
        except Silent:
            raise ConfigError(
                f"the decoding child did not start within {self._start_s:g} s. The machine is overloaded, "
                "or imaging.child_start_s is too short."
            ) from None
        except Gone:
            line = b""
        if line != wire.READY:
            raise ConfigError(
                f"the decoding child does not start{self._last_words()}. Check that the worker's Python can "
                "import numpy, Pillow and pydicom, and raise imaging.child_memory_mib if memory ran out."
            )
        self._ready = True

    def answer(self, timeout_s: float) -> tuple[int, int, int]:
        """The next line's index, header bytes and image bytes. Raises Silent after `timeout_s`, or Gone."""
        try:
            return wire.read_line(self._next_line(timeout_s))
        except wire.WireError as error:
            raise Gone(str(error)) from error

    def stop(self) -> None:
        """Kills the child, waits for its end and closes what belonged to it. May be called twice."""
        if self._lifeline < 0:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        os.close(self._lifeline)
        os.close(self._errors)
        self._lifeline = -1

    def _next_line(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        while (end := self._said.find(b"\n")) < 0:
            if len(self._said) > wire.LINE_BYTES:
                raise Gone("a line without an end")
            self._read(deadline)
        line, self._said = self._said[:end], self._said[end + 1 :]
        return line

    def _read(self, deadline: float) -> None:
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Silent
        chunk = os.read(fd, 65_536)
        if not chunk:
            raise Gone("its pipe is closed")
        self._said += chunk

    def _last_words(self) -> str:
        """The last line that the child wrote to stderr before it was ready, when it had read no image yet."""
        size = os.fstat(self._errors).st_size
        said = os.pread(self._errors, _SAID_BYTES, max(0, size - _SAID_BYTES)).decode("utf-8", "replace")
        lines = said.strip().splitlines()
        return f": {lines[-1][:300]}" if lines else ""


def environment() -> dict[str, str]:
    """The child's environment: what Python needs, where its modules are, one thread for every BLAS."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    here = str(Path(__file__).resolve().parents[2])
    paths = dict.fromkeys([here, *(os.path.abspath(path) for path in sys.path if path)])
    kept["PYTHONPATH"] = os.pathsep.join(path for path in paths if os.path.exists(path))
    return {**kept, **_KEEP_BUFFERS, **dict.fromkeys(_ONE_THREAD, "1")}
