"""What an engine has used, and how much it may use."""

from __future__ import annotations

from dataclasses import dataclass

from mht.errors import ConfigError
from mht.generation import Reply


@dataclass(frozen=True, slots=True)
class Ledger:
    """An engine's use so far: tries, those of them that failed, the endpoint's counts of tokens, and their price.

    `money` is in the currency of the prices, None where one is not given.
    """

    calls: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    money: float | None = None


@dataclass
class Budget:
    """Keeps the ledger, and says when it is full. Prices are per million tokens."""

    max_calls: int | None = None
    max_tokens: int | None = None
    price_in: float | None = None
    price_out: float | None = None
    _calls: int = 0
    _failed: int = 0
    _prompt_tokens: int = 0
    _tokens: int = 0

    @property
    def ledger(self) -> Ledger:
        return Ledger(self._calls, self._failed, self._prompt_tokens, self._tokens, self._money)

    def spent(self) -> str | None:
        """The limit that is used up, as `key = value`."""
        if self.max_calls is not None and self._calls >= self.max_calls:
            return f"max_calls = {self.max_calls}"
        if self.max_tokens is not None and self._prompt_tokens + self._tokens >= self.max_tokens:
            return f"max_tokens = {self.max_tokens}"
        return None

    def take(self) -> bool:
        """One more call, when there is one left."""
        if self.spent() is not None:
            return False
        self._calls += 1
        return True

    def failed(self) -> None:
        """The last call brought nothing."""
        self._failed += 1

    def pay(self, reply: Reply) -> None:
        """Adds a reply's tokens. Raises ConfigError when tokens are limited and the endpoint does not count them."""
        counted = reply.prompt_tokens + reply.tokens
        if self.max_tokens is not None and reply.text is not None and not counted:
            raise ConfigError(
                "max_tokens cannot be held: the endpoint reports no usage. Set max_calls instead."
            )
        self._failed += reply.failure is not None
        self._prompt_tokens += reply.prompt_tokens
        self._tokens += reply.tokens

    @property
    def _money(self) -> float | None:
        if self.price_in is None or self.price_out is None:
            return None
        return (self._prompt_tokens * self.price_in + self._tokens * self.price_out) / 1e6
