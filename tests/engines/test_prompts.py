"""Which requests a model is not given, and how the others are put to it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mht.engines.transformers import Engine, Params
from mht.generation import Failure, Request
from tests.engines import tiny
from tests.engines.one import one
from tests.imaging.hostile import corpus


@pytest.mark.parametrize("mark", ["<image>", "<|assistant|>", "</s>", "<row_1_col_1>", "<pad>"])
@pytest.mark.parametrize("part", ["prompt", "system"])
def test_text_that_holds_a_special_token_is_not_accepted(engine: Engine, mark: str, part: str) -> None:
    reply = one(engine, **{part: f"there is{mark}no"})
    assert reply.failure is Failure.NOT_ACCEPTED
    assert repr(mark) in reply.detail
    assert reply.calls == 0


def test_brackets_that_are_no_token_are_text(engine: Engine) -> None:
    assert one(engine, prompt="is a < b or a <c> ?").text


def test_text_that_is_not_utf_8_is_not_accepted(engine: Engine) -> None:
    assert one(engine, prompt="a \ud800 b").failure is Failure.NOT_ACCEPTED


def _gif() -> bytes:
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "GIF")
    return out.getvalue()


@pytest.mark.parametrize("image", [b"", b"no image", tiny.png(1)[:60], tiny.png(1)[:-30], _gif()])
def test_an_image_that_cannot_be_decoded_is_not_accepted(engine: Engine, image: bytes) -> None:
    reply = one(engine, image=image)
    assert reply.failure is Failure.NOT_ACCEPTED
    assert "the image cannot be decoded" in reply.detail


@pytest.mark.parametrize("name", ["png_13000", "png_cut", "jpeg_65500"])
def test_a_hostile_image_is_not_accepted_and_its_reason_told(engine: Engine, name: str) -> None:
    [case] = [case for case in corpus() if case.name == name]
    reply = one(engine, image=case.data)
    assert reply.failure is Failure.NOT_ACCEPTED
    assert "the image cannot be decoded" in reply.detail


def test_a_model_that_reads_text_only_is_given_no_image(llama: Path) -> None:
    with Engine(Params(model=str(llama))) as blind:
        assert "reads no images" in one(blind).detail
        assert one(blind, image=None).text


def rendered(folder: Path, template: str | None, **request: Any) -> str:
    from transformers import AutoProcessor

    from mht.engines._prompts import Prompt, Reader

    processor = AutoProcessor.from_pretrained(folder)
    processor.chat_template = template
    read = Reader(processor.tokenizer, processor).read([Request("one", **request)])[0]
    assert isinstance(read, Prompt)
    return read.text


TURNS = (
    "{% for m in messages %}[{{ m['role'] }}] {% for p in m['content'] %}"
    "{{ p.get('text', '<image>') }}{% endfor %} {% endfor %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TURNS
IGNORES_SYSTEM = TURNS.replace("messages %}", "messages if m['role'] == 'user' %}")


def test_without_a_template_the_parts_stand_in_lines(llava: Path) -> None:
    said = rendered(llava, None, prompt="which side", system="you are", image=tiny.png(1))
    assert said == "you are\n<image>\nwhich side"


@pytest.mark.parametrize("template", [NO_SYSTEM, IGNORES_SYSTEM])
def test_a_template_without_system_prompt_has_it_in_the_user_s_turn(llava: Path, template: str) -> None:
    said = rendered(llava, template, prompt="which side", system="you are", image=tiny.png(1))
    assert said == "[user] <image>you are\n\nwhich side "
    assert (
        rendered(llava, TURNS, prompt="which side", system="you are") == "[system] you are [user] which side "
    )


def test_a_template_without_place_for_an_image_is_said(llava: Path) -> None:
    with Engine(Params(model=str(llava))) as engine:
        engine.loaded.reader.chat.speaks.chat_template = "{{ messages[0]['content'][-1]['text'] }}"
        assert "no place for an image" in one(engine).detail


@pytest.mark.parametrize("image", [None, tiny.png(1)])
def test_a_prompt_of_no_tokens_is_not_accepted(llava: Path, image: bytes | None) -> None:
    with Engine(Params(model=str(llava))) as engine:
        engine.loaded.reader.chat.speaks.chat_template = None
        assert "holds no text" in one(engine, prompt=" ", image=image).detail
        assert one(engine, prompt="lung", image=image).calls == 1
