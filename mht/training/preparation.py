"""Examples into a model's tokens and pixels, in any process: what is needed for it travels as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from mht.config_train import ModelConfig
from mht.model.conversation import Prepared, Preparer
from mht.model.examples import Example
from mht.pretrained import loading
from mht.pretrained.chat import Chat


@dataclass(frozen=True, slots=True)
class Speech:
    """How one model is spoken to. `model` and `revision` as the configuration has them; a hub's files are cached.

    `ends` are the tokens that end a turn, `context` is in tokens, `rejected` adds wrong answers.
    """

    model: str
    revision: str | None
    trust_remote_code: bool
    ends: frozenset[int]
    context: int
    rejected: bool

    def chat(self) -> Chat:
        """The tokenizer and processor. Raises as `mht.pretrained.loading` does."""
        from transformers import AutoConfig

        folder = loading.folder_of(self.model, self.revision, self.trust_remote_code)
        config = AutoConfig.from_pretrained(folder, trust_remote_code=self.trust_remote_code)
        return Chat(*loading.reader_in(folder, SimpleNamespace(config=config), self.trust_remote_code))


class Tokeniser:
    """Prepares the examples of one job after another."""

    def __init__(self, speech: Speech, chat: Chat | None = None) -> None:
        self._rejected = speech.rejected
        self._preparer = Preparer(chat or speech.chat(), speech.ends, speech.context)

    def prepare(self, examples: Sequence[Example]) -> list[Prepared]:
        """Raises InputError naming the exchange for what cannot be learnt."""
        return [self._preparer.prepare(example, self._rejected) for example in examples]


def speech_of(model: Any, given: ModelConfig, tokenizer: Any, rejected: bool) -> Speech:
    """How a loaded model is spoken to; `given` is the configuration of it."""
    return Speech(
        given.path,
        given.revision,
        given.trust_remote_code,
        loading.ends_of(model, tokenizer),
        loading.context_of(model.config),
        rejected,
    )
