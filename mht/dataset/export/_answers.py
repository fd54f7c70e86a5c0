"""What the formats share: which answers go out, and texts that no image marker may stand in."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mht.errors import InputError

_MARKERS = ("<image>", "<video>", "<audio>")


class SupervisedParams(BaseModel):
    """A format that holds the right answers alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VariantParams(BaseModel):
    """sft: questions with the right answer. dpo: the wrong answer beside it, for preference training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: Literal["sft", "dpo"] = "sft"


def texts(pair: dict[str, Any], *columns: str) -> list[str]:
    """The pair's texts. Raises InputError for one with an image marker in it, which a trainer would count."""
    found = [str(pair[column]) for column in columns]
    for column, text in zip(columns, found, strict=True):
        if any(marker in text for marker in _MARKERS):
            raise InputError(
                f"pair {pair['pair_id']} at export: its {column} holds one of {', '.join(_MARKERS)}, which this "
                "format takes for an image. Reject or edit the pair (mht review), or choose format=hf."
            )
    return found
