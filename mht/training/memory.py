"""A device whose memory is full, told with the place and with what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mht.errors import MhtError

LOADING = "Free the device of other work, give more workers, or take a smaller model or method=lora"
STEPPING = "Lower run.batch_tokens, give run.activation_checkpointing=true, or more workers"
VALIDATING = "Lower run.batch_tokens, give validation.answers=0, or more workers"


@contextmanager
def remedied(place: str, remedy: str) -> Iterator[None]:
    """Raises MhtError in the place of torch's OutOfMemoryError."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        first, *_ = str(error).split("\n")
        raise MhtError(f"{place}: out of memory. {remedy}: {first}") from error
