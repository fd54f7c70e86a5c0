"""A checkpoint in memory, ready to be asked: whole, finite, in the right number format on its device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)

from mht.engines._checkpoint import check_folder, local_folder
from mht.engines._model import Loaded, loaded
from mht.engines._prompts import Reader
from mht.errors import ConfigError, InputError, IntegrityError

if TYPE_CHECKING:
    from mht.engines.transformers import Params

_FILES = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
_SHOWN = 5


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


def _device(name: str) -> torch.device:
    there = torch.cuda.is_available()
    if name.startswith("cuda") and not there:
        raise ConfigError(f"device is {name} and torch sees no GPU here; take auto or cpu")
    return torch.device(name if name != "auto" else "cuda" if there else "cpu")


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        name = "bfloat16" if device.type == "cuda" else "float32"
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _fetched(params: Params) -> Path:
    """The hub's files of the pinned revision in the local cache; no pickles, and code only where it is allowed."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = [*_FILES, *(["*.py"] if params.trust_remote_code else [])]
    try:
        return Path(snapshot_download(params.model, revision=params.revision, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        said = str(error).strip().splitlines()[0]
        raise InputError(
            f"{params.model} at {params.revision} is not to be had: {said}; check both, and the network"
        ) from error


def _model(params: Params, folder: Path, dtype: torch.dtype) -> Any:
    code = {"trust_remote_code": params.trust_remote_code}
    with _readable(folder, "config.json"):
        config = AutoConfig.from_pretrained(folder, **code)
    try:
        model, report = _kind(config, folder).from_pretrained(
            folder, config=config, dtype=dtype, use_safetensors=True, attn_implementation="sdpa",
            ignore_mismatched_sizes=True, output_loading_info=True, **code,
        )  # fmt: skip
    except SafetensorError as error:
        raise IntegrityError(f"the weights in {folder} cannot be read: {error}; copy them again") from error
    _refuse("have another shape than the model wants", folder, map(_shapes, report["mismatched_keys"]))
    _refuse("are not in the weights", folder, report["missing_keys"])
    return model


def _kind(config: Any, folder: Path) -> Any:
    """The library's class for models that read images, or for those that read text only."""
    if config.model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return AutoModelForImageTextToText
    remote = getattr(config, "auto_map", None) or {}
    if config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or "AutoModelForCausalLM" in remote:
        return AutoModelForCausalLM
    raise InputError(f"{folder} holds a {config.model_type}, which writes no text; take a model that does")


@contextmanager
def _readable(folder: Path, what: str) -> Iterator[None]:
    """The library's errors of reading settings, as ours, in one line."""
    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"the {what} of {folder} needs a package: {' '.join(str(error).split())}"
        ) from error
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise InputError(f"the {what} of {folder} cannot be read: {said}") from error


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
    config = PeftConfig.from_pretrained(adapter)
    config.base_model_name_or_path = None  # where the base lay at the time is no matter
    wrapped = get_peft_model(model, config)
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
        with _readable(folder, "tokenizer"):
            return Reader(AutoTokenizer.from_pretrained(folder, **code), None)
    with _readable(folder, "processor"):
        processor = AutoProcessor.from_pretrained(folder, **code)
    return Reader(processor.tokenizer, processor)
