"""How likely answers are by the tokens that an endpoint would have begun its reply with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def shares(envelope: Any, answers: Sequence[str]) -> tuple[float, ...]:
    """The answers' probabilities as a reply's first token, of each other; none where no answer is among those told.

    Spellings of a word are added up; letters are told apart from words by their case. Of an answer that is not among
    them it is only known that it is no likelier than the last: it is taken for as likely.
    """
    told = _first(envelope)
    found = [sum(likely for token, likely in told if _is(answer, token)) for answer in answers]
    if not any(found):
        return ()
    least = min(likely for _, likely in told)
    bounded = [likely or least for likely in found]
    return tuple(likely / sum(bounded) for likely in bounded)


def _is(answer: str, token: str) -> bool:
    token = token.strip()
    return token == answer if len(answer) == 1 else token.casefold() == answer.strip().casefold()


def _first(envelope: Any) -> list[tuple[str, float]]:
    """(token, probability) of those that could have come first; none where the endpoint does not tell them."""
    try:
        told = envelope["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        return [(str(one["token"]), math.exp(float(one["logprob"]))) for one in told]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return []
