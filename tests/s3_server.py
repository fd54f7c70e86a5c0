"""An S3 on the loopback for tests: moto behind a seeded fault layer, in a process of its own.

::

    with start_s3() as s3:
        storage = Storage(StorageParams(endpoint_url=s3.endpoint_url))   # with s3.env in the environment
        s3.set_faults(Faults(seed=1, error_503=0.03, truncate=0.02))
        s3.refuse(); ...; s3.restore()

Faults are drawn per request and capped per key, so that a client that retries always succeeds in the end. The
control port answers during outages too.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import json
import logging
import os
import random
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

HUGE_BYTES = 5 << 30
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Faults:
    """Probabilities a request, a cap a key, and the requests that are always answered in a set way.

    `deny` is an S3 error code (AccessDenied, ExpiredToken, NoSuchBucket, InternalError ...) given to requests
    whose path (`/bucket/key`) matches `deny_keys` and whose method is in `deny_methods`; paths that match
    `huge_keys` claim 5 GiB; `strange_etags` makes ETags that look like an MD5 and are none;
    `ignore_conditions` drops If-None-Match.
    """

    seed: int = 0
    error_503: float = 0.0
    error_500: float = 0.0
    reset_before: float = 0.0
    reset_after: float = 0.0
    slow: float = 0.0
    slow_s: float = 0.1
    truncate: float = 0.0
    faults_per_key: int = 3
    deny: str | None = None
    deny_keys: str = ".*"
    deny_methods: tuple[str, ...] = ("GET", "PUT", "HEAD", "POST", "DELETE")
    huge_keys: str | None = None
    strange_etags: bool = False
    ignore_conditions: bool = False


R5 = Faults(
    seed=5, error_503=0.03, error_500=0.02, reset_before=0.01, reset_after=0.01, slow=0.02, truncate=0.02
)


class S3Server:
    """The running server: its addresses, its switches and its counts."""

    def __init__(self, process: subprocess.Popen[str], port: int, control_port: int) -> None:
        self._process = process
        self._control = f"http://127.0.0.1:{control_port}/"
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self.env = dict(CREDENTIALS)

    def make_bucket(self, name: str) -> None:
        self._ask(make_bucket=name)

    def fill(self, bucket: str, prefix: str, count: int) -> None:
        """Puts `count` small objects called 000000, 000001 ... below the prefix, faster than a client could."""
        self._ask(fill=[bucket, prefix, count])

    def set_faults(self, faults: Faults) -> None:
        """Replaces the faults and starts their draws again; `Faults()` is a clean server."""
        self._ask(faults=dataclasses.asdict(faults))

    def refuse(self, seconds: float | None = None) -> None:
        """Refuses connections, for a while or until `restore`."""
        self._ask(outage="refuse", seconds=seconds)

    def hang(self, seconds: float | None = None) -> None:
        """Takes requests and never answers them, for a while or until `restore`."""
        self._ask(outage="hang", seconds=seconds)

    def restore(self) -> None:
        self._ask(outage="none", seconds=None)

    def counts(self) -> Counter[str]:
        """Requests by method (`GET` ...), `requests`, faults by name (`fault.slow` ...) and `bytes_sent`."""
        return Counter(self._ask()["counts"])

    def reset_counts(self) -> None:
        self._ask(reset_counts=True)

    def stop(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()  # the server ends with its parent, however that ends
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, **command: Any) -> dict[str, Any]:
        request = urllib.request.Request(self._control, data=json.dumps(command).encode())
        with urllib.request.urlopen(request, timeout=240) as answer:
            result: dict[str, Any] = json.load(answer)
        return result


@contextmanager
def start_s3(*buckets: str) -> Iterator[S3Server]:
    """A clean S3 with the named buckets (`bucket` when none is named); gone at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | CREDENTIALS,
    )
    assert process.stdout is not None
    port, control_port = map(int, process.stdout.readline().split())
    server = S3Server(process, port, control_port)
    try:
        for name in buckets or ("bucket",):
            server.make_bucket(name)
        yield server
    finally:
        server.stop()


class _Front:
    """aiohttp in front of moto's WSGI application, with the faults between them."""

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import create_backend_app

        self._app = create_backend_app("s3")
        self._outage = "none"
        self._sites: list[Any] = []
        self.counts: Counter[str] = Counter()
        self.set_faults(Faults())

    def set_faults(self, faults: Faults) -> None:
        self._faults = faults
        self._rng = random.Random(faults.seed)
        self._faults_of: Counter[str] = Counter()

    async def answer(self, request: Any) -> Any:
        """One S3 request, with the fault that it drew."""
        if request.headers.get("Expect", "").lower() == "100-continue":
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await request.read()
        self.counts["requests"] += 1
        self.counts[request.method] += 1
        while self._outage == "hang":
            await asyncio.sleep(0.02)
        key = unquote_to_bytes(request.raw_path.split("?", 1)[0]).decode("utf-8", "replace")
        fault = self._draw(f"{request.method} {key}")
        if fault == "slow":
            await asyncio.sleep(self._faults.slow_s)
        if fault in ("error_503", "error_500"):
            return _error(int(fault[-3:]), "SlowDown" if fault == "error_503" else "InternalError")
        if self._outage == "refuse" or fault == "reset_before":
            return await _reset(request)
        if self._denied(request.method, key):
            return _denial(str(self._faults.deny), request.method)
        status, headers, data = self._moto(request, body)
        if fault == "reset_after":
            return await _reset(request)
        return await self._send(request, status, headers, data, cut=fault == "truncate")

    def _draw(self, key: str) -> str | None:
        names = ("error_503", "error_500", "reset_before", "reset_after", "slow", "truncate")
        draw = self._rng.random()
        for name in names:
            draw -= getattr(self._faults, name)
            if draw < 0:
                if self._faults_of[key] >= self._faults.faults_per_key:
                    return None
                self._faults_of[key] += 1
                self.counts[f"fault.{name}"] += 1
                return name
        return None

    def _denied(self, method: str, key: str) -> bool:
        rule = self._faults
        return (
            rule.deny is not None and method in rule.deny_methods and bool(re.fullmatch(rule.deny_keys, key))
        )

    def _moto(self, request: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        raw_path = request.raw_path
        path, _, query = raw_path.partition("?")
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": raw_path,
            "REQUEST_URI": raw_path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": request.host.rpartition(":")[2],
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers.items():
            if self._faults.ignore_conditions and name.lower() == "if-none-match":
                continue
            environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
        return self._call(environ)

    def _call(self, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        begun: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], _exc: Any = None) -> None:
            begun["status"] = int(status.split()[0])
            begun["headers"] = dict(headers)

        data = b"".join(self._app(environ, start))
        return begun["status"], begun["headers"], data

    async def _send(self, request: Any, status: int, headers: dict[str, str], data: bytes, cut: bool) -> Any:
        from aiohttp import web

        lower = {name.lower(): value for name, value in headers.items()}
        lower.pop("transfer-encoding", None)
        length = int(lower.get("content-length") or len(data)) if request.method == "HEAD" else len(data)
        key = unquote_to_bytes(request.raw_path.split("?", 1)[0]).decode("utf-8", "replace")
        huge = self._faults.huge_keys is not None and bool(re.fullmatch(self._faults.huge_keys, key))
        lower["content-length"] = str(HUGE_BYTES if huge else length)
        if self._faults.strange_etags and "etag" in lower:
            lower["etag"] = f'"{hashlib.md5(lower["etag"].encode()).hexdigest()}"'
        response = web.StreamResponse(status=status, headers=lower)
        await response.prepare(request)
        if request.method == "HEAD":
            await response.write_eof()
            return response
        part = data[: len(data) // 2] if cut else data
        self.counts["bytes_sent"] += len(part)
        if part:
            await response.write(part)
        if cut or huge:
            await asyncio.sleep(0 if cut else 5)
            return await _reset(request)
        await response.write_eof()
        return response

    async def control(self, request: Any) -> Any:
        """One command of the test, on the control port."""
        from aiohttp import web

        command = json.loads(await request.read() or b"{}")
        if "make_bucket" in command:
            self._put("/" + command["make_bucket"])
        if "fill" in command:
            bucket, prefix, count = command["fill"]
            for number in range(count):
                self._put(f"/{bucket}/{prefix}/{number:06}", b"x")
        if "faults" in command:
            self.set_faults(Faults(**command["faults"]))
        if command.get("reset_counts"):
            self.counts.clear()
        if "outage" in command:
            await self._switch(command["outage"])
            if command["seconds"] is not None:
                loop = asyncio.get_running_loop()
                loop.call_later(command["seconds"], lambda: loop.create_task(self._switch("none")))
        return web.json_response({"counts": dict(self.counts)})

    def _put(self, path: str, data: bytes = b"") -> None:
        """A request of our own, past the faults."""
        status, _, answer = self._moto(_Request(path), data)
        assert status == 200, answer

    async def _switch(self, outage: str) -> None:
        was, self._outage = self._outage, outage
        if outage == "refuse" and was != "refuse":
            self._socket.close()
            await self._socket.wait_closed()
        elif was == "refuse" and outage != "refuse":
            await self._listen(self._port)

    async def _listen(self, port: int) -> int:
        loop = asyncio.get_running_loop()
        self._socket = await loop.create_server(
            self._protocol, "127.0.0.1", port, backlog=512, reuse_address=True
        )
        self._port = int(self._socket.sockets[0].getsockname()[1])
        return self._port

    async def serve(self) -> None:
        """Prints both ports and runs until the parent closes our input."""
        from aiohttp import web

        loop = asyncio.get_running_loop()

        def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> Any:
            return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=1 << 30)

        self._protocol = web.Server(self.answer, request_factory=request, access_log=None)
        control = await loop.create_server(web.Server(self.control, access_log=None), "127.0.0.1", 0)
        port = await self._listen(0)
        print(port, control.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
        os._exit(0)


@dataclass(frozen=True)
class _Request:
    """A PUT as moto needs to see it; it reads the region from the credential's scope."""

    raw_path: str
    method: str = "PUT"
    host: str = "127.0.0.1:80"
    headers: Mapping[str, str] = field(
        default_factory=lambda: {
            "Host": "127.0.0.1:80",
            "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request",
        }
    )


async def _reset(request: Any) -> Any:
    """Ends the connection without an answer."""
    from aiohttp import web

    if request.transport is not None:
        request.transport.abort()
    return web.Response()


_STATUS = {"ExpiredToken": 400, "NoSuchBucket": 404, "InternalError": 500, "SlowDown": 503}


def _denial(code: str, method: str) -> Any:
    from aiohttp import web

    status = _STATUS.get(code, 403)
    return web.Response(status=status) if method == "HEAD" else _error(status, code)


def _error(status: int, code: str) -> Any:
    from aiohttp import web

    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as the test asked</Message></Error>"
    return web.Response(status=status, text=body, content_type="application/xml")


if __name__ == "__main__":
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # clients give up, as they should
    asyncio.run(_Front().serve())
