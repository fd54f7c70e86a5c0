"""A chat-completions endpoint on the loopback that answers as it is told, well or badly.

::

    with scripted_endpoint() as endpoint:
        engine = Engine(Params(model="m", base_url=endpoint.base_url))
        engine.generate([Request("a", "error_503 rate_limited fine")])

The words of a prompt are the turns of its request, one a try, the last for all that follow; a word that is no turn is
passed over. With `script`, the n-th call to the server gets the n-th turn, whatever it asks. With `says`, what is fine
is what it says to a call. The server writes down every call that it gets.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web

RETRY_AFTER_S = 7
RETRY_DATE_S = 11
MEGABYTE = 1 << 20
SECRET_ECHO = "Incorrect API key provided: sk-canary. Prompt was: JANE DOE"
PATIENCE_S = 30.0
Says = Callable[[dict[str, Any]], str]


@dataclass
class Endpoint:
    """The running server and what it saw. `in_flight` is the most calls that it had open at once."""

    port: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    bytes_sent: int = 0
    in_flight: int = 0
    open_now: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


def prompt_of(call: dict[str, Any]) -> str:
    content = call["messages"][-1]["content"]
    return content if isinstance(content, str) else next(part["text"] for part in content if "text" in part)


def envelope(text: object, finish_reason: str | None = "stop", **message: object) -> dict[str, Any]:
    choice = {
        "index": 0,
        "finish_reason": finish_reason,
        "message": {"role": "assistant", "content": text, **message},
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [choice],
        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
    }


def _ok(body: object) -> Callable[[dict[str, Any]], web.Response]:
    return lambda call: web.json_response(body)


def _error(
    status: int, headers: dict[str, str] | None = None, **error: object
) -> Callable[..., web.Response]:
    body = {"error": {"message": SECRET_ECHO, "type": "some_error", **error}}
    return lambda call: web.json_response(body, status=status, headers=headers)


def _raw(text: str, content_type: str = "application/json") -> Callable[..., web.Response]:
    return lambda call: web.Response(text=text, content_type=content_type)


def _rate_limited_date(call: dict[str, Any]) -> web.Response:
    dates = {"Date": formatdate(1e9, usegmt=True), "Retry-After": formatdate(1e9 + RETRY_DATE_S, usegmt=True)}
    return web.Response(status=429, headers=dates)


_BOMB = gzip.compress(json.dumps(envelope("x" * 20 * MEGABYTE)).encode())

_THOUGHT = {"type": "thinking", "text": "hm"}

LIKELY = {"Yes": -0.5, " yes": -2.0, "No": -1.5, "The": -3.0}
"""The log-probabilities of a first token that `likely` tells where they are asked for."""


def _likely(call: dict[str, Any]) -> web.Response:
    told = envelope("Yes, there is.")
    if call.get("logprobs"):
        most = sorted(LIKELY.items(), key=lambda one: -one[1])[: call["top_logprobs"]]
        tokens = [{"token": token, "logprob": logprob} for token, logprob in most]
        told["choices"][0]["logprobs"] = {"content": [{**tokens[0], "top_logprobs": tokens}]}
    return web.json_response(told)


_ANSWERS: dict[str, Callable[[dict[str, Any]], web.Response]] = {
    "fine": lambda call: web.json_response(envelope(f"\n reply to {prompt_of(call)} ")),
    "likely": _likely,
    "uncounted": _ok({"choices": [{"message": {"content": "a reply"}}]}),
    "odd_usage": _ok({**envelope("a reply"), "usage": {"prompt_tokens": True, "completion_tokens": "5"}}),
    "no_choices": _ok({"choices": []}),
    "null_content": _ok(envelope(None)),
    "blank_content": _ok(envelope(" \n")),
    "parts_content": _ok(
        envelope([_THOUGHT, {"type": "text", "text": " a "}, {"type": "text", "text": "reply "}])
    ),
    "other_parts": _ok(envelope([_THOUGHT, {"type": "image_url"}])),
    "no_parts": _ok(envelope(["a reply"])),
    "odd_parts": _ok(envelope([{"type": "text", "text": None}])),
    "broken_off": _ok(envelope("The left lung sh", "error")),
    "bare_broken_off": _ok({"choices": [{"finish_reason": "error", "error": {"code": 502}}]}),
    "length": _ok(envelope("The left lung sh", "length")),
    "content_filter": _ok(envelope("The", "content_filter")),
    "refusal": _ok(envelope(None, refusal="I will not describe JANE DOE.")),
    "html": _raw("<html><body>Gateway of the hospital</body></html>", "text/html"),
    "broken_json": _raw('{"choices": [{"message": {"content": "The'),
    "deep_json": _raw("[" * 100_000),
    "wrong_envelope": _ok({"text": "a reply"}),
    "no_message": _ok({"choices": [{"text": "a reply"}]}),
    "surrogate": _raw('{"choices": [{"message": {"content": "half \\ud800"}}]}'),
    "megabyte": _raw(json.dumps(envelope("x" * MEGABYTE))),
    "error_400": _error(400, param="seed", code="unsupported_parameter"),
    "told_400": _error(400, type="JANE DOE", code=42, param="x" * 60),
    "filtered_400": _error(400, code="content_filter"),
    "error_413": _error(413),
    "too_long": _error(400, message="This model's maximum context length is 4096 tokens."),
    "in_200_400": _error(200, param="seed", code=400),
    "in_200_too_long": _error(200, code=400, message="This model's maximum context length is 4096 tokens."),
    "in_200_401": _error(200, code=401),
    "in_200_402": _error(200, code=402),
    "in_200_404": _error(200, code="404"),
    "in_200_429": _error(200, {"Retry-After": str(RETRY_AFTER_S)}, code="429"),
    "in_200_502": _error(200, code=502),
    "in_200_word": _error(200, code="something_went_wrong"),
    "in_200_no_status": _error(200, code=302),
    "in_200_text": _ok({"error": SECRET_ECHO}),
    "in_200_no_quota": _error(200, code="insufficient_quota"),
    "beside_502": _ok({**envelope("The left lung sh", None), "error": {"code": 502, "message": SECRET_ECHO}}),
    "beside_nothing": _ok({**envelope("a reply"), "error": {"code": 0, "message": ""}}),
    "error_401": _error(401, code="invalid_api_key"),
    "error_402": _error(402),
    "error_403": _error(403),
    "error_404": _error(404, code="model_not_found"),
    "no_quota": _error(429, code="insufficient_quota"),
    "error_408": _error(408),
    "error_500": _error(500),
    "error_502": _raw("<html>bad gateway</html>", "text/html"),
    "error_503": _error(503),
    "error_504": _error(504),
    "rate_limited": _error(429, {"Retry-After": str(RETRY_AFTER_S)}, code="rate_limit_exceeded"),
    "rate_limited_date": _rate_limited_date,
    "rate_limited_for_an_hour": _error(429, {"Retry-After": "3600"}),
    "rate_limited_bare": _error(429),
    "busy": _error(503, {"Retry-After": str(RETRY_AFTER_S)}),
    "bomb": lambda call: web.Response(body=_BOMB, headers={"Content-Encoding": "gzip"}),
    "redirect": lambda call: web.Response(status=307, headers={"Location": "/v1/elsewhere"}),
}
_STATUS = {"error_502": 502}


class _Server:
    def __init__(
        self, endpoint: Endpoint, script: Sequence[str] | None, delay_s: float, says: Says | None
    ) -> None:
        self._endpoint, self._script, self._delay_s, self._says = endpoint, script, delay_s, says
        self._long_ways: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
            "reset": self._reset,
            "cut": self._cut,
            "silence": self._silence,
            "slow_drip": self._slow_drip,
            "endless": self._endless,
            "claims_5_gib": self._claim,
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        seen = self._endpoint
        call = await request.json()
        turn = self._turn(call)
        seen.calls.append(call)
        seen.headers.append(dict(request.headers))
        seen.open_now += 1
        seen.in_flight = max(seen.in_flight, seen.open_now)
        try:
            await asyncio.sleep(self._delay_s)
            if turn in self._long_ways:
                return await self._long_ways[turn](request)
            if turn == "fine" and self._says is not None:
                return web.json_response(envelope(self._says(call)))
            response = _ANSWERS[turn](call)
            response.set_status(_STATUS.get(turn, response.status))
            return response
        finally:
            seen.open_now -= 1

    def _turn(self, call: dict[str, Any]) -> str:
        if self._script is not None:
            return self._script[min(len(self._endpoint.calls), len(self._script) - 1)]
        prompt = prompt_of(call)
        turns = [word for word in prompt.split() if word in _ANSWERS or word in self._long_ways] or ["fine"]
        self._endpoint.asked[prompt] += 1
        return turns[min(self._endpoint.asked[prompt], len(turns)) - 1]

    async def _reset(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _cut(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices": [')
        return await self._reset(request)

    async def _silence(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(PATIENCE_S)
        return web.Response()

    async def _slow_drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(int(PATIENCE_S / 0.05)):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async def _claim(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(5 << 30)})
        await response.prepare(request)
        return await self._silence(request)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" " * 65536)
            self._endpoint.bytes_sent += 65536
        return response

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        self._endpoint.asked["elsewhere"] += 1
        return web.json_response(envelope("stolen"))


@contextmanager
def scripted_endpoint(
    script: Sequence[str] | None = None, delay_s: float = 0.0, says: Says | None = None
) -> Iterator[Endpoint]:
    """The server in a thread of its own, for as long as the block runs."""
    endpoint, loop, started = Endpoint(), asyncio.new_event_loop(), threading.Event()
    server = _Server(endpoint, script, delay_s, says)

    async def serve(ended: asyncio.Event) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/chat/completions", server.answer)
        app.router.add_route("*", "/v1/elsewhere", server.elsewhere)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        endpoint.port = runner.addresses[0][1]
        started.set()
        await ended.wait()
        await runner.cleanup()

    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(ended)), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield endpoint
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


def refused_url() -> str:
    """An address on the loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
