"""What is learnt: an image and the exchanges about it, each on its own.

Exchanges of one example share the image and never see each other; turns of one exchange follow each other.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and the answer to learn."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A conversation about the example's image; only its answers are learnt.

    `weight` multiplies the loss of its tokens. `rejected` is a wrong answer to the last question, for training by
    preference; None where there is none. `system` is what the model is told before the first question.
    """

    exchange_id: str
    turns: tuple[Turn, ...]
    rejected: str | None = None
    weight: float = 1.0
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """An image, as an encoded JPEG or PNG file, and what is asked about it; None for exchanges without an image."""

    example_id: str
    image: bytes | None
    exchanges: tuple[Exchange, ...]
