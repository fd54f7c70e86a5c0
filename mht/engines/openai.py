"""Any endpoint that speaks OpenAI's `/chat/completions`: a hosted service, `vllm serve`, `transformers serve`.

Each request is asked for by itself, `concurrency` at a time. What fails on the way is tried again (see
`mht.engines._patience`), what the endpoint says no to is not. The key is read from the environment where the engine
runs and stands in no error, log or repr; neither does an image, nor what the endpoint wrote beside its short codes.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mht.engines._address import is_loopback, key_of, url_fault
from mht.engines._answers import read
from mht.engines._batch import Batch
from mht.engines._chat import messages, unsendable
from mht.engines._extra_body import ExtraBody
from mht.engines._few_collections import few_collections
from mht.engines._ledger import Budget, Ledger
from mht.engines._patience import Patience, Trial
from mht.errors import BudgetSpent, ConfigError, EngineDenied, EngineStopped
from mht.generation import Failure, Reply, Request, Tell, silent

# So many requests refused and none taken yet: how they are asked is wrong, and the rest would go the same way.
_REFUSED_FIRST = 20


class Params(BaseModel):
    """Which endpoint, within which limits.

    `base_url` ends before `/chat/completions`. `revision` is a label of yours for what is served under the model's
    name, part of the fingerprint: change it when the weights change. `api_key_env` names the environment variable
    that holds the key; on loopback it may be unset. `phi_ok` states that images and captions may leave this machine.
    `connect_timeout_s`, `read_timeout_s` (between two pieces of an answer, so also up to its first) and
    `total_timeout_s` bound one try. `max_tries` ends a request that fails while others do not, `outage_limit_s` the run
    when all do. `max_calls` counts tries, `max_tokens` prompt and reply as the endpoint counts them; both are for one
    process, and what is in flight when tokens run out may still exceed them. `json_schema` says how a request's schema
    is passed on, `token_bound` what the endpoint calls the bound of a reply. Prices are per million tokens.
    `omit` names what of a request's draw is not sent, for an endpoint that refuses it: then it decides that itself.
    `extra_body` is sent beside what we set, for instance `{reasoning_effort: low}`; no secret belongs there.
    With `top_logprobs` so many likeliest first tokens are asked for, and yes and no, or letters, compared by them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str = Field(min_length=1)
    base_url: str = Field(min_length=1)
    revision: str | None = Field(default=None, min_length=1)
    api_key_env: str = Field(default="OPENAI_API_KEY", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    phi_ok: bool = False
    concurrency: int = Field(default=16, ge=1, le=1024)
    connect_timeout_s: float = Field(default=10, gt=0)
    read_timeout_s: float = Field(default=180, gt=0)
    total_timeout_s: float = Field(default=300, gt=0)
    max_tries: int = Field(default=8, ge=1)
    outage_limit_s: float = Field(default=300, ge=0)
    max_reply_bytes: int = Field(default=1_000_000, ge=1024)
    max_calls: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)
    json_schema: Literal["strict", "object", "none"] = "strict"
    token_bound: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    image_detail: Literal["low", "high", "auto"] | None = None
    omit: tuple[Literal["temperature", "top_p", "seed"], ...] = ()
    extra_body: ExtraBody = ExtraBody({})
    top_logprobs: int | None = Field(default=None, ge=2, le=20)


def check(params: Params) -> None:
    """Raises ConfigError for what can be told without a call: the address, the consent, the key."""
    fault = url_fault(params.base_url)
    if fault is not None:
        raise ConfigError(f"base_url {fault}")
    key = key_of(params.api_key_env)
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigError(
            f"the environment variable {params.api_key_env} holds no key: it has blanks or control signs"
        )
    if is_loopback(params.base_url):
        return
    if not params.phi_ok:
        raise ConfigError(
            f"{params.base_url} is not on loopback: set phi_ok: true to state that images and captions may go there"
        )
    if key is None:
        raise ConfigError(
            f"the environment variable {params.api_key_env} is not set: put the key for {params.base_url} in it, "
            "on every machine that runs the engine"
        )


def identity(params: Params) -> dict[str, Any]:
    """What decides the replies: the model, the label of what is served under its name, how it is asked.

    Not the address: the same model behind another port or proxy gives the same replies, and what was paid for is
    not paid for again. Whoever serves other weights under the same name says so in `revision`. For the same sake
    `omit`, `extra_body` and `top_logprobs` stand in it only where they are given: without them a run is named as before
    they existed.
    """
    adjusted = {
        "omit": sorted(set(params.omit)),
        "extra_body": params.extra_body.model_dump(),
        "top_logprobs": params.top_logprobs,
    }
    named = params.model_dump(include={"model", "revision", "json_schema", "image_detail"})
    return named | {key: value for key, value in adjusted.items() if value}


class Engine:
    """Asks the endpoint; not from a thread that runs an event loop, and one `generate` at a time.

    `clock` gives and `sleep` takes seconds, `rng` spreads the waits; tests pass their own.
    """

    def __init__(
        self,
        params: Params,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        import aiohttp

        from mht.engines._endpoint import Endpoint

        check(params)
        self._params = params
        timeout = aiohttp.ClientTimeout(
            total=params.total_timeout_s,
            sock_connect=params.connect_timeout_s,
            sock_read=params.read_timeout_s,
        )
        self._endpoint = Endpoint(
            params.base_url, key_of(params.api_key_env), timeout, params.max_reply_bytes
        )
        self._budget = Budget(params.max_calls, params.max_tokens, params.price_in, params.price_out)
        self._patience = Patience(
            params.base_url, params.max_tries, params.outage_limit_s, clock, sleep, rng or random.Random()
        )
        self._runner = asyncio.Runner()
        self._closed = False
        self._refused_first: int | None = 0
        self._compared: tuple[str, ...] = ()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections; a second time does nothing."""
        if not self._closed:
            self._closed = True
            self._runner.run(self._endpoint.close())
            self._runner.close()

    @property
    def ledger(self) -> Ledger:
        """What this engine has used so far."""
        return self._budget.ledger

    def generate(self, requests: Sequence[Request], tell: Tell = silent) -> list[Reply]:
        """A reply for each request, in their order.

        Raises EngineDenied when no request can succeed (at once for a key or a model, after 20 for a way of asking that
        the endpoint does not take), EngineOutage when none has for too long, BudgetSpent when a limit is used up: then
        requests in flight are finished first. Each holds the replies that were ready.
        """
        with few_collections():
            return self._runner.run(self._answer_all(requests, tell))

    @property
    def generate_weighed(self) -> Callable[..., Any] | None:
        """`generate`, with the answers' probabilities; None where the endpoint is not asked for any."""
        return None if self._params.top_logprobs is None else self._weighed

    def _weighed(
        self, requests: Sequence[Request], answers: Sequence[str] = ("Yes", "No"), tell: Tell = silent
    ) -> tuple[list[Reply], list[tuple[float, ...]]]:
        self._compared = tuple(answers)
        try:
            replies = self.generate(requests, tell)
        finally:
            self._compared = ()
        return replies, [reply.shares or () for reply in replies]

    async def _answer_all(self, requests: Sequence[Request], tell: Tell) -> list[Reply]:
        self._patience.begin()
        batch = Batch(requests, tell)
        workers = [
            asyncio.create_task(self._work(batch))
            for _ in range(min(self._params.concurrency, len(requests)))
        ]
        try:
            await asyncio.gather(*workers)
        except EngineStopped as stopped:
            stopped.replies = tuple(batch.ready())
            raise
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        replies = list(batch.ready())
        if len(replies) < len(requests):
            raise BudgetSpent(
                f"{self._params.model} at {self._params.base_url}: {self._budget.spent()} is used up, "
                f"{len(requests) - len(replies)} of {len(requests)} requests were not asked. Raise it to go on.",
                replies,
            )
        return replies

    async def _work(self, batch: Batch) -> None:
        """Takes requests off the batch till none is left, or till the budget is spent."""
        for place, request in batch.todo:
            reply = unsendable(request) or await self._answer(request, batch)
            if reply is None:
                return
            batch.keep(place, reply)

    async def _answer(self, request: Request, batch: Batch) -> Reply | None:
        """One request with all its tries; None when there is no call left for it."""
        payload, trial = self._payload(request), Trial()
        while True:
            await self._patience.ready()
            if not self._budget.take():
                return None
            answer = await self._endpoint.post(payload)
            if answer.denied is not None:
                self._budget.failed()
                raise self._denied(answer.detail, answer.denied.format(key=self._params.api_key_env))
            reply, answer = read(request, answer, trial.failures + 1, self._compared)
            self._budget.pay(reply)
            if answer.again:
                if answer.garbled:
                    self._refused(answer.detail, "check base_url")
                if not self._patience.goes_on(trial, answer, alone=batch.waiting == 1):
                    return reply
                batch.still_waits()
                await self._patience.pause(trial)
                continue
            self._patience.answered()
            if reply.failure is Failure.NOT_ACCEPTED:
                self._refused(reply.detail, "check the settings")
            else:
                self._refused_first = None
            return reply

    def _refused(self, detail: str, remedy: str) -> None:
        """Raises EngineDenied when nothing but refusals has come."""
        if self._refused_first is not None:
            self._refused_first += 1
            if self._refused_first >= _REFUSED_FIRST:
                raise self._denied(detail, f"it took none of the first {_REFUSED_FIRST} calls; {remedy}")

    def _denied(self, detail: str, remedy: str) -> EngineDenied:
        return EngineDenied(f"{self._params.model} at {self._params.base_url}: {detail}: {remedy}.")

    def _payload(self, request: Request) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": self._params.model,
            "messages": messages(request, self._params.image_detail),
            self._params.token_bound: request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
        }
        if request.schema is not None and self._params.json_schema == "object":
            payload["response_format"] = {"type": "json_object"}
        if request.schema is not None and self._params.json_schema == "strict":
            schema = {"name": "reply", "strict": True, "schema": dict(request.schema)}
            payload["response_format"] = {"type": "json_schema", "json_schema": schema}
        if self._compared:
            payload |= {"logprobs": True, "top_logprobs": self._params.top_logprobs}
        for name in self._params.omit:
            payload.pop(name, None)
        return payload | self._params.extra_body.root
