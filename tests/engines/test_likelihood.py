"""The likelihood of answers is that of one pass over prompt and answer, by itself, whatever else is asked with it."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mht.engines import _loading
from mht.engines.transformers import Engine, Params
from mht.generation import Failure, Heard, Request
from tests.engines import tiny

ANSWERS = ("yes", "no there is a nodule", "no")
QUESTIONS = (
    "is there a nodule in the left lung ?",
    "is the heart normal ?",
    "which side",
    "is there a small effusion in the right lung and a large mass in the liver ?",
)


def direct(engine: Engine, request: Request) -> list[float]:
    """By hand: log-softmax over the whole text, each answer for itself, normalised at the end."""
    import torch

    loaded = engine.loaded
    speaks = loaded.reader.chat.speaks
    content: Any = request.prompt
    if speaks is not loaded.reader.tokenizer:
        content = [*([{"type": "image"}] if request.image else []), {"type": "text", "text": request.prompt}]
    turn = [{"role": "user", "content": content}]
    text = speaks.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
    sums = []
    for answer in ANSWERS:
        given: dict[str, Any] = {"add_special_tokens": False, "return_tensors": "pt"}
        if request.image:
            given["images"] = [[Image.open(io.BytesIO(request.image)).convert("RGB")]]
        made = dict(speaks(text=[f"{text} {answer}"], **given))
        count = len(answer.split())
        with torch.no_grad():
            logits = loaded.model(**made).logits[0]
        logs = torch.log_softmax(logits.float(), -1)
        ids = made["input_ids"][0]
        sums.append(sum(float(logs[at - 1, ids[at]]) for at in range(len(ids) - count, len(ids))))
    whole = math.fsum(math.exp(one) for one in sums)
    return [math.exp(one) / whole for one in sums]


@pytest.fixture(scope="module", params=["llava", "idefics3", "text_only"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = getattr(tiny, request.param)(tmp_path_factory.mktemp("models") / request.param)
    return made


def requests(eyes: bool) -> list[Request]:
    images = [tiny.png(1), tiny.png(2, 56, 112)] if eyes else [None, None]
    asked = [
        Request(f"{n}-{q}", text, image=image)
        for n, image in enumerate(images)
        for q, text in enumerate(QUESTIONS)
    ]
    return [*asked[::2], *asked[1::2]]


@pytest.mark.parametrize("shares", [True, False])
def test_it_is_what_one_pass_says(folder: Path, shares: bool) -> None:
    def load(params: Params) -> Any:
        return replace(_loading.load(params), shares=shares)

    with Engine(Params(model=str(folder), batch_size=3), load=load) as engine:
        asked = requests(engine.loaded.reader.chat.reads_images)
        found = engine.likelihoods(asked, ANSWERS)
        for request, shares_of in zip(asked, found, strict=True):
            assert isinstance(shares_of, tuple)
            assert shares_of == pytest.approx(direct(engine, request), rel=1e-4)
            assert sum(shares_of) == pytest.approx(1)
        assert len(set(found)) > 1


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("answers", [ANSWERS, ("yes", "no")])
def test_replies_and_likelihoods_at_once_are_those_of_each(
    folder: Path, shares: bool, answers: tuple[str, ...]
) -> None:
    def load(params: Params) -> Any:
        return replace(_loading.load(params), shares=shares)

    with Engine(Params(model=str(folder), batch_size=3), load=load) as engine:
        asked = [*requests(engine.loaded.reader.chat.reads_images), Request("special", "<image>")]
        heard: list[Heard] = []
        replies, found = engine.generate_weighed(asked, answers, heard.append)
        told = {reply.request_id: reply for one in heard for reply in one.ready}
        for reply, of in zip(replies, found, strict=True):
            together = of if shares and isinstance(of, tuple) else None
            assert told[reply.request_id] == replace(reply, shares=together)
        assert [reply.text for reply in replies] == [reply.text for reply in engine.generate(asked)]
        apart = engine.likelihoods(asked, answers)
        assert found[-1] == apart[-1] == Failure.NOT_ACCEPTED
        for one, other in zip(found[:-1], apart[:-1], strict=True):
            assert one == pytest.approx(other, rel=1e-4)


def test_an_image_is_read_once_for_all_that_is_asked_of_it(tmp_path: Path) -> None:
    seen: list[bool] = []

    def load(params: Params) -> Any:
        loaded = _loading.load(params)

        def counting(*given: Any) -> Any:
            seen.append(bool(given[4]))
            return loaded.forward(*given)

        return replace(loaded, forward=counting)

    with Engine(Params(model=str(tiny.llava(tmp_path)), batch_size=8), load=load) as engine:
        for ask in (engine.likelihoods, engine.generate_weighed):
            seen.clear()
            ask(requests(True)[::2], ANSWERS)
            assert sum(seen) == 1


def test_what_cannot_be_asked_is_a_failure_of_its_row(tmp_path: Path) -> None:
    asked = [
        Request("fine", QUESTIONS[0]),
        Request("special", "<image> is there a mass ?"),
        Request("long", "is " * 2046),
        Request("not an image", QUESTIONS[0], image=b"GIF89a"),
    ]
    with Engine(Params(model=str(tiny.llava(tmp_path)))) as engine:
        found = engine.likelihoods(asked, ANSWERS)
    assert isinstance(found[0], tuple)
    assert found[1:] == [Failure.NOT_ACCEPTED, Failure.PROMPT_TOO_LONG, Failure.NOT_ACCEPTED]
