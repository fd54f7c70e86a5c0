"""How the stages ask: a function from requests to replies. An engine behind it, or a fake in a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mht.generation import Reply, Request

Generate = Callable[[Sequence[Request]], Sequence[Reply]]
"""A reply for each request, in their order."""
