"""Processors without the one for videos, which needs torchvision."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

GRID = [[56, 112], [112, 56], [112, 112]]
"""Heights and widths that tiles of 56 px make."""
STILL = {
    "qwen2_5_vl": "Qwen2_5_VLProcessor", "qwen3_vl": "Qwen3VLProcessor", "internvl": "InternVLProcessor",
    "llava_onevision": "LlavaOnevisionProcessor", "smolvlm": "SmolVLMProcessor",
}  # fmt: skip
"""Families whose processor builds one for videos."""


def still_processor(folder: Path, most_px: int = 112) -> Any:
    """The processor of a family in `STILL`, for images of about that side squared at most."""
    import transformers
    from transformers.models.smolvlm import processing_smolvlm

    processing_smolvlm.num2words = str  # it names the number of a video's frames
    kind = transformers.AutoConfig.from_pretrained(folder).model_type

    class Still(getattr(transformers, STILL[kind])):  # type: ignore[misc]
        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            return None

    words = transformers.AutoTokenizer.from_pretrained(folder)
    pixels, settings = _pixels(kind, most_px)
    return Still(pixels, words, chat_template=words.chat_template, **settings)


def _pixels(kind: str, most_px: int) -> tuple[Any, dict[str, Any]]:
    """(what makes pixels of pictures, the processor's settings)."""
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
    from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
        LlavaOnevisionImageProcessorPil,
    )
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    tile = {"height": 56, "width": 56}
    if kind == "internvl":
        tiles = (most_px // 56) ** 2
        return GotOcr2ImageProcessorPil(size=tile, crop_to_patches=True, max_patches=tiles), {
            "image_seq_length": 4
        }
    if kind == "llava_onevision":
        made = LlavaOnevisionImageProcessorPil(size=tile, image_grid_pinpoints=GRID)
        return made, {"num_image_tokens": 16, "vision_feature_select_strategy": "full"}
    if kind == "smolvlm":
        sizes = {"size": {"longest_edge": most_px}, "max_image_size": {"longest_edge": 56}}
        films = SimpleNamespace(num_frames=0, fps=0, model_input_names=[])
        return SmolVLMImageProcessorPil(**sizes), {"image_seq_len": 4, "video_processor": films}
    return Qwen2VLImageProcessorPil(size={"shortest_edge": 28 * 28, "longest_edge": most_px * most_px}), {}
