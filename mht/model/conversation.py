"""Examples as tokens: what all exchanges of an example begin with, once, and what each adds; labels on answers only.

The tokens of an exchange are those of its whole conversation in the model's chat template. What is learnt is each
answer up to the end of its turn; where the template writes no end behind the last answer, one is added, for a model
that never learns to end rambles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from mht.errors import InputError
from mht.model.examples import Example, Exchange, Turn
from mht.pretrained.chat import Chat, Unreadable


@dataclass(frozen=True, slots=True)
class Suffix:
    """What an exchange adds behind its example's prefix: tokens, and which of them are learnt.

    `rejected` marks an exchange with its wrong answer, for training by preference.
    """

    exchange_id: str
    ids: list[int]
    learnt: list[bool]
    weight: float
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """An example in tokens. `pixels` are tensors by the names of the model's arguments, one image's; empty without.

    No answer's token is in the prefix, and all of the image's are.
    """

    example_id: str
    prefix: list[int]
    suffixes: tuple[Suffix, ...]
    pixels: dict[str, Any]

    @property
    def tokens(self) -> int:
        """Tokens with the prefix counted once."""
        return len(self.prefix) + sum(len(suffix.ids) for suffix in self.suffixes)


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A conversation in tokens; `raw` has one for the image."""

    exchange: Exchange
    text: str
    raw: list[int]
    learnt: list[bool]
    end_added: bool
    rejected: bool


_BY_TOKEN = frozenset({"mm_token_type_ids", "token_type_ids"})
"""What a processor gives for each token of a whole text; the architecture makes it anew for what is packed."""


class Preparer:
    """Turns examples into tokens for one model. `ends` are the tokens that end a turn, `context` is in tokens.

    Raises InputError where there is no end.
    """

    def __init__(self, chat: Chat, ends: frozenset[int], context: int) -> None:
        if not ends:
            raise InputError(
                f"model {chat.tokenizer.name_or_path}: neither generation_config.json nor tokenizer_config.json nor "
                "config.json names a token that ends a reply; give generation_config.json its eos_token_id"
            )
        self._chat = chat
        self._ends = ends
        # The tokenizer's own, where the model has several.
        self._end = chat.tokenizer.eos_token_id if chat.tokenizer.eos_token_id in ends else min(ends)
        self._context = context

    def prepare(self, example: Example, rejected: bool = False) -> Prepared:
        """An example's tokens and pixels; with `rejected`, each exchange that has a wrong answer stands there twice.

        Raises InputError naming the exchange for a text that the model cannot be given, one that is over the context
        and an image that is none, and a template, a processor and a tokenizer that do not fit together.
        """
        self._refuse(example)
        spoken = [
            said for exchange in example.exchanges for said in self._spoken(example, exchange, rejected)
        ]
        seen, pixels = self._seen(example, spoken[0])
        length = _shared(spoken, 0 if seen is None else seen.first + seen.count)
        prefix = _expanded(spoken[0].raw[:length], seen)
        suffixes = tuple(
            Suffix(s.exchange.exchange_id, s.raw[length:], s.learnt[length:], s.exchange.weight, s.rejected)
            for s in spoken
        )
        for suffix in suffixes:
            if len(prefix) + len(suffix.ids) > self._context:
                raise InputError(
                    f"exchange {suffix.exchange_id}: {len(prefix) + len(suffix.ids)} tokens, and the model's context "
                    f"is {self._context}; shorten the text or take a smaller image"
                )
        return Prepared(example.example_id, prefix, suffixes, pixels)

    def _refuse(self, example: Example) -> None:
        if not example.exchanges:
            raise InputError(f"example {example.example_id} has no exchange; leave it out")
        if example.image is not None and not self._chat.reads_images:
            raise InputError(
                f"example {example.example_id} has an image and the model reads none; take a model that does"
            )
        for exchange in example.exchanges:
            texts = [text for turn in exchange.turns for text in (turn.question, turn.answer)]
            for text in [*texts, exchange.rejected or "", exchange.system or ""]:
                said = self._chat.refusal(text)
                if said is not None:
                    raise InputError(f"exchange {exchange.exchange_id}: {said}")
            if not all(turn.answer.strip() for turn in exchange.turns):
                raise InputError(f"exchange {exchange.exchange_id} has an empty answer; leave it out")

    def _spoken(self, example: Example, exchange: Exchange, rejected: bool) -> Iterator[_Spoken]:
        yield self._said(example, exchange, exchange.turns, False)
        if rejected and exchange.rejected is not None:
            wrong = (*exchange.turns[:-1], Turn(exchange.turns[-1].question, exchange.rejected))
            yield self._said(example, exchange, wrong, True)

    def _said(self, example: Example, exchange: Exchange, turns: Sequence[Turn], rejected: bool) -> _Spoken:
        text, spans = self._rendered(example.image is not None, turns, exchange)
        raw, learnt = self._labelled(text, spans)
        endless = not any(token in self._ends for token, own in zip(raw, learnt, strict=True) if own)
        if endless:
            raw, learnt = [*raw, self._end], [*learnt, True]
        return _Spoken(exchange, text, raw, learnt, endless, rejected)

    def _rendered(
        self, image: bool, turns: Sequence[Turn], exchange: Exchange
    ) -> tuple[str, list[tuple[int, int]]]:
        """(the whole text, where in it the answers stand, each with what the template writes behind it)."""
        if not self._chat.has_template:
            before = (exchange.system, self._chat.image_token if image else None)
            return _plain([line for line in before if line], turns)
        renders = list(self._renders(image, turns, exchange))
        whole = renders[-1][1]
        spans: list[tuple[int, int]] = []
        for turn, (asked, ended) in zip(turns, renders, strict=True):
            span = _span(whole, asked, ended, turn.answer.strip())
            if span is None:
                raise InputError(
                    f"exchange {exchange.exchange_id}: the model's chat template writes turn {len(spans) + 1} anew "
                    "once others follow, and its answer cannot be told from the rest; give the model a template that "
                    "writes every turn alike, or each turn as an exchange of its own"
                )
            spans.append(span)
        return whole, spans

    def _renders(self, image: bool, turns: Sequence[Turn], exchange: Exchange) -> Iterator[tuple[str, str]]:
        """Turn by turn: (the conversation as it asks for the answer, as it ends with that)."""
        messages: list[tuple[str, str]] = []
        for turn in turns:
            try:
                system = None if messages else exchange.system
                messages += self._chat.opening(system, turn.question, image)
                asked = self._chat.render(messages, image, reply=True)
                messages.append(("assistant", turn.answer))
                ended = self._chat.render(messages, image, reply=False)
            except TemplateError as error:
                raise InputError(
                    f"exchange {exchange.exchange_id}: the chat template refuses it: {error}"
                ) from error
            if not ended.startswith(asked):
                raise InputError(
                    "the model's chat template writes an answer otherwise than it asks for one; "
                    "give the model a template that continues its own prompt"
                )
            yield asked, ended

    def _labelled(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[list[int], list[bool]]:
        """Tokens of a text, and which of them lie in the spans.

        An answer begins where the tokens of what is before it end; where the tokenizer joins over that border, with
        the first token that begins behind it.
        """
        made = self._chat.tokenizer(
            text, add_special_tokens=self._chat.adds_special(text), return_offsets_mapping=True
        )
        raw, places = list(made["input_ids"]), made["offset_mapping"]
        learnt = [any(first <= place[0] < last for first, last in spans) for place in places]
        before = self._chat.tokens(text[: spans[0][0]])
        if raw[: len(before)] == before:
            learnt = [own and at >= len(before) for at, own in enumerate(learnt)]
            learnt[len(before)] = True
        return raw, learnt

    def _seen(self, example: Example, first: _Spoken) -> tuple[_Seen | None, dict[str, Any]]:
        """What stands for the image among the tokens, and its pixels."""
        if example.image is None:
            return None, {}
        try:
            rows, pixels = self._chat.process([first.text], [example.image])
        except Unreadable as error:
            raise InputError(
                f"example {example.example_id}: the image cannot be decoded: {error}; leave it out, or build a dataset "
                "of it with `mht build`, whose limits can be set"
            ) from None
        except (OSError, ValueError) as error:
            raise InputError(
                f"example {example.example_id}: the model's processor refuses the image: {error}; leave it out"
            ) from error
        pixels = {name: tensor for name, tensor in pixels.items() if name not in _BY_TOKEN}
        raw = first.raw[:-1] if first.end_added else first.raw
        return _difference(raw, rows[0], self._chat.image_id), pixels


@dataclass(frozen=True, slots=True)
class _Seen:
    """Tokens `first` to `first + count` of a raw text are what the processor writes as `ids`."""

    first: int
    count: int
    ids: list[int]


def _plain(before: Sequence[str], turns: Sequence[Turn]) -> tuple[str, list[tuple[int, int]]]:
    """Turns in lines behind those of `before`, for a model without a chat template."""
    text, spans = "".join(f"{line}\n" for line in before), []
    for turn in turns:
        text += f"{turn.question}\n"
        spans.append((len(text), len(text) + len(turn.answer)))
        text += f"{turn.answer}\n"
    return text.rstrip("\n"), spans


def _span(whole: str, asked: str, ended: str, answer: str) -> tuple[int, int] | None:
    """Where in the whole conversation an answer stands, with what the template writes behind it; None if unclear.

    A template may write the last answer otherwise, as Qwen3's, which puts an empty thought before that alone: `ended`,
    which ends with this one, is then no beginning of the whole. `asked` has to be.
    """
    if whole.startswith(ended):
        return len(asked), len(ended)
    at = len(whole) - len(whole[len(asked) :].lstrip())
    if not (whole.startswith(asked) and whole.startswith(answer, at)):
        return None
    # The answer and what is behind it end the one text as they stand in the other.
    lengths = range(len(answer), len(ended) - len(asked) + 1)
    found = next((n for n in lengths if ended.endswith(whole[at : at + n])), None)
    return None if found is None else (len(asked), at + found)


def _difference(raw: list[int], whole: list[int], mark: int) -> _Seen:
    """What the processor made of the one token of the image, and of tokens around it that it joined with that."""
    if raw.count(mark) != 1:
        raise InputError("the chat template has no place for an image; use a model that reads images")
    at = raw.index(mark)
    first = _alike(raw[:at], whole)
    behind = _alike(raw[:at:-1], whole[first:][::-1])
    return _Seen(first, len(raw) - behind - first, whole[first : len(whole) - behind])


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens the two begin with."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _shared(spoken: Sequence[_Spoken], least: int) -> int:
    """How many raw tokens all begin with, short of the first that is learnt. Raises InputError under `least`."""
    rows = [said.raw[: said.learnt.index(True)] for said in spoken]
    # What the first and the last in order have in common, all between have, too.
    length = _alike(min(rows), max(rows))
    if length < least:
        raise InputError(
            f"exchange {spoken[0].exchange.exchange_id}: the exchanges of its image differ in tokens before the "
            "image's end: the chat template writes words before it, or processor and tokenizer are of two models"
        )
    return length


def _expanded(raw: list[int], seen: _Seen | None) -> list[int]:
    return raw if seen is None else raw[: seen.first] + seen.ids + raw[seen.first + seen.count :]
