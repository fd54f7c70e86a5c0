"""`s3://` and its compatibles, through the client of s3fs: one attempt a call, bodies verified.

s3fs brings credentials, the endpoint and the event loop. Requests are sent on its client, with botocore's own
retries off: its retries would multiply with ours, and an answer's ETag and length are needed before its body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from mht.records import Refusal
from mht.storage.failures import Kind, classify
from mht.storage.objects import Attempted, Listing, ReadRequest, Stat, too_many
from mht.storage.params import StorageParams
from mht.storage.patience import Attempt, Errors
from mht.storage.probe import probe_write
from mht.storage.s3_bodies import Batch, Verifier, byte_range, judge
from mht.storage.uris import bucket_and_key

T = TypeVar("T")

_WRITER = "mht-writer"
_PROBE_S = 2.5
_PART_BYTES = 16 << 20
_SINGLE_PUT_BYTES = 64 << 20
_SLOWEST_BYTES_A_S = 50_000


class S3Backend:
    """Objects of S3 and of stores that speak its protocol."""

    def __init__(self, params: StorageParams) -> None:
        import aiohttp
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
        from s3fs import S3FileSystem

        self.errors: Errors = (
            OSError,
            BotoCoreError,
            ClientError,
            ResponseParserError,
            aiohttp.ClientError,
            asyncio.TimeoutError,
        )
        self._params = params
        self._fs = S3FileSystem(
            anon=params.anonymous,
            endpoint_url=params.endpoint_url,
            client_kwargs={"region_name": params.region} if params.region else {},
            config_kwargs={
                "connect_timeout": params.connect_timeout_s,
                "read_timeout": params.read_timeout_s,
                "max_pool_connections": params.concurrency,
                "retries": {"total_max_attempts": 1, "mode": "standard"},
            },
            skip_instance_cache=True,
            use_listings_cache=False,
        )
        self._fs.retries = 3  # of a part of a large upload; everything else is retried by our own patience
        self._verifier = Verifier()

    def walk(self, prefix: str, attempt: Attempt) -> Iterator[Listing]:
        """Pages of 1,000 keys below the prefix, each asked for when it is needed."""
        bucket, key = bucket_and_key(prefix)
        below = f"{key.rstrip('/')}/" if key.strip("/") else ""
        token: str | None = None
        first = True
        while first or token is not None:
            page = attempt(lambda token=token: self._run(self._page(bucket, below, token)))  # type: ignore[misc]
            contents = page.get("Contents", [])
            if first and not contents and key:
                yield from attempt(lambda: self._single(prefix, key))
            for found in contents:
                if found["Size"] or not found["Key"].endswith("/"):  # consoles make empty objects for folders
                    yield _listing(found["Key"][len(below) :], f"s3://{bucket}/{found['Key']}", found)
            token = page.get("NextContinuationToken") if page.get("IsTruncated") else None
            first = False

    def stat(self, uri: str) -> Stat:
        """Size and ETag. A refused HEAD has no error code, so that a GET of one byte is asked for it."""
        return self._run(self._stat(uri))

    def get(self, requests: Sequence[ReadRequest]) -> Attempted:
        """One attempt at each, `concurrency` at a time."""
        return self._run(self._get_all(requests))

    def put(self, uri: str, data: bytes) -> None:
        """One PUT, or parts of 16 MiB for a large object; S3 shows neither before it is whole."""
        bucket, key = bucket_and_key(uri)
        if len(data) > _SINGLE_PUT_BYTES:
            self._fs.pipe_file(f"{bucket}/{key}", data, chunksize=_PART_BYTES)
        else:
            self._run(self._call("put_object", Bucket=bucket, Key=key, Body=data))

    def put_new(self, uri: str, data: bytes, token: str) -> None:
        """A PUT with If-None-Match; PreconditionFailed when there is an object."""
        self._run(self._put_new(uri, data, token))

    def is_ours(self, uri: str, data: bytes, token: str) -> bool:
        """By the token in its metadata: aiohttp repeats a PUT by itself when a kept connection breaks."""
        bucket, key = bucket_and_key(uri)
        head = self._run(self._call("head_object", Bucket=bucket, Key=key))
        return bool(head.get("Metadata", {}).get(_WRITER) == token)

    def remove(self, uri: str) -> None:
        """A DELETE, which S3 answers alike whether there was an object or not."""
        bucket, key = bucket_and_key(uri)
        self._run(self._call("delete_object", Bucket=bucket, Key=key))

    def probe_list(self, prefix: str) -> bool:
        """Whether there is an object below the prefix."""
        return self._run(self._first(prefix)) is not None

    def probe_read(self, prefix: str) -> bool:
        """Whether there is such an object, or one below the prefix, and its first byte may be read."""
        return self._run(asyncio.wait_for(self._probe_read(prefix), _PROBE_S))

    def probe_write(self, prefix: str) -> None:
        """Creates, creates again and deletes a small object."""
        probe_write(_Hurried(self), prefix)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        from fsspec.asyn import sync

        async def awaited() -> T:
            return await work

        result: T = sync(self._fs.loop, awaited)
        return result

    async def _call(self, method: str, **arguments: Any) -> Any:
        client = await self._fs.set_session()
        return await getattr(client, method)(**arguments)

    async def _put_new(self, uri: str, data: bytes, token: str) -> None:
        bucket, key = bucket_and_key(uri)
        await self._call(
            "put_object", Bucket=bucket, Key=key, Body=data, IfNoneMatch="*", Metadata={_WRITER: token}
        )

    async def _page(self, bucket: str, below: str, token: str | None) -> Any:
        more = {"ContinuationToken": token} if token is not None else {}
        return await self._call("list_objects_v2", Bucket=bucket, Prefix=below, **more)

    def _single(self, uri: str, key: str) -> list[Listing]:
        try:
            stat = self.stat(uri)
        except self.errors as error:
            if classify(error).kind is Kind.MISSING:
                return []
            raise
        return [Listing(key.rpartition("/")[2], uri, stat.size_bytes, stat.version)]

    async def _stat(self, uri: str) -> Stat:
        bucket, key = bucket_and_key(uri)
        try:
            head = await self._call("head_object", Bucket=bucket, Key=key)
        except self.errors as error:
            if classify(error).detail[:3] not in ("400", "403"):
                raise
            await self._touch(uri)
            raise
        return Stat(head["ContentLength"], head["ETag"].strip('"'))

    async def _touch(self, uri: str) -> None:
        """Reads one byte, for the error that a HEAD does not tell; an empty object has none to read."""
        bucket, key = bucket_and_key(uri)
        try:
            answer = await self._call("get_object", Bucket=bucket, Key=key, Range="bytes=0-0")
        except self.errors as error:
            if not classify(error).detail.startswith(("InvalidRange", "416")):
                raise
        else:
            answer["Body"].close()

    async def _first(self, prefix: str) -> str | None:
        bucket, key = bucket_and_key(prefix)
        below = f"{key.rstrip('/')}/" if key.strip("/") else ""
        page = await self._call("list_objects_v2", Bucket=bucket, Prefix=below, MaxKeys=1)
        contents = page.get("Contents", [])
        return f"s3://{bucket}/{contents[0]['Key']}" if contents else None

    async def _probe_read(self, prefix: str) -> bool:
        first = await self._first(prefix)
        if first is None and not bucket_and_key(prefix)[1]:
            return False
        try:
            await self._touch(first or prefix)
        except self.errors as error:
            if classify(error).kind is Kind.MISSING:
                return False
            raise
        return True

    async def _get_all(self, requests: Sequence[ReadRequest]) -> Attempted:
        limit = asyncio.Semaphore(self._params.concurrency)
        batch = Batch(self._params.concurrency)

        async def one(request: ReadRequest) -> bytes | Refusal | Exception:
            async with limit:
                if batch.hopeless is not None:
                    return batch.hopeless
                try:
                    result = await self._get(request)
                except self.errors as error:
                    return batch.failed(error)
                batch.answered = True
                return result

        return await asyncio.gather(*(one(request) for request in requests))

    async def _get(self, request: ReadRequest) -> bytes | Refusal:
        refusal = too_many(request, request.size_bytes)
        if refusal is not None:
            return refusal
        bucket, key = bucket_and_key(request.uri)
        span = byte_range(request)
        answer = await self._call("get_object", Bucket=bucket, Key=key, **({"Range": span} if span else {}))
        body = answer["Body"]
        try:
            refusal = judge(request, answer)
            if refusal is not None:
                return refusal
            patience_s = self._params.read_timeout_s + answer["ContentLength"] / _SLOWEST_BYTES_A_S
            data: bytes = await asyncio.wait_for(body.read(), patience_s)
        finally:
            body.close()
        self._verifier.verify(request, answer, data)
        return data


class _Hurried:
    """The writes of the preflight, each with its own short limit."""

    def __init__(self, backend: S3Backend) -> None:
        self.errors = backend.errors
        self._backend = backend

    def put_new(self, uri: str, data: bytes, token: str) -> None:
        self._within(self._backend._put_new(uri, data, token))

    def remove(self, uri: str) -> None:
        bucket, key = bucket_and_key(uri)
        self._within(self._backend._call("delete_object", Bucket=bucket, Key=key))

    def _within(self, work: Coroutine[Any, Any, Any]) -> None:
        self._backend._run(asyncio.wait_for(work, _PROBE_S))


def _listing(name: str, uri: str, found: Any) -> Listing:
    return Listing(name, uri, found["Size"], found["ETag"].strip('"'))
