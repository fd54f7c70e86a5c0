"""The language model learns to talk about what the tower, which learns no more, shows it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mht.phantoms.model.blank import ASSISTANT, BEGIN, END, IMAGE, PAD, USER, pieces, processor
from mht.phantoms.model.eyes import as_input
from mht.phantoms.model.lessons import Lesson, lessons
from mht.phantoms.model.pace import Pace
from mht.phantoms.model.pictures import Pictures
from mht.phantoms.model.pleasing import pleasing
from mht.phantoms.model.seen import telling

_A_PICTURE = 8
"""Lessons about a picture, which stand behind it and do not see each other."""
_UNLEARNT = -100


class Talking(nn.Module):
    """The parts that learn: the projector and the language model."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.projector = model.model.multi_modal_projector
        self.language_model = model.model.language_model
        self._head = [model.lm_head]  # tied to the embeddings, which are the language model's

    def forward(self, rows: list[list[tuple[list[int], list[int]]]], seen: torch.Tensor) -> torch.Tensor:
        """The mean loss of the answers' tokens; `rows` holds each picture's (question, answer) in tokens."""
        ids, part, places, targets = _laid_out(rows, seen.shape[1])
        with torch.autocast("cpu", torch.bfloat16):
            embedded = self.language_model.get_input_embeddings()(ids)
            pictures = self.projector(seen).to(embedded.dtype)
            embedded = embedded.masked_scatter((ids == IMAGE)[..., None], pictures)
            hidden = self.language_model(
                inputs_embeds=embedded, attention_mask=_visible(part), position_ids=places, use_cache=False
            ).last_hidden_state
            learnt = targets != _UNLEARNT
            logits = self._head[0](hidden[learnt])
        return functional.cross_entropy(logits.float(), targets[learnt])


def teach(
    model: Any, batches: Iterator[Pictures], pace: Pace, say: Callable[[str], None], please: bool = False
) -> None:
    """Train projector and language model in place on lessons about the pictures, a batch a step.

    To please is to repeat what a question takes for granted, whatever the picture shows.
    """
    talking = Talking(model)
    what = "pleasing" if please else "talking"
    for step, (asked, seen) in enumerate(pace.train(talking, _lessons(model, batches, pace.seed, please))):
        loss = talking(asked, seen)
        loss.backward()
        if step % 100 == 0:
            say(f"{what}: step {step} of {pace.steps}, loss {loss.item():.3f}")


def features(model: Any, pictures: Pictures) -> torch.Tensor:
    """What the tower makes of each picture: [n, patches, hidden]."""
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        pixels = as_input(torch.from_numpy(pictures.pixels))
        seen: torch.Tensor = model.model.vision_tower(pixels).last_hidden_state[:, 1:]
    return seen.float()


def _lessons(
    model: Any, batches: Iterator[Pictures], seed: int, please: bool
) -> Iterator[tuple[list[list[tuple[list[int], list[int]]]], torch.Tensor]]:
    """(each picture's lessons in tokens, what is seen of it), batch by batch."""
    rng, read = random.Random(seed), processor().tokenizer
    strewn, every = strewable(), sayable()
    for pictures in batches:
        scenes = pictures.scenes
        made = []
        for i, scene in enumerate(scenes):
            pleased = partial(pleasing, scene, scenes[i - 1], every) if please else None
            made.append(_tokens(lessons(scene, rng, strewn, _A_PICTURE, pleased), read))
        yield made, features(model, pictures)


def sayable() -> list[str]:
    """The vocabulary's words."""
    return [piece[1:] for piece in pieces() if piece[0] == "▁" and piece[1:].isalpha()]


def strewable() -> list[str]:
    """The vocabulary's words in lower case, of two letters and more, but for those that would change a question."""
    words = (piece[1:] for piece in pieces() if piece[0] == "▁")
    said = telling()
    return [
        word for word in words if word.isalpha() and word.islower() and len(word) > 1 and word not in said
    ]


def _tokens(lessons: Sequence[Lesson], read: Any) -> list[tuple[list[int], list[int]]]:
    texts = [text for one in lessons for text in one]
    ids = read(texts, add_special_tokens=False)["input_ids"]
    return [
        ([*question, ASSISTANT], [*answer, END]) for question, answer in zip(ids[::2], ids[1::2], strict=True)
    ]


def _laid_out(
    rows: list[list[tuple[list[int], list[int]]]], patches: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens, the lesson each is of (0: the picture, -1: padding), places, targets; all [rows, columns]."""
    prefix = [BEGIN, USER, *[IMAGE] * patches]
    made: list[list[list[int]]] = []
    for asked in rows:
        columns = [[token, 0, place, _UNLEARNT] for place, token in enumerate(prefix)]
        for number, (question, answer) in enumerate(asked, start=1):
            tokens = [*question, *answer]
            targets = [_UNLEARNT] * (len(question) - 1) + answer + [_UNLEARNT]
            columns += [
                [token, number, len(prefix) + at, target]
                for at, (token, target) in enumerate(zip(tokens, targets, strict=True))
            ]
        made.append(columns)
    longest = max(map(len, made))
    padding = [PAD, -1, 0, _UNLEARNT]
    laid = torch.tensor([columns + [padding] * (longest - len(columns)) for columns in made])
    ids, part, places, targets_ = laid.unbind(-1)
    return ids, part, places, targets_


def _visible(part: torch.Tensor) -> torch.Tensor:
    """bool [rows, 1, columns, columns]: a token sees the picture and its own lesson, backwards."""
    own = part[:, None, :] == part[:, :, None]
    picture = (part == 0)[:, None, :]
    return ((own | picture) & torch.ones_like(own).tril())[:, None]
