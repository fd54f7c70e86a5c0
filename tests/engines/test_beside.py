"""Rows beside each other compute what rows of their own do, whatever is fed, dropped or taken twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mht.engines import _loading
from mht.engines._prompts import Prompt
from mht.engines._shared import Shared
from mht.engines.transformers import Engine, Params
from mht.generation import Request
from tests.engines import tiny
from tests.engines.test_parity import load

PER_IMAGE = 5


def asked(images: int = 2) -> list[Request]:
    """Questions of one to five words."""
    return [
        Request(f"{n}-{q}", " ".join(tiny.WORDS[3 * q : 4 * q + 1]) + " ?", None, tiny.png(n), max_tokens=60)
        for n in range(images)
        for q in range(PER_IMAGE)
    ]


class Watched:
    """A forward that notes how many tokens it is given, and how many columns there are behind it."""

    def __init__(self, forward: Any) -> None:
        self._forward = forward
        self.seen: list[tuple[int, int]] = []

    def __call__(self, ids: Any, mask: Any, positions: Any, cache: Any, *more: Any) -> Any:
        logits = self._forward(ids, mask, positions, cache, *more)
        self.seen.append((ids.numel(), cache.layers[0].keys.shape[2]))
        return logits


@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl", "qwen3_vl", "gemma3"])
def test_logits_are_those_of_rows_of_their_own(model: Callable[[str], Path], name: str) -> None:
    with Engine(Params(model=str(model(name))), load) as engine:
        watched = Watched(engine.loaded.forward)
        loaded = replace(engine.loaded, forward=watched)
        prompts = loaded.reader.read(asked())
        groups: list[list[Any]] = [prompts[:PER_IMAGE], prompts[PER_IMAGE:]]
        flight = Shared(loaded).start(groups)
        rows: list[Prompt] = list(flight.rows)
        rng = random.Random(5)
        with torch.inference_mode():
            beside, apart = (flight.seated(rows, 90, how) for how in (True, False))
            count = len(rows)
            for step in range(90):
                assert torch.allclose(beside.logits, apart.logits, rtol=1e-3, atol=2e-4)
                if step in (10, 50, 70):
                    kept = [rng.randrange(count) for _ in range(count // 2)]
                    count = len(kept)
                    beside.keep(kept)
                    apart.keep(kept)
                tokens = [rng.randrange(20, 60) for _ in range(count)]
                beside.feed(tokens)
                columns = watched.seen[-1][1]
                apart.feed(tokens)
    fed = 10 * 10 + 40 * 5 + 20 * 2 + 20
    # What no row sees any longer was let go of, more than half of it.
    assert count == 1
    assert columns < fed / 2


def test_a_reply_that_has_ended_is_fed_no_more(llava: Path) -> None:
    watching: list[Watched] = []

    def watched(params: Params) -> Any:
        made = _loading.load(params)
        watching.append(Watched(made.forward))
        return replace(made, forward=watching[0])

    with Engine(Params(model=str(llava), batch_size=5), watched) as engine:
        replies = engine.generate(asked())
    lengths = [reply.tokens for reply in replies]
    assert len(set(lengths)) > 3
    fed = [tokens for tokens, _ in watching[0].seen[2:]]
    # The token behind the last one is drawn, and fed to nobody.
    assert fed == [sum(length > step for length in lengths) for step in range(len(fed))]
    assert max(fed) == len(replies) == 2 * PER_IMAGE
