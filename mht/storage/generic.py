"""Any other store that fsspec knows: `gs://`, `memory://`, `abfs://` and so on."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from mht.errors import ConfigError
from mht.records import Refusal
from mht.storage.failures import CutShortError
from mht.storage.objects import Attempted, Listing, ReadRequest, Stat, missing, replaced, too_many
from mht.storage.params import StorageParams
from mht.storage.patience import Attempt, Errors

_CREATING = threading.Lock()
"""fsspec's in-memory store looks and then writes; within a process the lock makes that one step."""


class FsspecBackend:
    """An fsspec file system without its caches. Every method makes one attempt."""

    def __init__(self, scheme: str, params: StorageParams) -> None:
        self._scheme = scheme
        self._params = params
        self._fs = _file_system(scheme, params)
        self.errors: Errors = _errors(self._fs)

    def walk(self, prefix: str, attempt: Attempt) -> Iterator[Listing]:
        """The objects below the prefix, sorted by name; the store's own listing, asked anew."""
        root = self._fs._strip_protocol(prefix)
        self._fs.invalidate_cache()
        found: dict[str, dict[str, Any]] = attempt(lambda: self._fs.find(root, detail=True))
        whole = len(found) == 1 and root in found
        below = root.rpartition("/")[0] if whole else root.rstrip("/")
        listings = [
            _listing(self._uri(path), path[len(below) :].lstrip("/"), info) for path, info in found.items()
        ]
        yield from sorted(listings, key=lambda listing: listing.name)

    def stat(self, uri: str) -> Stat:
        """Size and version. Raises FileNotFoundError."""
        self._fs.invalidate_cache()
        return self._found(self._fs.info(self._path(uri)))

    def get(self, requests: Sequence[ReadRequest]) -> Attempted:
        """One attempt at each, concurrently where the file system is asynchronous."""
        if not self._fs.async_impl:
            return [self._get(request) for request in requests]
        from fsspec.asyn import sync

        results: Attempted = sync(self._fs.loop, self._get_all, requests)
        return results

    def put(self, uri: str, data: bytes) -> None:
        """Writes over what is there."""
        self._fs.pipe_file(self._path(uri), data)

    def put_new(self, uri: str, data: bytes, token: str) -> None:
        """Raises FileExistsError when there is an object."""
        with _CREATING:
            self._fs.pipe_file(self._path(uri), data, mode="create")

    def is_ours(self, uri: str, data: bytes, token: str) -> bool:
        """By its bytes; a store in this process loses no answer, so that what is there is another's."""
        return bool(self._fs.async_impl) and self._fs.cat_file(self._path(uri)) == data

    def remove(self, uri: str) -> None:
        """Deletes an object. Raises FileNotFoundError."""
        self._fs.rm_file(self._path(uri))

    def probe_list(self, prefix: str) -> bool:
        """Whether something is below the prefix."""
        self._fs.invalidate_cache()
        return len(self._fs.ls(self._path(prefix), detail=False)) > 0

    def probe_read(self, prefix: str) -> bool:
        """Whether there is such an object or something below the prefix."""
        return self.probe_list(prefix)

    def probe_write(self, prefix: str) -> None:
        """Writes and deletes a small object."""
        from mht.storage.probe import probe_write

        probe_write(self, prefix)

    def _path(self, uri: str) -> str:
        path: str = self._fs._strip_protocol(uri)
        return path

    def _uri(self, path: str) -> str:
        return f"{self._scheme}://{path}"

    def _found(self, info: dict[str, Any]) -> Stat:
        if info["type"] != "file":
            raise FileNotFoundError(info["name"])
        return Stat(info["size"], _version(info))

    def _get(self, request: ReadRequest) -> bytes | Refusal | Exception:
        early = too_many(request, request.size_bytes)
        if early is not None:
            return early
        try:
            stat = self.stat(request.uri)
            refusal = too_many(request, stat.size_bytes) or replaced(request, stat)
            if refusal is not None:
                return refusal
            start, end = _bounds(request, stat)
            data: bytes = self._fs.cat_file(self._path(request.uri), start=start, end=end)
        except FileNotFoundError:
            return missing()
        except self.errors as error:
            return error
        return data if len(data) == end - start else CutShortError(f"{len(data)} of {end - start} bytes")

    async def _get_all(self, requests: Sequence[ReadRequest]) -> Attempted:
        limit = asyncio.Semaphore(self._params.concurrency)

        async def one(request: ReadRequest) -> bytes | Refusal | Exception:
            async with limit:
                return await self._get_async(request)

        return await asyncio.gather(*(one(request) for request in requests))

    async def _get_async(self, request: ReadRequest) -> bytes | Refusal | Exception:
        early = too_many(request, request.size_bytes)
        if early is not None:
            return early
        try:
            stat = self._found(await self._fs._info(self._path(request.uri)))
            refusal = too_many(request, stat.size_bytes) or replaced(request, stat)
            if refusal is not None:
                return refusal
            start, end = _bounds(request, stat)
            data: bytes = await self._fs._cat_file(self._path(request.uri), start=start, end=end)
        except FileNotFoundError:
            return missing()
        except self.errors as error:
            return error
        return data if len(data) == end - start else CutShortError(f"{len(data)} of {end - start} bytes")


def _file_system(scheme: str, params: StorageParams) -> Any:
    import fsspec

    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if scheme in ("gs", "gcs"):
        options |= {"endpoint_url": params.endpoint_url, "token": "anon" if params.anonymous else None}
    try:
        return fsspec.filesystem(scheme, **options)
    except ValueError:
        raise ConfigError(f"{scheme}:// is no store that fsspec knows; use s3:// or gs://.") from None
    except ImportError as error:
        extra = "pip install 'mht[gcs]'" if scheme in ("gs", "gcs") else str(error)
        raise ConfigError(f"{scheme}:// needs a package that is not installed: {extra}.") from error


def _errors(fs: Any) -> Errors:
    if not fs.async_impl:
        return (OSError,)
    import aiohttp

    errors: Errors = (OSError, aiohttp.ClientError, asyncio.TimeoutError)
    if type(fs).__module__.startswith("gcsfs"):
        retry = importlib.import_module("gcsfs.retry")
        auth = importlib.import_module("google.auth.exceptions")
        errors += (retry.HttpError, retry.ChecksumError, auth.GoogleAuthError)
    return errors


def _listing(uri: str, name: str, info: dict[str, Any]) -> Listing:
    return Listing(name, uri, info.get("size"), _version(info))


def _version(info: dict[str, Any]) -> str | None:
    """The first thing that the store says of an object's version."""
    for key in ("etag", "ETag", "generation", "mtime", "LastModified", "created"):
        value = info.get(key)
        if value is not None:
            # the in-memory store gives a time in its listing as a number, elsewhere as a datetime
            return str(value.timestamp() if isinstance(value, datetime) else value).strip('"')
    return None


def _bounds(request: ReadRequest, stat: Stat) -> tuple[int, int]:
    start = request.offset or 0
    return start, stat.size_bytes if request.length is None else start + request.length
