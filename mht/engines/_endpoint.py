"""One POST to an endpoint, ended by a whole answer within its limits or by a named failure."""

from __future__ import annotations

import asyncio
import os

import aiohttp

import mht
from mht.engines._answers import Answer, judge
from mht.generation import Failure


class Endpoint:
    """An address with its limits and its open connections; used in one event loop. Its repr shows no key."""

    def __init__(
        self, base_url: str, key: str | None, timeout: aiohttp.ClientTimeout, max_bytes: int
    ) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        # Compressed bodies are not asked for: a small one could unfold to gigabytes.
        self._headers = {"Accept-Encoding": "identity", "User-Agent": f"mht/{mht.__version__}"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, payload: object) -> Answer:
        """The answer to one try. Only a mistake of ours raises."""
        try:
            async with self._open().post(self._url, json=payload, allow_redirects=False) as response:
                body = await self._body(response)
                if body is None:
                    return _unread(response.status, self._max_bytes)
                return judge(response.status, response.headers, body)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return _unheard(error)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                headers=self._headers,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    async def _body(self, response: aiohttp.ClientResponse) -> bytes | None:
        """The whole body; None when it is larger than allowed, of which no more is then read."""
        body = bytearray()
        if (response.content_length or 0) <= self._max_bytes:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > self._max_bytes:
                    break
            else:
                return bytes(body)
        response.close()
        return None


def _unread(status: int, max_bytes: int) -> Answer:
    detail = f"status {status} with more than max_reply_bytes = {max_bytes}"
    if status == 200:
        return Answer(failure=Failure.REPLY_TOO_LARGE, detail=detail)
    return judge(status, {}, b"")


def _unheard(error: BaseException) -> Answer:
    """What it means that there was no whole answer; by the error's class, as its text may name what it likes."""
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
        remedy = (
            "no TLS that can be trusted; check base_url, or name the certificate's authority in SSL_CERT_FILE"
        )
        return Answer(failure=Failure.CONNECTION, detail=type(error).__name__, heard=False, denied=remedy)
    timeout = isinstance(error, asyncio.TimeoutError)
    cause = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
    detail = f"no answer in time ({cause})" if timeout else f"connection lost ({cause})"
    return Answer(failure=Failure.TIMEOUT if timeout else Failure.CONNECTION, detail=detail, heard=False)
