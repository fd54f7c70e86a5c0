"""What a call to an endpoint holds beside what we set in it."""

from __future__ import annotations

import json

from pydantic import ConfigDict, JsonValue, RootModel, field_validator

# What a request or another setting decides, under either name of the bound; and two that would change what comes back.
_OURS = (
    "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "response_format",
    "stream", "n", "logprobs", "top_logprobs",
)  # fmt: skip


class ExtraBody(RootModel[dict[str, JsonValue]]):
    """Plain JSON by names that are not ours. Can be hashed, as the settings that hold it."""

    model_config = ConfigDict(frozen=True)

    def __hash__(self) -> int:
        return hash(frozenset(self.root))

    @field_validator("root")
    @classmethod
    def _not_ours(cls, given: dict[str, JsonValue]) -> dict[str, JsonValue]:
        ours = [name for name in given if name in _OURS]
        if ours:
            raise ValueError(
                f"{', '.join(ours)} cannot be set here: the requests and other settings decide it. Take it out; omit "
                "leaves temperature, top_p or seed unsent, token_bound names the bound, json_schema chooses the format"
            )
        return given

    @field_validator("root")
    @classmethod
    def _plain(cls, given: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            json.dumps(given, allow_nan=False)
        except ValueError:
            raise ValueError("a number that JSON cannot hold (inf or nan). Write another one") from None
        return given
