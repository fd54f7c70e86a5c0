"""What an engine has used, and how much it may use."""

from __future__ import annotations

from dataclasses import dataclass, replace

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

    def __post_init__(self) -> None:
        self.ledger = self._priced(Ledger())

    def spent(self) -> str | None:
        """The limit that is used up, as `key = value`."""
        if self.max_calls is not None and self.ledger.calls >= self.max_calls:
            return f"max_calls = {self.max_calls}"
        used = self.ledger.prompt_tokens + self.ledger.tokens
        if self.max_tokens is not None and used >= self.max_tokens:
            return f"max_tokens = {self.max_tokens}"
        return None

    def take(self) -> bool:
        """One more call, when there is one left."""
        if self.spent() is not None:
            return False
        self.ledger = replace(self.ledger, calls=self.ledger.calls + 1)
        return True

    def failed(self) -> None:
        """The last call brought nothing."""
        self.ledger = replace(self.ledger, failed=self.ledger.failed + 1)

    def pay(self, reply: Reply) -> None:
        """Adds a reply's tokens. Raises ConfigError when tokens are limited and the endpoint does not count them."""
        counted = reply.prompt_tokens + reply.tokens
        if self.max_tokens is not None and reply.text is not None and not counted:
            raise ConfigError(
                "max_tokens cannot be held: the endpoint reports no usage. Set max_calls instead."
            )
        entry = replace(
            self.ledger,
            failed=self.ledger.failed + (reply.failure is not None),
            prompt_tokens=self.ledger.prompt_tokens + reply.prompt_tokens,
            tokens=self.ledger.tokens + reply.tokens,
        )
        self.ledger = self._priced(entry)

    def _priced(self, ledger: Ledger) -> Ledger:
        if self.price_in is None or self.price_out is None:
            return ledger
        money = (ledger.prompt_tokens * self.price_in + ledger.tokens * self.price_out) / 1e6
        return replace(ledger, money=money)
