"""How a LLaVA of its own layout reads: tokenizer, chat template, pictures, as a transformers processor.

LLaVA cuts the prompt at `<image>` and gives the tokenizer each piece by itself, so that a Llama tokenizer puts a blank
before both. A token for the image in the middle of the text does not always do that. The template has a blank where the
tokenizer needs one to give the very tokens of the pieces; they are compared when the processor is made.

Source: haotian-liu/LLaVA and microsoft/LLaVA-Med, llava/conversation.py (`mistral_instruct`, `vicuna_v1`) and
llava/mm_utils.py (`tokenizer_image_token`, `expand2square`).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from transformers import AddedToken, AutoConfig, AutoTokenizer, LlavaProcessor, PreTrainedTokenizerFast
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from mht.errors import ConfigError, InputError
from mht.model.llava_config import Original
from mht.model.tensors import read_json

IMAGE = "<image>"
_PIXELS = "preprocessor_config.json"
_SAID = (
    "{%- macro said(content) -%}{%- if content is string -%}{{ content }}{%- else -%}"
    "{%- for part in content if part['type'] == 'image' -%}{{ IMAGE }}{%- endfor -%}"
    "{%- for part in content if part['type'] == 'text' -%}{{ part['text'] }}{%- endfor -%}"
    "{%- endif -%}{%- endmacro -%}"
    "{%- set seen = namespace(system=none) -%}{{ BEGIN }}{%- for message in messages -%}"
    "{%- if message['role'] == 'system' -%}{%- set seen.system = said(message['content']) -%}{%- endif -%}"
    "{%- endfor -%}"
)
_MISTRAL = (
    "{%- for message in messages -%}{%- if message['role'] == 'user' -%}{{ '[INST] ' }}"
    "{%- if seen.system is not none -%}{{ '<<SYS>>\\n' + seen.system + '\\n<</SYS>>\\n\\n' }}"
    "{%- set seen.system = none -%}{%- endif -%}{{ said(message['content']) + ' [/INST]' }}"
    "{%- elif message['role'] == 'assistant' -%}{{ ' ' + said(message['content']) + ' ' + eos_token }}"
    "{%- endif -%}{%- endfor -%}"
)
_VICUNA = (
    '{{ seen.system if seen.system is not none else "A chat between a curious user and an artificial intelligence '
    "assistant. The assistant gives helpful, detailed, and polite answers to the user's questions.\" }}{{ ' ' }}"
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'user' -%}{{ 'USER: ' + said(message['content']) + ' ' }}"
    "{%- elif message['role'] == 'assistant' -%}{{ 'ASSISTANT: ' + said(message['content']) + eos_token }}"
    "{%- endif -%}{%- endfor -%}{%- if add_generation_prompt -%}{{ 'ASSISTANT:' }}{%- endif -%}"
)
TEMPLATES = {"mistral": ("mistral_instruct", _MISTRAL), "llama": ("vicuna_v1", _VICUNA)}
"""Kind of language model to LLaVA's name of its conversation, and the conversation as a template."""


def tokenizer_of(original: Original) -> tuple[Any, bool]:
    """(the tokenizer with a token for the image, whether that token is new).

    Raises ConfigError where a package is missing, InputError where there is no tokenizer to read.
    """
    folder = original.folder
    _need_tokenizer(folder)
    try:
        read = AutoTokenizer.from_pretrained(folder, config=AutoConfig.for_model("llama"), **_legacy(folder))
    except (OSError, ValueError, KeyError) as error:
        said = " ".join(str(error).split())[:300]
        raise InputError(f"the tokenizer of {folder} cannot be read: {said}") from error
    names = {name: value for name, value in read.special_tokens_map.items() if isinstance(value, str)}
    # Saved as it is in memory; the library's own Llama tokenizer forgets its setting when it is saved.
    made = PreTrainedTokenizerFast(
        tokenizer_object=read.backend_tokenizer,
        padding_side="left",
        model_max_length=read.model_max_length,
        **names,
    )
    if made.pad_token is None:
        made.pad_token = made.unk_token or made.eos_token
    added = made.add_tokens([AddedToken(IMAGE, special=True, normalized=False)], special_tokens=True)
    return made, bool(added)


def _need_tokenizer(folder: Path) -> None:
    """Where there is none, the library makes an empty one and says nothing."""
    if (folder / "tokenizer.json").is_file():
        return
    if not (folder / "tokenizer.model").is_file():
        raise InputError(f"{folder} has neither tokenizer.json nor tokenizer.model; copy its tokenizer, too")
    if importlib.util.find_spec("sentencepiece") is None:
        raise ConfigError(
            f"the tokenizer of {folder} is a SentencePiece model, which needs a package: "
            "pip install sentencepiece, then run this again"
        )


def _legacy(folder: Path) -> dict[str, bool]:
    """A Llama tokenizer that says nothing of `legacy` was made when that meant yes."""
    path = folder / "tokenizer_config.json"
    plain = read_json(path) if path.is_file() else {}
    llama = str(plain.get("tokenizer_class", "")).startswith("LlamaTokenizer")
    return {"legacy": True} if llama and plain.get("legacy") is None else {}


def processor_of(original: Original, tokenizer: Any, vision: Any, tower: Path | None) -> tuple[Any, bool]:
    """(the processor, whether its tokens are those of LLaVA's own code on a question with an image)."""
    begin, image, same = _wording(tokenizer, original.start_end)
    settings = {"BEGIN": repr(begin), "IMAGE": repr(image)}
    _, body = TEMPLATES[original.text]
    template = _SAID + body
    for name, value in settings.items():
        template = template.replace(name, value)
    strategy = original.plain.get("mm_vision_select_feature") or "patch"
    made = LlavaProcessor(
        image_processor=_pixels(original, vision, tower), tokenizer=tokenizer, patch_size=vision.patch_size,
        vision_feature_select_strategy={"patch": "default", "cls_patch": "full"}[strategy],
        num_additional_image_tokens=1, chat_template=template, image_token=IMAGE,
    )  # fmt: skip
    return made, same


def _wording(tokenizer: Any, start_end: bool) -> tuple[str, str, bool]:
    """(what a text begins with, what an image is in it, whether that gives the tokens of the pieces)."""
    image = f"<im_start>{IMAGE}<im_end>" if start_end else IMAGE
    bos = tokenizer.bos_token or ""
    wanted = _in_pieces(tokenizer, f"[INST] {image}\nIs there a nodule? [/INST]")
    for begin in dict.fromkeys((bos, f"{bos} " if bos else "", "")):
        for gap in ("", " "):
            text = f"{begin}[INST] {image}{gap}\nIs there a nodule? [/INST]"
            given = tokenizer(text, add_special_tokens=not (bos and text.startswith(bos)))["input_ids"]
            if given == wanted:
                return begin, f"{image}{gap}\n", True
    return "", f"{image}\n", False


def _in_pieces(tokenizer: Any, text: str) -> list[int]:
    """The tokens of the pieces around the image, each by itself, the image's between them."""
    image = tokenizer.convert_tokens_to_ids(IMAGE)
    first, *others = (tokenizer(piece)["input_ids"] for piece in text.split(IMAGE))
    begun = int(bool(first) and first[0] == tokenizer.bos_token_id)
    return [*first, *(token for piece in others for token in [image, *piece[begun:]])]


def _pixels(original: Original, vision: Any, tower: Path | None) -> Any:
    """What makes pixels of pictures: the tower's settings, a square by padding where LLaVA pads."""
    kind = LlavaImageProcessorPil if original.pads else CLIPImageProcessorPil
    pads = {"do_pad": True} if original.pads else {}
    for folder in (tower, original.folder):
        if folder is not None and (folder / _PIXELS).is_file():
            return kind.from_dict(read_json(folder / _PIXELS), **pads)
    side = vision.image_size
    return kind(size={"shortest_edge": side}, crop_size={"height": side, "width": side}, **pads)
