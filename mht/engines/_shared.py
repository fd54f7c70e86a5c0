"""Decoding where what prompts begin with is computed once: the keys and values of an image serve all its questions.

Rows of few beginnings are read on beside each other (see `_beside`), others as rows of a batch, each with a copy of its
beginning. Columns of a batch: the beginnings, padded on the left, then the rests, padded on the left, then the replies.
What is padding is masked, and a token's position counts what is before it in its own row, so that a row computes what
it would compute alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from transformers import Cache, DynamicCache

from mht.engines._beside import Beside
from mht.engines._cache import seated
from mht.engines._draws import Draws
from mht.engines._flights import Ended
from mht.engines._model import Begun, Loaded
from mht.engines._prompts import Group, Prompt
from mht.engines._replies import Growing, growing

_FEW = 3
"""So many rows a beginning, and they are read on beside each other; with fewer, copies are as fast."""
Seat = tuple[int, int]
"""Of a prompt: the row of its beginning, and how many tokens that has."""

BY_TOKEN = {"mm_token_type_ids", "token_type_ids"}
"""What a processor gives for each token of a whole prompt; beginnings are shorter."""


class Seated(Protocol):
    """Rows that are read on together; `logits` are of what comes next in each.

    `feed` gives one further token to each, `keep` goes on with some of them, of which one may be taken twice;
    `drops_at_once`: to go on without a row costs nothing.
    """

    logits: torch.Tensor
    drops_at_once: bool

    def feed(self, tokens: Sequence[int]) -> None: ...

    def keep(self, rows: Sequence[int]) -> None: ...


class Shared:
    """The way of architectures whose parity with separate calls is tested."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def start(self, groups: Sequence[Group]) -> Flight:
        loaded = self._loaded
        made = loaded.reader.expand(groups, loaded.context)
        lengths = [
            _shared_length(group, len(made.groups) == sum(map(len, made.groups))) for group in made.groups
        ]
        if not made.groups:
            return Flight(loaded, [], made.over, {}, None)
        ids, real = loaded.padded([g[0].ids[:n] for g, n in zip(made.groups, lengths, strict=True)])
        with torch.inference_mode():
            pixels = {n: loaded.placed(t) for n, t in made.pixels.items() if n not in BY_TOKEN}
            positions, following = loaded.positions(ids, real, pixels)
            cache = DynamicCache()
            mask = loaded.sight.beginnings(ids, _causal(real, ids.shape[1]))
            at = _places(real)
            logits = loaded.forward(ids, loaded.sight.by_layer(mask, at, at), positions, cache, pixels)
        begun = Begun([(layer.keys, layer.values) for layer in cache.layers], real, following, logits)
        seats = {prompt.place: (row, n) for row, n in enumerate(lengths) for prompt in made.groups[row]}
        return Flight(loaded, _in_order(made.groups, seats), made.over, seats, begun)


def _in_order(groups: Sequence[Group], seats: Mapping[int, Seat]) -> list[Prompt]:
    """An image's prompts side by side, then those that share with none, the shortest rests first."""
    shared = [prompt for group in groups if len(group) > 1 for prompt in group]
    alone = [group[0] for group in groups if len(group) == 1]
    return [*shared, *sorted(alone, key=lambda p: len(p.ids) - seats[p.place][1])]


class Flight:
    """Prompts whose beginnings are computed. `seats` has of each prompt its row among them and their length."""

    def __init__(
        self,
        loaded: Loaded,
        rows: list[Prompt],
        over: list[Prompt],
        seats: Mapping[int, Seat],
        begun: Begun | None,
    ) -> None:
        self.rows = rows
        self.over = over
        self._loaded = loaded
        self._seats = seats
        self._begun = begun

    def together(self, rows: Sequence[Prompt], most: int) -> int:
        """Beside each other they hold an image once, and twice as many take less memory than rows of their own."""
        wide = rows[: 2 * most]
        return len(wide) if most > 1 and self._may_sit_beside(wide) else most

    def finish(self, rows: Sequence[Prompt]) -> list[Ended]:
        return self.finite(rows, lambda beside: self._finished(rows, beside))

    def _finished(self, rows: Sequence[Prompt], beside: bool) -> list[Ended]:
        replies = growing(rows, self._loaded)
        with torch.inference_mode():
            decode(self.seated(rows, max(reply.most for reply in replies), beside), replies)
        return [reply.ended() for reply in replies]

    def finite(self, rows: Sequence[Prompt], finish: Callable[[bool], list[Ended]]) -> list[Ended]:
        """What `finish` makes of the rows, told whether to read them beside each other.

        Where one is not finite then, they are read again as rows of their own: it may have spoilt the others.
        """
        beside = self._may_sit_beside(rows)
        ended = finish(beside)
        if beside and any(one.spoilt for one in ended):
            ended = finish(False)
        return ended

    def _may_sit_beside(self, rows: Sequence[Prompt]) -> bool:
        return _FEW * len({self._seats[prompt.place][0] for prompt in rows}) <= len(rows)

    def seated(self, rows: Sequence[Prompt], new: int, beside: bool) -> Seated:
        """The prompts read to their ends, with room for so many further tokens."""
        assert self._begun is not None
        seats = [self._seats[prompt.place] for prompt in rows]
        if beside:
            return Beside(self._loaded, self._begun, seats, rows)
        return Rows(self._loaded, self._begun, seats, rows, new)


def _shared_length(group: Group, no_rests: bool) -> int:
    """How many tokens all prompts of the group begin with, short of a whole prompt.

    A whole prompt only where no prompt of the flight has a rest to compute: its own logits are the first to draw from.
    """
    if no_rests:
        return len(group[0].ids)
    # What the first and the last in order have in common, all between have, too.
    low, high = min(p.ids for p in group), max(p.ids for p in group)
    alike = next((n for n, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    return min(alike, min(len(p.ids) for p in group) - 1)


def _causal(real: torch.Tensor, queries: int) -> torch.Tensor | None:
    """What each of the last `queries` columns sees, as [rows, 1, queries, columns]; None where it is simply causal.

    A padding column sees itself, so that no softmax is over nothing.
    """
    columns = real.shape[1]
    if queries in (1, columns) and bool(real.all()):
        return None
    at = torch.arange(columns, device=real.device)
    asking = at[columns - queries :, None]
    return ((real[:, None] & (at <= asking)) | (at == asking))[:, None]


def _places(real: torch.Tensor) -> torch.Tensor:
    """Of each column how many tokens of its row stand before it."""
    return real.cumsum(1) - 1


class Rows:
    """Rows that are read on together: what each has read, and the logits of what comes next."""

    drops_at_once = False

    def __init__(
        self,
        loaded: Loaded,
        begun: Begun,
        seats: Sequence[Seat],
        prompts: Sequence[Prompt],
        new: int,
    ) -> None:
        """`new` tokens are the most that will be fed to a row."""
        self._loaded = loaded
        at = torch.tensor([row for row, _ in seats], device=loaded.device)
        # Columns that are padding in all of these rows stay behind.
        skip = begun.real.shape[1] - max(n for _, n in seats)
        rests = [prompt.ids[n:] for prompt, (_, n) in zip(prompts, seats, strict=True)]
        capacity = begun.real.shape[1] - skip + max(map(len, rests)) + new
        layers = [(keys[:, :, skip:], values[:, :, skip:]) for keys, values in begun.layers]
        self._cache: Cache = seated(layers, at, capacity)
        self._real = begun.real[at, skip:]
        self._next = begun.next[at]
        self.logits = begun.logits[at]
        if any(rests):
            ids, real = loaded.padded(rests)
            self._read(ids, real, _causal(torch.cat([self._real, real], 1), ids.shape[1]))
        # Asked once: each look at a tensor's values makes the GPU wait.
        self._holes = not bool(self._real.all())

    def feed(self, tokens: Sequence[int]) -> None:
        """One further token a row."""
        ids = torch.tensor(tokens, device=self._loaded.device)[:, None]
        real = torch.ones_like(ids, dtype=torch.bool)
        self._read(ids, real, torch.cat([self._real, real], 1)[:, None, None] if self._holes else None)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order; a row may be taken twice."""
        at = torch.tensor(rows, device=self._loaded.device)
        self._cache.batch_select_indices(at)
        self._real, self._next, self.logits = self._real[at], self._next[at], self.logits[at]

    def _read(self, ids: torch.Tensor, real: torch.Tensor, mask: torch.Tensor | None) -> None:
        self._real = torch.cat([self._real, real], 1)
        place = real.cumsum(1)
        positions = self._next[:, None] + (place - 1).clamp(min=0)
        self._next = self._next + place[:, -1]
        seen = _places(self._real)
        masks = self._loaded.sight.by_layer(mask, seen[:, -ids.shape[1] :], seen)
        self.logits = self._loaded.forward(ids, masks, self._loaded.further(positions), self._cache, {})


def decode(rows: Seated, replies: list[Growing]) -> None:
    """Draw a token for each row until each reply has ended."""
    draws = Draws([reply.prompt.request for reply in replies])
    while True:
        tokens = draws.choose(rows.logits)
        for reply, token in zip(replies, tokens, strict=True):
            reply.take(token)
        live = [row for row, reply in enumerate(replies) if not reply.done]
        if not live:
            return
        if len(live) < len(tokens) and (rows.drops_at_once or 2 * len(live) <= len(tokens)):
            rows.keep(live)
            draws.keep(live)
            tokens, replies = [tokens[row] for row in live], [replies[row] for row in live]
        rows.feed([max(0, token) for token in tokens])
