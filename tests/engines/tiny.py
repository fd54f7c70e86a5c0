"""Small models with drawn weights, saved as a hub would: config, tokenizer, chat template, processor, safetensors.

Nothing is downloaded. Weights are drawn wide enough that a reply depends on the image and on each word of the question,
and a tenth of the vocabulary ends a reply, so that replies have different lengths.
"""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

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


def tokenizer(image_token: str = "<image>") -> Any:
    """One token a word, made here, with a chat template."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    every = dict.fromkeys([*SPECIAL, *WORDS, *"abcdefghijklmnopqrstuvwxyz.,?"])
    vocabulary = {word: i for i, word in enumerate(every)}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    made = PreTrainedTokenizerFast(
        tokenizer_object=words, additional_special_tokens=list(SPECIAL[4:]), padding_side="left", **names
    )
    made.chat_template = TEMPLATE.replace("IMAGE", repr(image_token))
    return made


def _text(kind: str, words: Any, hidden: int, layers: int, **more: Any) -> dict[str, Any]:
    return {
        "model_type": kind, "vocab_size": len(words), "hidden_size": hidden, "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": hidden // 4,
        "max_position_embeddings": 2048, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3,
        "tie_word_embeddings": False, "initializer_range": 0.02 * (4096 / hidden) ** 0.5, **more,
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
    folder: Path, seed: int = 0, hidden: int = 64, layers: int = 2, side_px: int = 56, ends: int = ENDS
) -> Path:
    """LLaVA: patches of 14 px, (side / 14) squared image tokens."""
    import torch
    from transformers import CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    words = tokenizer()
    eyes = CLIPVisionConfig(
        hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=2, num_attention_heads=4,
        image_size=side_px, patch_size=14, initializer_range=0.1,
    )  # fmt: skip
    text = _text("llama", words, hidden, layers)
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
    eyes = {
        "hidden_size": hidden, "intermediate_size": 2 * hidden, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": 56, "patch_size": 14, "initializer_range": 0.1,
    }  # fmt: skip
    config = Idefics3Config(
        vision_config=eyes, text_config=_text("llama", words, hidden, layers), scale_factor=2,
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


def still_processor(folder: Path, most_px: int = 112) -> Any:
    """Qwen2.5-VL's processor for images of at most that side squared, without the one for videos."""
    from transformers import AutoTokenizer, Qwen2_5_VLProcessor
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    class Still(Qwen2_5_VLProcessor):
        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            return None

    words = AutoTokenizer.from_pretrained(folder)
    pixels = Qwen2VLImageProcessorPil(size={"shortest_edge": 28 * 28, "longest_edge": most_px * most_px})
    return Still(image_processor=pixels, tokenizer=words, chat_template=words.chat_template)
