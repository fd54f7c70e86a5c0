"""What the decoding child takes away from itself before it looks at a stranger's bytes."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import select
import signal
import sys

_PR_SET_PDEATHSIG = 1
_F_SETSIG = 10  # Linux; the fcntl module does not name it
_OPEN_FILES = 32


def bind_to_parent(lifeline_fd: int, die_with_parent: bool) -> None:
    """Makes the kernel kill this process when its parent goes, in whatever native loop it hangs then.

    The parent holds the other end of `lifeline_fd` and never writes; when it is gone the pipe hangs up and
    sends SIGKILL (on Linux; elsewhere the end of stdin has to do). PR_SET_PDEATHSIG does the same where some
    other child of the parent has inherited that end, but it follows the parent's thread: only for the main
    one.
    """
    if not sys.platform.startswith("linux"):
        return
    fcntl.fcntl(lifeline_fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline_fd, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline_fd, fcntl.F_SETFL, fcntl.fcntl(lifeline_fd, fcntl.F_GETFL) | os.O_ASYNC)
    if die_with_parent:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    poll = select.poll()
    poll.register(lifeline_fd, 0)
    if poll.poll(0):  # the parent went before the kernel knew
        os.kill(os.getpid(), signal.SIGKILL)


def confine(memory_mib: int) -> None:
    """Limits the address space; forbids core dumps, written files, many open ones and new processes."""
    memory = memory_mib * 1024 * 1024
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),  # root is exempt
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _lower(limit, value)
    sys.dont_write_bytecode = True
    if sys.platform.startswith("linux"):
        _offer_to_oom_killer()


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(limit, (value, value))
    except (ValueError, OSError):
        if sys.platform.startswith("linux"):
            raise
        # macOS knows RLIMIT_AS and does not let it be set


def _offer_to_oom_killer() -> None:
    """Where the machine runs out of memory, the kernel takes this process and not the worker above it."""
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:
        return
    try:
        os.write(fd, b"1000")
    except OSError:
        pass
    finally:
        os.close(fd)
