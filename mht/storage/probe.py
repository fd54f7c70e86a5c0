"""The write probe of a remote store: create, see that a second create is refused, delete."""

from __future__ import annotations

import os
from typing import Protocol

from mht.errors import StorageError
from mht.storage.failures import Kind, classify
from mht.storage.patience import Errors
from mht.storage.uris import join, redact


class Writer(Protocol):
    """What the probe needs of a backend."""

    errors: Errors

    def put_new(self, uri: str, data: bytes, token: str) -> None: ...
    def remove(self, uri: str) -> None: ...


def probe_write(backend: Writer, prefix: str) -> None:
    """Raises what the store raises, and StorageError for a store that lets two writers create one object."""
    token = os.urandom(8).hex()
    uri = join(prefix, f".mht-probe-{token}")
    try:
        backend.put_new(uri, b"probe", token)
        try:
            backend.put_new(uri, b"again", token)
        except backend.errors as error:
            if classify(error).kind is not Kind.EXISTS:
                raise
        else:
            raise StorageError(
                f"{redact(prefix)!r} at preflight: the store ignores create-if-absent (If-None-Match), so "
                "two drivers could commit one shard. Write to a store that honours it."
            )
    finally:
        _remove(backend, uri)


def _remove(backend: Writer, uri: str) -> None:
    """Deletes the probe; after a refused write there is none."""
    try:
        backend.remove(uri)
    except backend.errors as error:
        if classify(error).kind is not Kind.MISSING:
            raise
