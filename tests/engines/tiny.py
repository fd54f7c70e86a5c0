"""Small models with drawn weights, saved as a hub would: config, tokenizer, chat template, processor, safetensors.

Nothing is downloaded. Weights are drawn wide enough that a reply depends on the image and on each word of the question,
and a tenth of the vocabulary ends a reply, so that replies have different lengths.
"""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

from tests.engines.still import GRID
from tests.engines.still import STILL as STILL
from tests.engines.still import still_processor as still_processor

WORDS = (
    "describe", "the", "image", "is", "there", "a", "an", "no", "yes", "of", "in", "on", "left", "right", "lung",
    "heart", "liver", "kidney", "nodule", "mass", "fracture", "effusion", "small", "large", "opacity", "clear",
    "chest", "head", "brain", "what", "which", "side", "size", "where", "how", "many", "normal", "system", "user",
    "assistant", "you", "are", "radiologist", "careful", "answer", "briefly", "one", "two", "three", "four", "five",
    "six", "seven", "eight", "nine", "ten", "and", "or", "with", "without",
)  # fmt: skip
SPECIAL = (
    "<pad>", "<unk>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<image>", "<fake_token_around_image>",
    "<global-img>", "<end_of_utterance>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>",
    *(f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)),
)  # fmt: skip
ENDS = 10
"""So many words end a reply, beside `</s>`."""
TEMPLATE = (
    "{{ '<s>' }}{% for message in messages %}"
    "{{ '<|' + message['role'] + '|> ' if message['role'] != 'system' else '' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ IMAGE }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "{{ ' ' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def png(seed: int, side_px: int = 56, height_px: int | None = None) -> bytes:
    """A grey picture of blocks, drawn from the seed."""
    from PIL import Image

    rng = random.Random(seed)
    small = Image.new("L", (7, 7))
    small.putdata([rng.randrange(256) for _ in range(49)])
    out = io.BytesIO()
    small.resize((side_px, height_px or side_px), Image.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()


def tokenizer(image_token: str = "<image>", /, **named: str) -> Any:
    """One token a word, made here, with a chat template; `named` are special ones that a processor asks for by name."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    every = dict.fromkeys([*SPECIAL, *WORDS, *"abcdefghijklmnopqrstuvwxyz.,?", *named.values()])
    vocabulary = {word: i for i, word in enumerate(every)}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    made = PreTrainedTokenizerFast(
        tokenizer_object=words, additional_special_tokens=list(SPECIAL[4:]), padding_side="left",
        model_specific_special_tokens=named, **names,
    )  # fmt: skip
    made.chat_template = TEMPLATE.replace("IMAGE", repr(image_token))
    return made


def _text(kind: str, words: Any, hidden: int, layers: int, **more: Any) -> dict[str, Any]:
    return {
        "model_type": kind, "vocab_size": len(words), "hidden_size": hidden, "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": hidden // 4,
        "max_position_embeddings": 2048, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3,
        "tie_word_embeddings": False, "initializer_range": 0.02 * (4096 / hidden) ** 0.5, **more,
    }  # fmt: skip


def _eyes(hidden: int, **more: Any) -> dict[str, Any]:
    """Pictures of 56 px in patches of 14."""
    return {
        "hidden_size": hidden, "intermediate_size": 2 * hidden, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": 56, "patch_size": 14, "initializer_range": 0.1, **more,
    }  # fmt: skip


def _save(model: Any, folder: Path, reader: Any, ends: int = ENDS) -> Path:
    from transformers import GenerationConfig

    words = getattr(reader, "tokenizer", reader)
    first = len(SPECIAL)
    model.generation_config = GenerationConfig(
        pad_token_id=0, bos_token_id=2, eos_token_id=[3, *range(first, first + ends)]
    )
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    reader.save_pretrained(folder)
    return folder


def text_only(
    folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2, kind: str = "llama", **more: Any
) -> Path:
    """A language model without eyes."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    words = tokenizer()
    settings = _text(kind, words, hidden, layers, **more)
    torch.manual_seed(seed)
    return _save(AutoModelForCausalLM.from_config(AutoConfig.for_model(**settings)), folder, words)


def llava(
    folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2, side_px: int = 56, ends: int = ENDS,
    window: int | None = None,
) -> Path:  # fmt: skip
    """LLaVA: patches of 14 px, (side / 14) squared image tokens; of Mistral with a window, else of LLaMA."""
    import torch
    from transformers import CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    words = tokenizer()
    eyes = CLIPVisionConfig(
        hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=2, num_attention_heads=4,
        image_size=side_px, patch_size=14, initializer_range=0.1,
    )  # fmt: skip
    text = _text("llama" if window is None else "mistral", words, hidden, layers)
    text |= {} if window is None else {"sliding_window": window}
    config = LlavaConfig(
        vision_config=eyes, text_config=text, image_token_index=words.convert_tokens_to_ids("<image>"),
        tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = LlavaForConditionalGeneration(config)
    size = {"height": side_px, "width": side_px}
    pixels = CLIPImageProcessorPil(size={"shortest_edge": side_px}, crop_size=size)
    reader = LlavaProcessor(
        image_processor=pixels, tokenizer=words, patch_size=14, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=words.chat_template,
    )  # fmt: skip
    return _save(model, folder, reader, ends)


def idefics3(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2) -> Path:
    """Idefics3: tiles of 56 px beside the whole, 4 tokens each, so that a picture's size decides its tokens."""
    import torch
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    words = tokenizer()
    config = Idefics3Config(
        vision_config=_eyes(hidden), text_config=_text("llama", words, hidden, layers), scale_factor=2,
        image_token_id=words.convert_tokens_to_ids("<image>"), pad_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = Idefics3ForConditionalGeneration(config)
    pixels = Idefics3ImageProcessorPil(size={"longest_edge": 112}, max_image_size={"longest_edge": 56})
    reader = Idefics3Processor(
        image_processor=pixels, tokenizer=words, image_seq_len=4, chat_template=words.chat_template
    )
    return _save(model, folder, reader)


def qwen2_5_vl(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2) -> Path:
    """Qwen2.5-VL: three-dimensional positions, and as many tokens as the picture's size asks for.

    Its processor builds one for videos, which needs torchvision: `still_processor` reads the folder without.
    """
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    words = tokenizer("<|vision_start|><|image_pad|><|vision_end|>")
    eyes = {
        "hidden_size": hidden, "intermediate_size": 2 * hidden, "depth": 2, "num_heads": 4, "patch_size": 14,
        "out_hidden_size": hidden, "fullatt_block_indexes": [1], "window_size": 112, "initializer_range": 0.1,
    }  # fmt: skip
    text = _text("qwen2_5_vl_text", words, hidden, layers)
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    ids = words.convert_tokens_to_ids
    config = Qwen2_5_VLConfig(
        vision_config=eyes, text_config=text, tie_word_embeddings=False, image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"), vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
    )  # fmt: skip
    torch.manual_seed(seed)
    return _save(Qwen2_5_VLForConditionalGeneration(config), folder, words)


def qwen3_vl(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 3) -> Path:
    """Qwen3-VL: positions as Qwen2.5-VL's, and features of the image in the first two layers of the language model."""
    import torch
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    words = tokenizer("<|vision_start|><|image_pad|><|vision_end|>")
    eyes = {
        "hidden_size": hidden, "intermediate_size": 2 * hidden, "depth": 2, "num_heads": 4, "patch_size": 14,
        "out_hidden_size": hidden, "num_position_embeddings": 16, "deepstack_visual_indexes": [0, 1],
        "initializer_range": 0.1,
    }  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [3, 3, 2], "mrope_interleaved": True}
    ids = words.convert_tokens_to_ids
    config = Qwen3VLConfig(
        vision_config=eyes, text_config=_text("qwen3_vl_text", words, hidden, layers, rope_parameters=rope),
        tie_word_embeddings=False, image_token_id=ids("<|image_pad|>"), video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"), vision_end_token_id=ids("<|vision_end|>"),
    )  # fmt: skip
    torch.manual_seed(seed)
    return _save(Qwen3VLForConditionalGeneration(config), folder, words)


def internvl(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2) -> Path:
    """InternVL: as many tiles of 56 px as the picture's shape asks for, 4 tokens each."""
    import torch
    from transformers import InternVLConfig, InternVLForConditionalGeneration

    words = tokenizer(
        "<IMG_CONTEXT>", start_image_token="<img>", end_image_token="</img>", context_image_token="<IMG_CONTEXT>",
        video_token="<|video_pad|>",
    )  # fmt: skip
    config = InternVLConfig(
        vision_config=_eyes(hidden), text_config=_text("qwen2", words, hidden, layers), image_seq_length=4,
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"), tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(seed)
    return _save(InternVLForConditionalGeneration(config), folder, words)


def gemma3(folder: Path, seed: int = 1, hidden: int = 64, layers: int = 2, window: int = 6) -> Path:
    """Gemma 3: 4 tokens that see each other both ways, and every second layer sees so many tokens back."""
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3Processor
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

    words = tokenizer("<boi>", boi_token="<boi>", eoi_token="<eoi>", image_token="<soft>")
    kinds = ["sliding_attention" if layer % 2 == 0 else "full_attention" for layer in range(layers)]
    text = _text("gemma3_text", words, hidden, layers, layer_types=kinds, sliding_window=window)
    ids = words.convert_tokens_to_ids
    config = Gemma3Config(
        vision_config=_eyes(hidden, model_type="siglip_vision_model", vision_use_head=False),
        text_config=text | {"query_pre_attn_scalar": hidden // 4}, mm_tokens_per_image=4, tie_word_embeddings=False,
        boi_token_index=ids("<boi>"), eoi_token_index=ids("<eoi>"), image_token_index=ids("<soft>"),
    )  # fmt: skip
    torch.manual_seed(seed)
    model = Gemma3ForConditionalGeneration(config)
    torch.nn.init.normal_(
        model.model.multi_modal_projector.mm_input_projection_weight, std=0.1
    )  # else zeros: blind
    pixels = Gemma3ImageProcessorPil(size={"height": 56, "width": 56})
    reader = Gemma3Processor(pixels, words, chat_template=words.chat_template, image_seq_length=4)
    return _save(model, folder, reader)


def llava_next(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2) -> Path:
    """LLaVA-NeXT (1.6): the whole and tiles of it, a token at the end of each line of patches."""
    import torch
    from transformers import LlavaNextConfig, LlavaNextForConditionalGeneration, LlavaNextProcessor
    from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

    words = tokenizer()
    config = LlavaNextConfig(
        vision_config=_eyes(hidden, model_type="clip_vision_model"), image_grid_pinpoints=GRID,
        text_config=_text("mistral", words, hidden, layers, sliding_window=None), tie_word_embeddings=False,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    torch.manual_seed(seed)
    model = LlavaNextForConditionalGeneration(config)
    size = {"height": 56, "width": 56}
    pixels = LlavaNextImageProcessorPil(size={"shortest_edge": 56}, crop_size=size, image_grid_pinpoints=GRID)
    reader = LlavaNextProcessor(
        pixels, words, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=words.chat_template,
    )  # fmt: skip
    return _save(model, folder, reader)


def llava_onevision(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2) -> Path:
    """LLaVA-OneVision: tiles as LLaVA-NeXT's, from a SigLIP without a class token."""
    import torch
    from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration

    words = tokenizer()
    ids = words.convert_tokens_to_ids
    config = LlavaOnevisionConfig(
        vision_config=_eyes(hidden, model_type="siglip_vision_model", vision_use_head=False),
        text_config=_text("qwen2", words, hidden, layers), tie_word_embeddings=False, image_grid_pinpoints=GRID,
        image_token_index=ids("<image>"), video_token_index=ids("<|video_pad|>"),
    )  # fmt: skip
    torch.manual_seed(seed)
    return _save(LlavaOnevisionForConditionalGeneration(config), folder, words)


def smolvlm(folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2) -> Path:
    """SmolVLM: Idefics3's tiles, another way from patches to pixels."""
    import torch
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    words = tokenizer()
    config = SmolVLMConfig(
        vision_config=_eyes(hidden), text_config=_text("llama", words, hidden, layers), scale_factor=2,
        image_token_id=words.convert_tokens_to_ids("<image>"), tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(seed)
    return _save(SmolVLMForConditionalGeneration(config), folder, words)
