"""Decoding by the library's own `generate`, for architectures without a test of shared beginnings: slower, and sure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessor, StoppingCriteria

from mht.engines._draws import NOT_FINITE, Draws
from mht.engines._flights import Ended
from mht.engines._model import Loaded
from mht.engines._prompts import Group, Pixels, Prompt
from mht.engines._replies import Growing, growing


class Plain:
    """The way of every architecture: each prompt is a group of its own, and a flight is one batch."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        # What a checkpoint recommends beside (penalties, beams) is not what was asked for.
        loaded.model.generation_config = GenerationConfig(
            do_sample=False, pad_token_id=loaded.pad, eos_token_id=sorted(loaded.ends)
        )

    def start(self, groups: Sequence[Group]) -> Flight:
        made = self._loaded.reader.expand(groups, self._loaded.context)
        rows = [prompt for group in made.groups for prompt in group]
        return Flight(rows, made.over, self._ended(rows, made.pixels))

    def _ended(self, rows: Sequence[Prompt], pixels: Pixels) -> dict[int, Ended]:
        if not rows:
            return {}
        loaded = self._loaded
        replies = growing(rows, loaded)
        ids, real = loaded.padded([prompt.ids for prompt in rows])
        work = partial(
            loaded.model.generate,
            input_ids=ids,
            attention_mask=real.long(),
            max_new_tokens=max(reply.most for reply in replies),
            logits_processor=[_Chosen(replies, min(loaded.ends, default=loaded.pad), loaded.agreed)],
            stopping_criteria=[_Done(replies)],
            **{name: loaded.placed(tensor) for name, tensor in pixels.items()},
        )
        with torch.inference_mode():
            loaded.within(work)  # the replies grow with it
        return {reply.prompt.place: reply.ended() for reply in replies}


class Flight:
    """Prompts that have ended already."""

    def __init__(self, rows: Sequence[Prompt], over: Sequence[Prompt], ended: dict[int, Ended]) -> None:
        self.rows = rows
        self.over = over
        self._ended = ended

    def together(self, rows: Sequence[Prompt], most: int) -> int:
        return most

    def finish(self, rows: Sequence[Prompt]) -> list[Ended]:
        return [self._ended[prompt.place] for prompt in rows]


class _Chosen(LogitsProcessor):
    """Puts all weight on the token that is the row's own draw."""

    def __init__(
        self, replies: Sequence[Growing], end: int, agreed: Callable[[torch.Tensor], torch.Tensor]
    ) -> None:
        self._replies = replies
        self._agreed = agreed
        self._draws = Draws([reply.prompt.request for reply in replies])
        self._end = end

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        tokens = self._draws.choose(self._agreed(scores))
        for reply, token in zip(self._replies, tokens, strict=True):
            reply.take(token)
        told = [self._end if token == NOT_FINITE else token for token in tokens]
        only = torch.full_like(scores, -torch.inf)
        return only.scatter_(1, torch.tensor(told, device=scores.device)[:, None], 0.0)


class _Done(StoppingCriteria):
    """Ends each row where its own reply is done."""

    def __init__(self, replies: Sequence[Growing]) -> None:
        self._replies = replies

    def __call__(self, input_ids: Any, scores: Any, **_: object) -> Any:
        return torch.tensor([reply.done for reply in self._replies], device=input_ids.device)
