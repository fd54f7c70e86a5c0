"""A checkpoint in memory, ready to be asked: whole, finite, in the right number format on its device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
import transformers
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from mht.engines._checkpoint import check_folder, local_folder
from mht.engines._prompts import Pixels, Reader
from mht.errors import ConfigError, IntegrityError

if TYPE_CHECKING:
    from mht.engines.transformers import Params

# Architectures whose shared prefixes give the text of separate calls; tests/engines/test_parity.py holds each to it.
ADMITTED = frozenset(
    {"llava", "idefics3", "qwen2_5_vl", "qwen2_5_vl_text", "llama", "mistral", "qwen2", "qwen3"}
)
_FILES = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
_SHOWN = 5


class Forward(Protocol):
    """The model's computation: logits [rows, vocabulary] of the last column; keys and values go into the cache."""

    def __call__(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor | None,
        positions: torch.Tensor,
        cache: Any,
        pixels: Pixels,
    ) -> torch.Tensor: ...


@dataclass(frozen=True)
class Loaded:
    """A model and what is known of it. `context` is in tokens, `ends` are the tokens that end a reply."""

    model: Any
    reader: Reader
    forward: Forward
    device: torch.device
    context: int
    ends: frozenset[int]
    pad: int
    shares: bool

    def placed(self, tensor: torch.Tensor) -> torch.Tensor:
        """On the model's device, and in its number format if it is no integer."""
        dtype = self.model.dtype if tensor.is_floating_point() else tensor.dtype
        return tensor.to(self.device, dtype)

    def padded(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and which of them are real, padded on the left."""
        width = max(map(len, rows))
        ids = torch.tensor([[self.pad] * (width - len(row)) + list(row) for row in rows], device=self.device)
        counts = torch.tensor([[len(row)] for row in rows], device=self.device)
        return ids, torch.arange(width, device=self.device) >= width - counts

    def positions(
        self, ids: torch.Tensor, real: torch.Tensor, pixels: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions of padded beginnings, as the model wants them, and the position that comes next in each row."""
        flat = (real.cumsum(1) - 1).clamp(min=0)
        if not self._three_axes:
            return flat, flat[:, -1] + 1
        kinds = (ids == self.model.config.image_token_id).int()
        whole, delta = self.model.model.get_rope_index(
            ids, kinds, image_grid_thw=pixels.get("image_grid_thw"), attention_mask=real
        )
        return whole, flat[:, -1] + 1 + delta[:, 0]

    def further(self, flat: torch.Tensor) -> torch.Tensor:
        """Positions of text, as the model wants them."""
        return flat.expand(3, -1, -1) if self._three_axes else flat

    @property
    def _three_axes(self) -> bool:
        """Whether an image's tokens have a time, a height and a width for their position."""
        return bool(self.model.config.model_type.startswith("qwen2_5_vl"))


class _Whole:
    """The model itself as a Forward."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor | None,
        positions: torch.Tensor,
        cache: Any,
        pixels: Pixels,
    ) -> torch.Tensor:
        made = self._model(
            input_ids=ids, attention_mask=mask, position_ids=positions, cache=cache, use_cache=True,
            logits_to_keep=1, **pixels,
        )  # fmt: skip
        logits: torch.Tensor = made.logits[:, -1]
        return logits


def load(params: Params) -> Loaded:
    """The model in memory. Raises ConfigError, InputError or IntegrityError, naming the file or the tensor."""
    transformers.logging.disable_progress_bar()
    folder = local_folder(params.model) or _fetched(params)
    check_folder(folder)
    device = _device(params.device)
    model = _model(params, folder, _dtype(params.dtype, device))
    if params.adapter is not None:
        model = _adapted(model, Path(params.adapter))
    model = model.to(device).eval()
    _refuse_not_finite(model, folder)
    return loaded(model, _reader(params, folder, model))


def loaded(model: Any, reader: Reader) -> Loaded:
    """What is known of a model in memory and the reader of its prompts."""
    config = model.config.get_text_config()
    tokenizer = reader.tokenizer
    ends = {
        *_ids(model.generation_config.eos_token_id),
        *_ids(tokenizer.eos_token_id),
        *_ids(config.eos_token_id),
    }
    return Loaded(
        model=model,
        reader=reader,
        forward=_Whole(model),
        device=model.device,
        context=getattr(config, "max_position_embeddings", None) or 1 << 30,
        ends=frozenset(ends),
        pad=next(iter([*_ids(tokenizer.pad_token_id), *_ids(tokenizer.eos_token_id), 0])),
        shares=_shares(model.config),
    )


def _shares(config: Any) -> bool:
    """Both the whole and its language model are admitted, and each layer sees all that is before."""
    text = config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or ["full_attention"])
    windowed = kinds != {"full_attention"} or (
        getattr(text, "sliding_window", None) is not None and getattr(text, "use_sliding_window", True)
    )
    return {config.model_type, text.model_type} <= ADMITTED and not windowed


def _ids(value: int | Sequence[int] | None) -> list[int]:
    if value is None:
        return []
    return [value] if isinstance(value, int) else list(value)


def _device(name: str) -> torch.device:
    there = torch.cuda.is_available()
    if name.startswith("cuda") and not there:
        raise ConfigError(f"engine.device is {name} and torch sees no GPU here; take auto or cpu")
    return torch.device(name if name != "auto" else "cuda" if there else "cpu")


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        name = "bfloat16" if device.type == "cuda" else "float32"
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _fetched(params: Params) -> Path:
    """The hub's files of the pinned revision in the local cache; no pickles, and code only where it is allowed."""
    from huggingface_hub import snapshot_download

    wanted = [*_FILES, *(["*.py"] if params.trust_remote_code else [])]
    return Path(snapshot_download(params.model, revision=params.revision, allow_patterns=wanted))


def _model(params: Params, folder: Path, dtype: torch.dtype) -> Any:
    code = {"trust_remote_code": params.trust_remote_code}
    config = AutoConfig.from_pretrained(folder, **code)
    sees = config.model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    kind = AutoModelForImageTextToText if sees else AutoModelForCausalLM
    try:
        model, report = kind.from_pretrained(
            folder, config=config, dtype=dtype, use_safetensors=True, attn_implementation="sdpa",
            ignore_mismatched_sizes=True, output_loading_info=True, **code,
        )  # fmt: skip
    except SafetensorError as error:
        raise IntegrityError(f"the weights in {folder} cannot be read: {error}; copy them again") from error
    _refuse("have another shape than the model wants", folder, map(_shapes, report["mismatched_keys"]))
    _refuse("are not in the weights", folder, report["missing_keys"])
    return model


def _shapes(mismatched: Sequence[Any]) -> str:
    name, there, wanted = mismatched
    return f"{name} ({'x'.join(map(str, there))}, wanted {'x'.join(map(str, wanted))})"


def _refuse(what: str, folder: Path, names: Any) -> None:
    """Raise IntegrityError naming the first five, if there are any."""
    named = sorted(names)
    if named:
        more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        raise IntegrityError(
            f"{folder}: {len(named)} tensors {what}: {', '.join(named[:_SHOWN])}{more}; "
            "config and weights must be of one model"
        )


def _refuse_not_finite(model: Any, folder: Path) -> None:
    bad = [name for name, tensor in model.named_parameters() if not bool(torch.isfinite(tensor).all())]
    _refuse("hold NaN or infinity", folder, bad)


def _adapted(model: Any, adapter: Path) -> Any:
    """The model with a PEFT adapter merged into its weights: as fast as without."""
    from peft import PeftConfig, get_peft_model
    from peft.utils import load_peft_weights, set_peft_model_state_dict

    check_folder(adapter, "adapter_config.json")
    wrapped = get_peft_model(model, PeftConfig.from_pretrained(adapter))
    try:
        report = set_peft_model_state_dict(wrapped, load_peft_weights(str(adapter), device="cpu"))
    except RuntimeError as error:
        shapes = [line.strip() for line in str(error).splitlines() if "size mismatch" in line]
        if not shapes:
            raise
        raise IntegrityError(f"{adapter} is not for this model: {'; '.join(shapes[:_SHOWN])}") from error
    _refuse("of the adapter are not in the model", adapter, report.unexpected_keys)
    _refuse("are not in the adapter", adapter, [name for name in report.missing_keys if "lora_" in name])
    return wrapped.merge_and_unload()


def _reader(params: Params, folder: Path, model: Any) -> Reader:
    code = {"trust_remote_code": params.trust_remote_code}
    if model.config.model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return Reader(AutoTokenizer.from_pretrained(folder, **code), None)
    try:
        processor = AutoProcessor.from_pretrained(folder, **code)
    except ImportError as error:
        raise ConfigError(f"the processor of {params.model} needs a package: {error}") from error
    return Reader(processor.tokenizer, processor)
