"""The storage that `mht` uses: the right backend for an address, our patience around each call."""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Protocol, TypeVar

from mht.errors import StorageError, StorageMissing
from mht.records import Refusal
from mht.storage.failures import Kind, as_error, classify
from mht.storage.local import LocalBackend
from mht.storage.objects import OUTSIDE_ROOT, Attempted, Bodies, Listing, ReadRequest, Stat, unreadable
from mht.storage.params import StorageParams
from mht.storage.patience import Attempt, Errors, Patience
from mht.storage.ranged import RangedFile
from mht.storage.reading import ManyReads
from mht.storage.uris import (
    local_path,
    local_uri,
    redact,
    refuse_unusable,
    scheme_of,
    split_wildcard,
    wildcard_regex,
)

T = TypeVar("T")

_PREFLIGHT_S = 4.0
_WHOLE_BYTES = 256 << 20
_S3_SCHEMES = frozenset({"s3", "s3a"})


class Backend(Protocol):
    """One kind of store. Every method makes one attempt and raises one of `errors` when it fails."""

    errors: Errors

    def walk(self, prefix: str, attempt: Attempt) -> Iterator[Listing]: ...
    def stat(self, uri: str) -> Stat: ...
    def get(self, requests: Sequence[ReadRequest]) -> Attempted: ...
    def put(self, uri: str, data: bytes) -> None: ...
    def put_new(self, uri: str, data: bytes, token: str) -> None: ...
    def is_ours(self, uri: str, data: bytes, token: str) -> bool: ...
    def remove(self, uri: str) -> None: ...
    def probe_list(self, prefix: str) -> bool: ...
    def probe_read(self, prefix: str) -> bool: ...
    def probe_write(self, prefix: str) -> None: ...


class Storage:
    """Objects by address. Pickled as its parameters; connections are made anew in each process."""

    def __init__(
        self,
        params: StorageParams,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self.params = params
        self._clock = clock
        self._sleep = sleep
        self._rng = rng if rng is not None else random.Random()
        self._patience = self._wait_for(params.outage_limit_s)
        self._backends: dict[tuple[int, str], Backend] = {}

    def __reduce__(self) -> tuple[type[Storage], tuple[StorageParams]]:
        return Storage, (self.params,)

    def list(self, prefix: str) -> Iterator[Listing]:
        """Every object below the prefix, or the one that it names, sorted by name, as the store has them now.

        Names are keys below the prefix; a local address comes back absolute. Raises StorageMissing where
        there is no such folder or bucket; an empty prefix of a bucket yields nothing.
        """
        backend = self._backend(prefix)
        try:
            yield from backend.walk(prefix, lambda page: self._attempt(page, prefix, "list"))
        except backend.errors as error:
            raise as_error(classify(error), prefix, "list") from error

    def absolute(self, prefix: str) -> str:
        """The address as it means the same in every process: a relative local path becomes absolute."""
        if scheme_of(prefix) == "file":
            return local_uri(os.path.abspath(local_path(prefix)))
        return prefix

    def glob(self, path: str) -> Iterator[Listing]:
        """The objects that a path with `*`, `**`, `?` or `[...]` matches; without a wildcard as `list`."""
        base, pattern = split_wildcard(path)
        if pattern is None or self.exists(path):
            yield from self.list(path)
            return
        matches = wildcard_regex(pattern).fullmatch
        yield from (found for found in self.list(base) if matches(found.name))

    def check_readable(self, prefix: str) -> None:
        """One probe, under 10 s. Raises StorageDenied, StorageMissing or StorageOutage with the remedy."""
        backend = self._backend(prefix)
        quick = self._wait_for(min(_PREFLIGHT_S, self.params.outage_limit_s))
        if not quick.attempt(lambda: backend.probe_read(prefix), backend.errors, prefix, "preflight"):
            raise StorageMissing(f"{redact(prefix)!r} at preflight: nothing is there. Check the path.")

    def check_writable(self, prefix: str) -> None:
        """One probe, under 10 s, that leaves nothing behind; raises as check_readable does, or DiskFull."""
        backend = self._backend(prefix)
        quick = self._wait_for(min(_PREFLIGHT_S, self.params.outage_limit_s))
        quick.attempt(lambda: backend.probe_write(prefix), backend.errors, prefix, "preflight")

    def read(self, uri: str) -> bytes:
        """The whole object. Raises StorageMissing and the other storage errors."""
        return self._read_one(ReadRequest(uri))

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`, which must lie inside the object."""
        return self._read_one(ReadRequest(uri, offset=start, length=length))

    def read_many(self, requests: Sequence[ReadRequest]) -> Bodies:
        """The bytes of each request, or why there are none, in the same order.

        What is wrong with one object is a refusal; what is wrong with the store raises StorageOutage or
        StorageDenied. Requests of several stores may be mixed.
        """
        out: Bodies = [b""] * len(requests)
        stores: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            if request.version == OUTSIDE_ROOT:
                out[index] = unreadable(
                    "outside the source's folder; copy the file in, or widen the source's path"
                )
            elif request.length == 0:
                out[index] = b""
            else:
                stores.setdefault(scheme_of(request.uri), []).append(index)
        for indexes in stores.values():
            backend = self._backend(requests[indexes[0]].uri)
            results = ManyReads(backend, [requests[i] for i in indexes], self._patience).run()
            for index, result in zip(indexes, results, strict=True):
                out[index] = result
        return out

    def write(self, uri: str, data: bytes) -> None:
        """Writes the object whole or not at all, over one that is there."""
        backend = self._backend(uri)
        self._attempt(lambda: backend.put(uri, data), uri, "write")

    def append(self, uri: str, data: bytes) -> bool:
        """Adds to the end of a local file, made where there is none. False where a store adds nothing to an object.

        The file is not synced: what was added outlives the process, and may not outlive the machine.
        """
        backend = self._backend(uri)
        if not isinstance(backend, LocalBackend):
            return False
        self._attempt(lambda: backend.append(uri, data), uri, "append")
        return True

    def create(self, uri: str, data: bytes) -> bool:
        """Writes the object if there is none; True when it is ours.

        After a lost answer the object may be our own, so it is asked whose it is: S3 by a token in the object's
        metadata, other remote stores by its bytes, so that writers who compete should write different ones.
        """
        backend = self._backend(uri)
        trial = self._patience.trial(uri, "create")
        token = os.urandom(16).hex()
        while True:
            try:
                backend.put_new(uri, data, token)
                return True
            except backend.errors as error:
                failure = classify(error)
                if failure.kind is Kind.EXISTS:
                    return self._attempt(lambda: backend.is_ours(uri, data, token), uri, "create")
                trial.failed(failure, error)

    def exists(self, uri: str) -> bool:
        """Whether there is an object (not a folder) of this address."""
        return self.size(uri) is not None

    def size(self, uri: str) -> int | None:
        """The object's size in bytes, None where there is none."""
        stat = self.stat(uri)
        return None if stat is None else stat.size_bytes

    def stat(self, uri: str) -> Stat | None:
        """The object's size and version, None where there is none."""
        backend = self._backend(uri)
        trial = self._patience.trial(uri, "stat")
        while True:
            try:
                return backend.stat(uri)
            except backend.errors as error:
                failure = classify(error)
                if failure.kind is Kind.MISSING:
                    return None
                trial.failed(failure, error)

    def delete(self, uri: str) -> None:
        """Removes the object; one that is not there is no error."""
        backend = self._backend(uri)
        try:
            self._attempt(lambda: backend.remove(uri), uri, "delete")
        except StorageMissing as error:
            if classify(error.__cause__ or error).kind is Kind.NO_STORE:
                raise

    def delete_prefix(self, prefix: str) -> int:
        """Removes every object below the prefix and says how many there were."""
        found = [listing.uri for listing in self.list(prefix)]
        for uri in found:
            self.delete(uri)
        return len(found)

    def open_input(self, uri: str, whole_bytes: int = _WHOLE_BYTES, buffer_bytes: int = 8 << 20) -> BinaryIO:
        """A seekable file to read from, as pyarrow.parquet wants it.

        A remote object of up to `whole_bytes` is read at once, a larger one in ranges of `buffer_bytes`.
        """
        backend = self._backend(uri)
        if isinstance(backend, LocalBackend):
            return self._attempt(lambda: open(local_path(uri), "rb"), uri, "open")
        stat = self.stat(uri)
        if stat is None:
            raise StorageMissing(f"{redact(uri)!r} at open: no such object. Check the address.")
        if stat.size_bytes <= whole_bytes:
            request = ReadRequest(uri, size_bytes=stat.size_bytes, version=stat.version)
            return io.BytesIO(self._read_one(request))
        return io.BufferedReader(RangedFile(self._read_one, uri, stat), buffer_size=buffer_bytes)

    def _read_one(self, request: ReadRequest) -> bytes:
        backend = self._backend(request.uri)
        trial = self._patience.trial(request.uri, "read")
        while True:
            result = backend.get([request])[0]
            if isinstance(result, bytes):
                return result
            if isinstance(result, Refusal):
                kind = StorageMissing if result.reason == "missing_object" else StorageError
                raise kind(f"{redact(request.uri)!r} at read: {result.detail}")
            trial.failed(classify(result), result)

    def _attempt(self, operation: Callable[[], T], uri: str, stage: str) -> T:
        return self._patience.attempt(operation, self._backend(uri).errors, uri, stage)

    def _wait_for(self, limit_s: float) -> Patience:
        return Patience(limit_s, self._clock, self._sleep, self._rng, self.params.endpoint_url)

    def _backend(self, uri: str) -> Backend:
        refuse_unusable(uri)
        scheme = scheme_of(uri)
        key = (os.getpid(), scheme)  # a connection does not survive a fork
        if key not in self._backends:
            self._backends[key] = _connect(scheme, self.params)
        return self._backends[key]


def _connect(scheme: str, params: StorageParams) -> Backend:
    if scheme == "file":
        return LocalBackend()
    if scheme in _S3_SCHEMES:
        from mht.storage.s3 import S3Backend

        return S3Backend(params)
    from mht.storage.generic import FsspecBackend

    return FsspecBackend(scheme, params)
