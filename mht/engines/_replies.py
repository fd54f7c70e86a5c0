"""A reply as it grows, token by token, until it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mht.engines._draws import NOT_FINITE
from mht.engines._flights import Ended
from mht.engines._model import Loaded
from mht.engines._prompts import Prompt
from mht.generation import Failure


def most(prompt: Prompt, context: int) -> int:
    """The bound of a reply in tokens: what was asked for, or what the context leaves."""
    return min(prompt.request.max_tokens, context - len(prompt.ids))


@dataclass(slots=True)
class Growing:
    """A reply of at most `most` tokens; one of `ends` ends it and is not part of it."""

    prompt: Prompt
    most: int
    ends: frozenset[int]
    tokens: list[int] = field(default_factory=list)
    failure: Failure | None = None
    done: bool = False

    def take(self, token: int) -> None:
        """The next token; one after the end is no matter."""
        if self.done:
            return
        if token == NOT_FINITE:
            self.failure = Failure.NOT_FINITE
        elif token not in self.ends:
            self.tokens.append(token)
            if len(self.tokens) < self.most:
                return
            self.failure = Failure.CUT_SHORT
        self.done = True

    def ended(self) -> Ended:
        return Ended(self.prompt, self.tokens, self.failure)


def growing(prompts: Sequence[Prompt], loaded: Loaded) -> list[Growing]:
    """A reply of no tokens yet for each prompt."""
    return [Growing(prompt, most(prompt, loaded.context), loaded.ends) for prompt in prompts]
