"""Text and images as a model's processor reads them: chat template, special tokens refused, one image a text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from mht.imaging.whole import Unreadable as Unreadable
from mht.imaging.whole import WholeImages

if TYPE_CHECKING:
    from PIL.Image import Image

Messages = Sequence[tuple[str, str]]
"""(role, text) in order; the roles are system, user and assistant."""


class Chat:
    """The tokenizer and the processor of one model. `processor` is None for a model that reads text only."""

    def __init__(self, tokenizer: Any, processor: Any | None) -> None:
        self.tokenizer = tokenizer
        self.processor = processor
        self.speaks = tokenizer if processor is None else processor
        """What has the chat template."""
        self.image_token = _image_token(tokenizer, processor)
        marks = sorted(_marks(tokenizer) | ({self.image_token} - {""}), key=len, reverse=True)
        self._marks = re.compile("|".join(map(re.escape, marks)) or r"(?!)")
        self._bos: str = tokenizer.bos_token or ""
        self._images = WholeImages()

    @property
    def reads_images(self) -> bool:
        return self.processor is not None

    @property
    def has_template(self) -> bool:
        return bool(getattr(self.speaks, "chat_template", None))

    @property
    def image_id(self) -> int:
        """The token that a text has in the place of an image."""
        return int(self.tokenizer.convert_tokens_to_ids(self.image_token))

    def refusal(self, text: str) -> str | None:
        """Why a text cannot be given to the model; None where it can."""
        if any("\ud800" <= char <= "\udfff" for char in text):
            return "the text holds surrogates without a partner: it was not UTF-8"
        found = self._marks.search(text)
        return f"the text holds {found[0]!r}, a special token of the model; escape it" if found else None

    def opening(self, system: str | None, question: str, image: bool) -> list[tuple[str, str]]:
        """What a conversation begins with; a system message that the template has no place for begins the user's turn.

        Raises jinja2.TemplateError where the template refuses the question, too.
        """
        if system is None:
            return [("user", question)]
        both = [("system", system), ("user", question)]
        try:
            text = self.render(both, image, reply=True)
        except TemplateError:
            text = ""
        return both if system.strip() in text else [("user", f"{system}\n\n{question}")]

    def render(self, messages: Messages, image: bool, reply: bool) -> str:
        """The messages in the model's chat template, an image before the first user's text.

        `reply` ends with what a reply is written after. Raises jinja2.TemplateError for a role that the template lacks.
        """
        first = next(i for i, (role, _) in enumerate(messages) if role == "user")
        plain = [
            {"role": role, "content": self._content(text, image and i == first)}
            for i, (role, text) in enumerate(messages)
        ]
        return str(self.speaks.apply_chat_template(plain, add_generation_prompt=reply, tokenize=False))

    def _content(self, text: str, image: bool) -> str | list[dict[str, str]]:
        if self.processor is None:
            return text
        return [*([{"type": "image"}] if image else []), {"type": "text", "text": text}]

    def adds_special(self, text: str) -> bool:
        """False where the template wrote what the tokenizer would add."""
        if self.processor is None and self.has_template:
            return False
        return not (self._bos and text.startswith(self._bos))

    def tokens(self, text: str) -> list[int]:
        """A rendered text's tokens; its image is one of them."""
        return list(self.tokenizer(text, add_special_tokens=self.adds_special(text))["input_ids"])

    def process(
        self, texts: Sequence[str], images: Sequence[bytes]
    ) -> tuple[list[list[int]], dict[str, Any]]:
        """(tokens of each text with its image's in their place, the pixels by the names of the model's arguments).

        Raises Unreadable for the first image that is none, OSError or ValueError for one that the processor refuses.
        """
        assert self.processor is not None
        made: Mapping[str, Any] = self.processor(
            text=list(texts),
            images=[[image] for image in self.decoded(images)],
            return_tensors="pt",
            padding=True,
            padding_side="left",
            add_special_tokens=self.adds_special(texts[0]),
        )
        rest = dict(made)
        ids, mask = rest.pop("input_ids"), rest.pop("attention_mask")
        return [row[real.bool()].tolist() for row, real in zip(ids, mask, strict=True)], rest

    def decoded(self, images: Sequence[bytes]) -> list[Image]:
        """Files as RGB images, whole and upright. Raises Unreadable for the first that is none."""
        made = self._images.decode(images)
        for one in made:
            if isinstance(one, Unreadable):
                raise one
        return [one for one in made if not isinstance(one, Unreadable)]


def _image_token(tokenizer: Any, processor: Any | None) -> str:
    """What stands for an image in a text that is not processed yet."""
    # Gemma's processor looks for the token that begins an image.
    for name in ("boi_token", "image_token"):
        if processor is not None and getattr(processor, name, None):
            return str(getattr(processor, name))
    return ""


def _marks(tokenizer: Any) -> set[str]:
    """Tokens that a text must not hold: the special ones, and added ones in the brackets of a mark."""
    added = tokenizer.added_tokens_decoder.values()
    named = {
        str(token.content) for token in added if token.special or token.content.strip().startswith(("<", "["))
    }
    return (named | set(tokenizer.all_special_tokens)) - {""}
