"""Examples into a model's tokens and pixels, in any process: what is needed for it travels as plain data."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mht.config_train import ModelConfig
from mht.errors import InputError
from mht.model.conversation import Prepared, Preparer
from mht.model.examples import Example, Exchange
from mht.pretrained import loading
from mht.pretrained.chat import Chat


@dataclass(frozen=True, slots=True)
class Speech:
    """How one model is spoken to. `model` and `revision` as the configuration has them; a hub's files are cached.

    `ends` are the tokens that end a turn, `context` is in tokens, `rejected` adds wrong answers. `left_out` are the
    ids of exchanges that are not said.
    """

    model: str
    revision: str | None
    trust_remote_code: bool
    ends: frozenset[int]
    context: int
    rejected: bool
    left_out: frozenset[str] = frozenset()

    def chat(self) -> Chat:
        """The tokenizer and processor. Raises as `mht.pretrained.loading` does."""
        folder = loading.folder_of(self.model, self.revision, self.trust_remote_code)
        return Chat(
            *loading.reader_in(folder, described(folder, self.trust_remote_code), self.trust_remote_code)
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of an example: how many exchanges it has, and those that cannot be learnt, each with the reason.

    `rejected` is how many of the others have a wrong answer.
    """

    example_id: str
    exchanges: int
    unlearnable: tuple[tuple[str, str], ...]
    rejected: int


class Tokeniser:
    """Prepares the examples of one job after another."""

    def __init__(self, speech: Speech, chat: Chat | None = None) -> None:
        self._rejected = speech.rejected
        self._left_out = speech.left_out
        self._preparer = Preparer(chat or speech.chat(), speech.ends, speech.context)

    def work(self, examples: Sequence[Example], whole: bool) -> list[Prepared] | list[Verdict]:
        """What is made of a job's examples: of a whole one, which of its exchanges cannot be learnt."""
        return self.check(examples) if whole else self.prepare(examples)

    def prepare(self, examples: Sequence[Example]) -> list[Prepared]:
        """Raises InputError naming the exchange for what cannot be learnt."""
        return [self._preparer.prepare(one, self._rejected) for one in without(examples, self._left_out)]

    def check(self, examples: Sequence[Example]) -> list[Verdict]:
        """Which exchanges of each example cannot be learnt. Raises InputError where they cannot be together only."""
        return [self._verdict(example) for example in examples]

    def _verdict(self, example: Example) -> Verdict:
        try:
            self._preparer.prepare(example, self._rejected)
        except InputError:
            found = [(one.exchange_id, self._reason(example, one)) for one in example.exchanges]
            bad = tuple((name, reason) for name, reason in found if reason is not None)
            if not bad:
                raise
            return _verdict(example, bad)
        return _verdict(example, ())

    def _reason(self, example: Example, exchange: Exchange) -> str | None:
        try:
            self._preparer.prepare(replace(example, exchanges=(exchange,)), self._rejected)
        except InputError as error:
            return str(error)
        return None


def _verdict(example: Example, bad: tuple[tuple[str, str], ...]) -> Verdict:
    names = {name for name, _ in bad}
    paired = [x for x in example.exchanges if x.rejected is not None and x.exchange_id not in names]
    return Verdict(example.example_id, len(example.exchanges), bad, len(paired))


def without(examples: Sequence[Example], left_out: Container[str]) -> list[Example]:
    """The examples without these exchanges; one that has no other is left out."""
    kept = [
        replace(example, exchanges=tuple(x for x in example.exchanges if x.exchange_id not in left_out))
        for example in examples
    ]
    return [example for example in kept if example.exchanges]


def speech_in(given: ModelConfig, rejected: bool) -> Speech:
    """How a model is spoken to, by its folder alone: before its weights are read."""
    folder = loading.folder_of(given.path, given.revision, given.trust_remote_code)
    model = described(folder, given.trust_remote_code)
    tokenizer, _ = loading.reader_in(folder, model, given.trust_remote_code)
    return speech_of(model, given, tokenizer, rejected)


def described(folder: Path, trust_remote_code: bool) -> Any:
    """What a model's settings say of it, in the place of the model; no weights are read."""
    from transformers import AutoConfig, GenerationConfig

    config = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    try:
        generation = GenerationConfig.from_pretrained(folder)
    except OSError:  # it has none of its own
        generation = GenerationConfig.from_model_config(config)
    return SimpleNamespace(config=config, generation_config=generation)


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
