"""The tokenizer reads whatever pairs of phantoms say, word by word, and gives it back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mht.phantoms.model import blank
from tests.pairing.corpus import pairs_of_phantoms


@pytest.fixture(scope="module")
def read() -> Any:
    return blank.tokenizer()


def test_every_word_of_pairs_is_one_token_and_the_text_comes_back(read: Any) -> None:
    texts = {text for pair in pairs_of_phantoms() for text in (pair.question, pair.answer, pair.rejected)}
    assert len(texts) > 1000
    for text, ids in zip(texts, read(list(texts), add_special_tokens=False)["input_ids"], strict=True):
        assert read.decode(ids) == text
        assert blank.UNKNOWN not in ids
        words = re.findall(r"[A-Za-z]+|\d|[^\w\s]", text)
        assert [read.decode([token]).strip() for token in ids] == words


@pytest.mark.parametrize("text", ["naïve Zyxt, 7.25 µm", "two\nlines", "日本"])
def test_other_words_come_back_too(read: Any, text: str) -> None:
    ids = read(text, add_special_tokens=False)["input_ids"]
    assert read.decode(ids) == text
    assert blank.UNKNOWN not in ids


def test_the_special_tokens_stand_where_the_code_says(read: Any) -> None:
    assert read.convert_ids_to_tokens(list(range(len(blank.SPECIAL)))) == list(blank.SPECIAL)


def test_the_template_puts_the_image_first_and_ends_an_answer() -> None:
    both = [
        {"role": "user", "content": [{"type": "text", "text": "Why?"}, {"type": "image"}]},
        {"role": "assistant", "content": "So."},
    ]
    speaks = blank.processor()
    asked = speaks.apply_chat_template(both[:1], add_generation_prompt=True)
    assert asked == "<s><|user|><image>Why?<|assistant|>"
    assert speaks.apply_chat_template(both) == asked + "So.</s>"
