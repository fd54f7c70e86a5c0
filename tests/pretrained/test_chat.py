"""Which texts a model cannot be given."""

from __future__ import annotations

import pytest
from tokenizers import AddedToken

from mht.pretrained.chat import Chat
from tests.engines import tiny


@pytest.fixture
def chat() -> Chat:
    """With added tokens as Gemma 3's: marks that are not special, and lines."""
    words = tiny.tokenizer()
    words.add_tokens(
        [AddedToken(text, special=False) for text in ("\n\n", "\n", "<unused0>", " [mark]", "nodules")]
    )
    return Chat(words, None)


def test_lines_are_no_mark(chat: Chat) -> None:
    assert chat.refusal("is there\n\na nodule\nor many nodules") is None


@pytest.mark.parametrize("mark", ["<unused0>", " [mark]", "</s>"])
def test_a_text_with_a_mark_is_refused(chat: Chat, mark: str) -> None:
    assert (
        chat.refusal(f"is there{mark}\n\n")
        == f"the text holds {mark!r}, a special token of the model; escape it"
    )
