"""Shared beginnings and batches change no reply: each architecture is held to the library's `generate`, one by one.

An architecture gets into `_model.ADMITTED` by standing here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mht.engines.transformers import Engine, Params
from mht.generation import Failure, Request
from tests.engines import tiny

WITH_EYES = (
    "llava", "llava_next", "llava_onevision", "idefics3", "smolvlm", "internvl", "qwen2_5_vl", "qwen3_vl",
    "gemma3",
)  # fmt: skip
TEXT_ONLY = ("llama", "mistral", "qwen2", "qwen3")
SYSTEM = "you are a careful radiologist"
QUESTIONS = (
    "describe the image",
    "is there a nodule in the left lung ?",
    "which side",
    "how many large opacity in the chest , and where is the effusion ?",
    "heart normal ?",
)


def load(params: Params) -> Any:
    """As the engine loads, but for the processor that needs torchvision."""
    from mht.engines import _attention, _loading, _model
    from mht.engines._prompts import Reader

    if not any(name in params.model for name in tiny.STILL):
        return _loading.load(params)
    from transformers import AutoModelForImageTextToText

    processor = tiny.still_processor(Path(params.model))
    model = AutoModelForImageTextToText.from_pretrained(params.model).eval()
    _attention.group_heads(model.config.get_text_config())
    return _model.loaded(model, Reader(processor.tokenizer, processor))


def requests(eyes: bool, temperature: float = 0.0) -> list[Request]:
    """Questions on three images, of three sizes; with and without system prompt; some without image."""
    images = [tiny.png(1), tiny.png(2, 56, 112), tiny.png(3, 112, 56)] if eyes else [None, None, None]
    asked = [
        Request(
            f"{n}-{q}-{system is None}",
            question,
            system,
            image,
            max_tokens=60,
            seed=q,
            temperature=temperature,
        )
        for n, image in enumerate(images)
        for q, question in enumerate(QUESTIONS)
        for system in ([SYSTEM, None] if n == 0 else [SYSTEM])
    ]
    return [*asked[::2], Request("text", QUESTIONS[1], SYSTEM, max_tokens=60), *asked[1::2]]


def alone(loaded: Any, request: Request) -> str | None:
    """What the library's own generate says; None where it did not come to an end."""
    import torch

    reader = loaded.reader
    speaks = reader.chat.speaks
    content: Any = request.prompt
    if speaks is not reader.tokenizer:
        content = [*([{"type": "image"}] if request.image else []), {"type": "text", "text": request.prompt}]
    turns = [{"role": "system", "content": request.system}] if request.system else []
    turns.append({"role": "user", "content": content})
    text = speaks.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    if request.image:
        images = [[Image.open(io.BytesIO(request.image)).convert("RGB")]]
        inputs = speaks(text=[text], images=images, return_tensors="pt", add_special_tokens=False)
    else:
        inputs = reader.tokenizer([text], return_tensors="pt", add_special_tokens=False)
        inputs.pop("token_type_ids", None)
    with torch.inference_mode():
        made = loaded.model.generate(**inputs, max_new_tokens=request.max_tokens, do_sample=False)
    tokens = made[0, inputs["input_ids"].shape[1] :].tolist()
    end = next((i for i, token in enumerate(tokens) if token in loaded.ends), None)
    return None if end is None else reader.tokenizer.decode(tokens[:end], skip_special_tokens=True).strip()


class Counting:
    """A forward that notes the images it is given and the tokens it computes."""

    def __init__(self, forward: Any) -> None:
        self._forward = forward
        self.images = 0
        self.columns: list[int] = []

    def __call__(
        self, ids: Any, mask: Any, positions: Any, cache: Any, pixels: dict[str, Any], *told: Any
    ) -> Any:
        self.images += sum(len(pixels[name]) for name in ("pixel_values",) if name in pixels)
        self.columns.append(ids.numel())
        return self._forward(ids, mask, positions, cache, pixels, *told)


@pytest.mark.parametrize("name", [*WITH_EYES, *TEXT_ONLY])
@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_replies_are_those_of_separate_calls(
    model: Callable[[str], Path], name: str, batch_size: int
) -> None:
    params = Params(model=str(model(name)), batch_size=batch_size)
    with Engine(params, load) as engine:
        assert engine.loaded.shares
        asked = requests(name in WITH_EYES)
        replies = engine.generate(asked)
        wanted = [alone(engine.loaded, request) for request in asked]
    assert [reply.request_id for reply in replies] == [request.request_id for request in asked]
    assert [reply.text or "" for reply in replies] == [text or "" for text in wanted]
    # Otherwise a model that says one thing to all would pass.
    assert len({text for text in wanted if text}) >= (8 if name in WITH_EYES else 6)


@pytest.mark.parametrize("name", [*WITH_EYES, *TEXT_ONLY])
def test_every_admitted_architecture_is_held_to_it(model: Callable[[str], Path], name: str) -> None:
    from mht.engines._model import ADMITTED

    assert {kind.removesuffix("_text") for kind in ADMITTED} == {*WITH_EYES, *TEXT_ONLY}
    assert load(Params(model=str(model(name)))).model.config.model_type == name


@pytest.mark.parametrize("name", ["llama", "llava", "qwen2_5_vl"])
@pytest.mark.parametrize("batch_size", [2, 8])
def test_prompts_that_begin_with_nothing_alike_are_answered_too(
    model: Callable[[str], Path], name: str, batch_size: int
) -> None:
    """Without a chat template, down to a prompt of one token."""
    import torch

    texts = ["lung", "lung heart normal", "is there a nodule", "heart", "which side ?", "which", "is"]
    with Engine(Params(model=str(model(name)), batch_size=batch_size), load) as engine:
        loaded = engine.loaded
        speaks, kept = loaded.reader.chat.speaks, loaded.reader.chat.speaks.chat_template
        speaks.chat_template = None
        replies = engine.generate([Request(text, text, max_tokens=60) for text in texts])
        speaks.chat_template = kept
        for text, reply in zip(texts, replies, strict=True):
            ids = torch.tensor([loaded.reader.tokenizer(text)["input_ids"]])
            made = loaded.model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=60, do_sample=False
            )
            tokens = made[0, ids.shape[1] :].tolist()
            end = next((i for i, token in enumerate(tokens) if token in loaded.ends), len(tokens))
            said = loaded.reader.tokenizer.decode(tokens[:end], skip_special_tokens=True).strip()
            assert (reply.prompt_tokens, reply.tokens) == (ids.shape[1], end)
            assert reply.failure is Failure.CUT_SHORT or (reply.text or "") == said


def test_an_image_is_computed_once_for_all_its_questions(llava: Path) -> None:
    counting: list[Counting] = []

    def counted(params: Params) -> Any:
        made = load(params)
        counting.append(Counting(made.forward))
        return replace(made, forward=counting[0])

    asked = [
        Request(f"{i}", f"{q} ?", SYSTEM, tiny.png(i % 2), max_tokens=1)
        for i, q in enumerate(tiny.WORDS[:20])
    ]
    with Engine(Params(model=str(llava), batch_size=4), counted) as engine:
        engine.generate(asked)
    assert counting[0].images == 2
    # Both beginnings at once, of <s>, five words, <|user|> and 16 of the image; then rests of 3, of which twice as many
    # as the batch size fit beside each other.
    assert counting[0].columns == [2 * 23, 8 * 3, 8 * 3, 4 * 3]


@pytest.mark.parametrize("name", ["llava", "llama"])
def test_the_way_without_sharing_says_the_same(model: Callable[[str], Path], name: str) -> None:
    def unshared(params: Params) -> Any:
        return replace(load(params), shares=False)

    params = Params(model=str(model(name)), batch_size=6)
    for temperature in (0.0, 1.5):
        asked = requests(name in WITH_EYES, temperature)
        with Engine(params, load) as shared, Engine(params, unshared) as plain:
            assert texts(plain.generate(asked)) == texts(shared.generate(asked))


def texts(replies: Sequence[Any]) -> list[tuple[str | None, Failure | None, int]]:
    return [(reply.text, reply.failure, reply.tokens) for reply in replies]


@pytest.mark.parametrize("name", ["llava", "llama"])
def test_draws_are_the_request_s_own(model: Callable[[str], Path], name: str) -> None:
    asked = requests(name in WITH_EYES, temperature=1.5)
    with Engine(Params(model=str(model(name)), batch_size=64), load) as engine:
        together = engine.generate(asked)
        backwards = engine.generate(asked[::-1])[::-1]
        single = [engine.generate([request])[0] for request in asked]
        other = engine.generate([replace(request, seed=request.seed + 100) for request in asked])
        greedy = engine.generate(requests(name in WITH_EYES))
    assert texts(together) == texts(backwards) == texts(single)
    same = sum(one.text == two.text for one, two in zip(together, other, strict=True))
    assert same <= len(asked) // 3
    assert texts(greedy) != texts(together)
