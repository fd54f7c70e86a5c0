"""Requests as a model's tokens: chat template, special tokens refused, the image's place in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mht.errors import InputError, IntegrityError
from mht.generation import Failure, Reply, Request
from mht.pretrained.chat import Chat, Unreadable


@dataclass(slots=True)
class Prompt:
    """A request in tokens; `place` is its number among the requests.

    `raw` has one token for the image, at `image_at`; `ids`, which `Reader.expand` makes, as many as the model sees.
    """

    place: int
    request: Request
    text: str
    raw: list[int]
    ids: list[int]
    image_at: int | None = None
    image_digest: bytes = b""
    image_size: tuple[int, int] = (0, 0)


Group = list[Prompt]
"""Prompts that begin alike: one image or none, and the same text before it."""
Pixels = dict[str, Any]
"""What a processor makes of images beside tokens, by the names of the model's arguments."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """Groups with the pixels of their images, in the groups' order; and the prompts that are over the context."""

    groups: list[Group]
    pixels: Pixels
    over: list[Prompt]


class Reader:
    """Turns requests into prompts for one model. `processor` is None for a model that reads text only.

    `chat` is of the same two, where there is one already, with its decoder of images.
    """

    def __init__(self, tokenizer: Any, processor: Any | None, chat: Chat | None = None) -> None:
        self.tokenizer = tokenizer
        self.chat = chat or Chat(tokenizer, processor)

    def read(self, requests: Sequence[Request]) -> list[Prompt | Reply]:
        """Each request in tokens; or why the model cannot be given it. Each image is looked at once."""
        sizes: dict[bytes, tuple[int, int] | str] = {}
        return [self._read(place, request, sizes) for place, request in enumerate(requests)]

    def _read(
        self, place: int, request: Request, sizes: dict[bytes, tuple[int, int] | str]
    ) -> Prompt | Reply:
        said = self._refusal(request)
        if said is not None:
            return _refused(request, said)
        text = self._rendered(request)
        raw = self.chat.tokens(text)
        prompt = Prompt(place, request, text, raw, raw)
        if not raw:
            return _refused(request, "the prompt holds no text; ask something")
        if request.image is None:
            return prompt
        mark = self.chat.image_id
        if raw.count(mark) != 1:
            return _refused(
                request, "the chat template has no place for an image; use a model that reads images"
            )
        prompt.image_at = raw.index(mark)
        if prompt.image_at == len(raw) - 1:
            return _refused(request, "the prompt holds no text behind the image; ask something")
        prompt.image_digest = hashlib.sha256(request.image).digest()
        if prompt.image_digest not in sizes:
            sizes[prompt.image_digest] = self._size_of(request.image)
        size = sizes[prompt.image_digest]
        if isinstance(size, str):
            return _refused(request, f"the image cannot be decoded: {size}")
        prompt.image_size = size
        return prompt

    def expand(self, groups: Sequence[Group], context: int) -> Expanded:
        """Give each prompt's image its tokens, and leave out prompts that fill the context of so many tokens.

        All groups have an image, or none has. Each image is processed once.
        """
        pixels = self._expand(groups)
        fit = [[prompt for prompt in group if len(prompt.ids) < context] for group in groups]
        over = [prompt for group in groups for prompt in group if len(prompt.ids) >= context]
        kept = [group for group in fit if group]
        if kept and len(kept) < len(groups):
            pixels = self._expand(kept)
        return Expanded(kept, pixels, over)

    def _expand(self, groups: Sequence[Group]) -> Pixels:
        if not self.chat.reads_images or groups[0][0].image_at is None:
            return {}
        firsts = [group[0] for group in groups]
        try:
            rows, made = self.chat.process(
                [prompt.text for prompt in firsts], [prompt.request.image or b"" for prompt in firsts]
            )
        except Unreadable as error:
            raise InputError(
                f"an image that could be decoded before cannot be now: {error}; is the machine overloaded?"
            ) from error
        for group, row in zip(groups, rows, strict=True):
            _put_in(group, row)
        return made

    def endings(self, prompt: Prompt, answers: Sequence[str]) -> tuple[tuple[int, ...], ...]:
        """The tokens of each answer as the chat template writes a reply behind the prompt."""
        return tuple(self._ending(prompt, answer) for answer in answers)

    def _ending(self, prompt: Prompt, answer: str) -> tuple[int, ...]:
        whole = self.chat.tokens(prompt.text + self._lead(answer) + answer)
        if whole[: len(prompt.raw)] == prompt.raw and len(whole) > len(prompt.raw):
            return tuple(whole[len(prompt.raw) :])
        # The tokenizer joins the answer with what is before it: then the answer's tokens by themselves.
        return tuple(self.tokenizer(answer, add_special_tokens=False)["input_ids"])

    def _lead(self, answer: str) -> str:
        """What the template puts between the mark that a reply is written after and the reply."""
        if not self.chat.has_template:
            return " "
        asked = self.chat.render([("user", "?")], False, reply=True)
        told = self.chat.render([("user", "?"), ("assistant", answer)], False, reply=False)
        behind = told[len(asked) :] if told.startswith(asked) else answer
        return behind[: max(0, behind.find(answer))]

    def text_of(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True)).strip()

    def _size_of(self, image: bytes) -> tuple[int, int] | str:
        """Width and height, or why there are none: all of it is decoded, so that nothing fails within a batch."""
        try:
            [made] = self.chat.decoded([image])
        except Unreadable as error:
            return str(error)
        return made.size

    def _refusal(self, request: Request) -> str | None:
        if request.image is not None and not self.chat.reads_images:
            return "the model reads no images; use one that does, or leave the image out"
        said = (self.chat.refusal(part) for part in (request.system or "", request.prompt))
        return next((one for one in said if one is not None), None)

    def _rendered(self, request: Request) -> str:
        """The request in the model's chat template; a system prompt that it has no place for begins the user's turn."""
        image = request.image is not None
        if not self.chat.has_template:
            mark = self.chat.image_token if image else None
            return "\n".join(part for part in (request.system, mark, request.prompt) if part)
        opening = self.chat.opening(request.system, request.prompt, image)
        return self.chat.render(opening, image, reply=True)


def _refused(request: Request, said: str) -> Reply:
    return Reply(request.request_id, None, Failure.NOT_ACCEPTED, said, calls=0)


def _put_in(group: Group, whole: list[int]) -> None:
    """Give each prompt what stands for the image in `whole`, the first prompt expanded, in place of its one token.

    Raises IntegrityError where the processor changed other tokens, too.
    """
    group[0].ids = whole
    if len(group) == 1:
        return
    at, tail = group[0].image_at or 0, len(group[0].raw) - (group[0].image_at or 0) - 1
    seen = whole[at : len(whole) - tail]
    if group[0].raw[:at] + seen + group[0].raw[at + 1 :] != whole:
        raise IntegrityError(
            "the model's processor and its tokenizer disagree on the text around an image; "
            "take both from one checkpoint"
        )
    for prompt in group[1:]:
        prompt.ids = prompt.raw[:at] + seen + prompt.raw[at + 1 :]
