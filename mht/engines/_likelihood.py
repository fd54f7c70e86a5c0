"""How likely a model finds given answers: the probability of each among them, the answers' tokens read after a prompt.

What prompts begin with is computed once here, too, and a prompt once for all its answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from mht.engines._flights import Ended, Way
from mht.engines._model import Loaded
from mht.engines._prompts import Group, Pixels, Prompt
from mht.engines._replies import growing
from mht.engines._shared import BY_TOKEN, Flight, Seated, Shared, decode
from mht.generation import Failure

Endings = tuple[tuple[int, ...], ...]
"""The tokens of each answer, in the answers' order."""


@dataclass(frozen=True, slots=True)
class Weighed(Ended):
    """A prompt with the log-probability of each answer behind it, and with its own reply where it was asked for one."""

    logs: tuple[float, ...] = ()

    @property
    def spoilt(self) -> bool:
        return self.failure is Failure.NOT_FINITE or not all(map(math.isfinite, self.logs))

    def shares(self) -> tuple[float, ...] | Failure:
        """The answers' probabilities, normalised over them."""
        if not all(map(math.isfinite, self.logs)):
            return Failure.NOT_FINITE
        most = max(self.logs)
        parts = [math.exp(log - most) for log in self.logs]
        return tuple(part / sum(parts) for part in parts)


def weighing(loaded: Loaded, endings: Mapping[int, Endings]) -> Way:
    """The way of a model to weigh each prompt's answers, which `endings` has by the prompt's place."""
    return _SharedWay(loaded, endings) if loaded.shares else _PlainWay(loaded, endings)


def _room(loaded: Loaded, prompt: Prompt, endings: Endings) -> bool:
    return len(prompt.ids) + max(map(len, endings)) <= loaded.context


class _SharedWay:
    """The way of architectures whose shared beginnings are tested."""

    def __init__(self, loaded: Loaded, endings: Mapping[int, Endings]) -> None:
        self._loaded = loaded
        self._shared = Shared(loaded)
        self._endings = endings

    def start(self, groups: Sequence[Group]) -> _Weighing:
        return _Weighing(self._loaded, self._shared.start(groups), self._endings)


class _Weighing:
    """A flight whose prompts are weighed, not answered."""

    def __init__(self, loaded: Loaded, flight: Flight, endings: Mapping[int, Endings]) -> None:
        self.rows = [p for p in flight.rows if _room(loaded, p, endings[p.place])]
        self.over = [*flight.over, *(p for p in flight.rows if not _room(loaded, p, endings[p.place]))]
        self._flight = flight
        self._endings = endings

    def together(self, rows: Sequence[Prompt], most: int) -> int:
        return self._flight.together(rows, most)

    def finish(self, rows: Sequence[Prompt]) -> list[Ended]:
        return self._flight.finite(rows, lambda beside: self._weighed(rows, beside))

    def _weighed(self, rows: Sequence[Prompt], beside: bool) -> list[Ended]:
        endings = [self._endings[prompt.place] for prompt in rows]
        new = max(len(ending) for of in endings for ending in of)
        with torch.inference_mode():
            logs = _read_on(self._flight.seated(rows, new, beside), endings)
        return [Weighed(prompt, logs=tuple(of)) for prompt, of in zip(rows, logs, strict=True)]


class Telling:
    """Prompts that are weighed and answered at once, where beginnings are shared."""

    def __init__(self, loaded: Loaded, endings: Mapping[int, Endings]) -> None:
        self._loaded = loaded
        self._shared = Shared(loaded)
        self._endings = endings

    def start(self, groups: Sequence[Group]) -> _Told:
        return _Told(self._loaded, self._shared.start(groups), self._endings)


class _Told:
    """A flight whose prompts are weighed by what they gave, before they are answered."""

    def __init__(self, loaded: Loaded, flight: Flight, endings: Mapping[int, Endings]) -> None:
        self.rows = flight.rows
        self.over = flight.over
        self._loaded = loaded
        self._flight = flight
        self._endings = endings

    def together(self, rows: Sequence[Prompt], most: int) -> int:
        return self._flight.together(rows, most)

    def finish(self, rows: Sequence[Prompt]) -> list[Ended]:
        return self._flight.finite(rows, lambda beside: self._told(rows, beside))

    def _told(self, rows: Sequence[Prompt], beside: bool) -> list[Ended]:
        endings = [self._endings[prompt.place] for prompt in rows]
        longest = max(len(ending) for of in endings for ending in of)
        replies = growing(rows, self._loaded)
        with torch.inference_mode():
            seats = self._flight.seated(rows, max(reply.most for reply in replies), beside)
            # Answers of one token are told by the seats as they are; longer ones are read on, on seats of their own.
            others = seats if longest == 1 else self._flight.seated(rows, longest, beside)
            logs = _read_on(others, endings)
            decode(seats, replies)
        return [
            Weighed(reply.prompt, reply.tokens, reply.failure, tuple(of))
            for reply, of in zip(replies, logs, strict=True)
        ]


def _read_on(rows: Seated, endings: Sequence[Endings]) -> list[list[float]]:
    """The log-probability of each row's endings. All first tokens are told by what the prompts gave."""
    logs = [[0.0] * len(of) for of in endings]
    going = [(row, which) for row, of in enumerate(endings) for which in range(len(of))]
    seats = [row for row, _ in going]
    at = 0
    while True:
        table = torch.log_softmax(rows.logits.float(), -1)
        tokens = [endings[row][which][at] for row, which in going]
        told = table[torch.tensor(seats), torch.tensor(tokens)].tolist()
        for (row, which), log in zip(going, told, strict=True):
            logs[row][which] += log
        at += 1
        more = [i for i, (row, which) in enumerate(going) if len(endings[row][which]) > at]
        if not more:
            return logs
        rows.keep([seats[i] for i in more])
        rows.feed([tokens[i] for i in more])
        going, seats = [going[i] for i in more], list(range(len(more)))


class _PlainWay:
    """Each prompt with each answer by itself, for architectures without a test of shared beginnings."""

    def __init__(self, loaded: Loaded, endings: Mapping[int, Endings]) -> None:
        self._loaded = loaded
        self._endings = endings

    def start(self, groups: Sequence[Group]) -> _Apart:
        return _Apart(self._loaded, [prompt for group in groups for prompt in group], self._endings)


class _Apart:
    """Prompts that share nothing."""

    def __init__(self, loaded: Loaded, prompts: Sequence[Prompt], endings: Mapping[int, Endings]) -> None:
        self._loaded = loaded
        self._endings = endings
        self._pixels: dict[int, Pixels] = {}
        self.rows: list[Prompt] = []
        self.over: list[Prompt] = []
        for prompt in prompts:
            made = loaded.reader.expand([[prompt]], loaded.context)
            fits = made.groups and _room(loaded, prompt, endings[prompt.place])
            (self.rows if fits else self.over).append(prompt)
            self._pixels[prompt.place] = made.pixels

    def together(self, rows: Sequence[Prompt], most: int) -> int:
        return most

    def finish(self, rows: Sequence[Prompt]) -> list[Ended]:
        return [self._weighed(prompt) for prompt in rows]

    def _weighed(self, prompt: Prompt) -> Ended:
        loaded = self._loaded
        pixels = {name: loaded.placed(tensor) for name, tensor in self._pixels[prompt.place].items()}
        logs = (_whole(loaded, prompt, ending, pixels) for ending in self._endings[prompt.place])
        return Weighed(prompt, logs=tuple(logs))


def _whole(
    loaded: Loaded, prompt: Prompt, ending: tuple[int, ...], pixels: Mapping[str, torch.Tensor]
) -> float:
    """The log-probability of an ending, by one pass over all tokens."""
    ids = torch.tensor([[*prompt.ids, *ending]], device=loaded.device)
    more = {
        name: torch.cat([tensor, tensor.new_zeros((1, len(ending)))], 1)
        for name, tensor in pixels.items()
        if name in BY_TOKEN
    }
    with torch.inference_mode():
        made = loaded.model(input_ids=ids, attention_mask=torch.ones_like(ids), **{**pixels, **more})
    table = torch.log_softmax(made.logits[0, -len(ending) - 1 : -1].float(), -1)
    return float(table[torch.arange(len(ending)), torch.tensor(ending)].sum())
