"""Everything that `mht` raises on purpose, drawn as a tree with the exit code of each.

::

    MhtError                    1   never raised itself
    ├── ConfigError             2   the configuration or the command line is wrong
    ├── TooManyQuarantined      3   the build is whole, but too many inputs were refused, or requests unanswered
    ├── BenchmarkLeak           4   images of a benchmark are among the inputs
    ├── IntegrityError         65   an artifact is not what its manifest says
    ├── InputError             66   there is nothing to read, or it is not what was announced
    ├── RunConflict            73   the output holds another run, or another driver owns it
    ├── DiskFull               74   no room left where something must be written
    ├── StorageError           74   reading or writing failed for a reason of its own
    │   ├── StorageMissing     66   no such object, bucket or folder
    │   ├── StorageDenied      77   the store knows us and says no, or does not know us
    │   └── StorageOutage      75   the store did not answer for longer than allowed
    ├── EngineStopped           1   never raised itself; holds the replies that were ready by then
    │   ├── BudgetSpent         5   an engine may make no more calls, or write no more tokens
    │   ├── EngineDenied       77   the endpoint knows us and says no, or does not know us
    │   └── EngineOutage       75   the endpoint did not answer for longer than allowed
    ├── Diverged                6   training's loss or gradient is no number any more
    ├── Stalled                75   no progress for too long, three times
    └── Interrupted           130   Ctrl-C, SIGTERM or a spot notice (143 for SIGTERM)

75 is sysexits' EX_TEMPFAIL: the same command again goes on where this one stopped.
A message names the thing, the stage and the remedy, on one line each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class MhtError(Exception):
    """An error with a remedy. `exit_code` is what the `mht` command returns for it."""

    exit_code = 1


class ConfigError(MhtError):
    """A key, a value or a combination of them that cannot be used."""

    exit_code = 2


class TooManyQuarantined(MhtError):
    """The share of refused inputs is over `build.max_quarantined`; the dataset is there all the same."""

    exit_code = 3


class BenchmarkLeak(MhtError):
    """The inputs show pictures of a benchmark and `leakage.action` is `fail`; no dataset was closed."""

    exit_code = 4


class IntegrityError(MhtError):
    """A file is missing, cut or altered, or the books of a dataset do not balance."""

    exit_code = 65


class InputError(MhtError):
    """The source names nothing that can be read."""

    exit_code = 66


class RunConflict(MhtError):
    """The output belongs to another configuration, or to a driver that is still alive."""

    exit_code = 73


class DiskFull(MhtError):
    """A local file system has no room; the message names the path and the free bytes."""

    exit_code = 74


class StorageError(MhtError):
    """An object could not be read or written, and trying again would not help."""

    exit_code = 74


class StorageMissing(StorageError):
    """The object, bucket or folder does not exist."""

    exit_code = 66


class StorageDenied(StorageError):
    """Credentials are absent, expired or without the right; never retried."""

    exit_code = 77


class StorageOutage(StorageError):
    """The endpoint failed for longer than `storage.outage_limit_s`."""

    exit_code = 75


class EngineStopped(MhtError):
    """An engine goes no further. `replies` has what it was paid for in this call, in the order of the requests."""

    def __init__(self, message: str, replies: Iterable[Any] = ()) -> None:
        super().__init__(message)
        self.replies = tuple(replies)


class BudgetSpent(EngineStopped):
    """An engine's `max_calls` or `max_tokens` is used up; what was paid for is kept, a higher limit goes on."""

    exit_code = 5


class EngineDenied(EngineStopped):
    """An endpoint refuses the key, or has no such model; never retried."""

    exit_code = 77


class EngineOutage(EngineStopped):
    """An endpoint gave no reply at all for longer than the engine's `outage_limit_s`; the same command resumes."""

    exit_code = 75


class Diverged(MhtError):
    """A loss or a gradient is NaN or infinite: going on would spoil every parameter."""

    exit_code = 6


class Stalled(MhtError):
    """A shard made no progress within `build.stall_s`, in each of its attempts."""

    exit_code = 75


class Interrupted(MhtError):
    """The run was asked to stop; the same command resumes it."""

    exit_code = 130
