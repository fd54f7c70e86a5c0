"""A checkpoint in memory: whole, finite, in the right number format; its tokenizer and processor."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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

from mht.errors import ConfigError, InputError, IntegrityError
from mht.pretrained.bases import full_model
from mht.pretrained.files import check_folder, is_commit, local_folder

_SETTINGS = ("*.json", "*.jinja", "*.model", "*.txt")
_FILES = (*_SETTINGS, "*.safetensors")
_SHOWN = 5


def folder_of(model: str, revision: str | None, trust_remote_code: bool) -> Path:
    """The checked folder of a checkpoint: the one that `model` names, or the hub's files in the local cache.

    Raises InputError where it is not to be had, IntegrityError for weights that cannot be used.
    """
    folder = local_folder(model) or _fetched(model, revision, trust_remote_code)
    check_folder(folder)
    return folder


def settings_in(model: str, revision: str | None, trust_remote_code: bool) -> Path:
    """The folder of a full model or a run's, or a hub's files but for the weights.

    Raises InputError where it is not to be had.
    """
    return full_model(model) or _fetched(model, revision, trust_remote_code, _SETTINGS)


def outline_in(folder: Path, dtype: torch.dtype, trust_remote_code: bool = False) -> Any:
    """The model of a folder without its weights: every parameter has its shape, and takes no memory."""
    code = {"trust_remote_code": trust_remote_code}
    with _readable(folder, "config.json"):
        config = AutoConfig.from_pretrained(folder, **code)
    with torch.device("meta"):
        return _kind(config, folder).from_config(config, dtype=dtype, attn_implementation="sdpa", **code)


def commit_in(folder: Path) -> str | None:
    """The commit of a hub's snapshot in the local cache; None for any other folder."""
    return folder.name if folder.parent.name == "snapshots" and is_commit(folder.name) else None


def commit_now(model: str, revision: str | None) -> str | None:
    """The commit that a hub id's branch (None: its main one) points at; None where nobody can say."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return commit_in(Path(hf_hub_download(model, "config.json", revision=revision)).parent)
    except (HfHubHTTPError, LocalEntryNotFoundError):
        return None


def model_in(folder: Path, dtype: torch.dtype, trust_remote_code: bool = False) -> Any:
    """The model of a folder on the CPU. Raises ConfigError, InputError or IntegrityError naming file or tensor."""
    transformers.logging.disable_progress_bar()
    model = _model(folder, dtype, trust_remote_code)
    refuse_not_finite(model, folder)
    return model


def device_of(name: str) -> torch.device:
    """auto, cpu, cuda or cuda:N as torch has it. Raises ConfigError for a GPU that is not there."""
    there = torch.cuda.is_available()
    if name.startswith("cuda") and not there:
        raise ConfigError(f"device is {name} and torch sees no GPU here; take auto or cpu")
    return torch.device(name if name != "auto" else "cuda" if there else "cpu")


def dtype_of(name: str, device: torch.device) -> torch.dtype:
    """The named format; auto is bfloat16 on a GPU and float32 elsewhere."""
    if name == "auto":
        name = "bfloat16" if device.type == "cuda" else "float32"
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _fetched(
    model: str, revision: str | None, trust_remote_code: bool, files: Sequence[str] = _FILES
) -> Path:
    """The hub's files of the pinned revision in the local cache; no pickles, and code only where it is allowed."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = [*files, *(["*.py"] if trust_remote_code else [])]
    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        said = str(error).strip().splitlines()[0]
        raise InputError(
            f"{model} at {revision} is not to be had: {said}; check both, and the network"
        ) from error


def _model(folder: Path, dtype: torch.dtype, trust_remote_code: bool) -> Any:
    code = {"trust_remote_code": trust_remote_code}
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


def refuse_not_finite(model: Any, folder: Path) -> None:
    """Raise IntegrityError naming the parameters that are not numbers."""
    bad = [name for name, tensor in model.named_parameters() if not bool(torch.isfinite(tensor).all())]
    _refuse("hold NaN or infinity", folder, bad)


def adapted(model: Any, adapter: Path, trainable: bool = False) -> Any:
    """The model with a PEFT adapter on it, as PEFT wraps it; what is adapted shares its weight with nothing.

    Raises IntegrityError where the two do not fit.
    """
    from peft import PeftConfig, get_peft_model
    from peft.utils import load_peft_weights, set_peft_model_state_dict

    check_folder(adapter, "adapter_config.json")
    config = PeftConfig.from_pretrained(adapter)
    config.base_model_name_or_path = None  # where the base lay at the time is no matter
    config.inference_mode = not trainable
    with warnings.catch_warnings():
        # PEFT warns of merging into a weight that is shared, which it then is not.
        warnings.filterwarnings("ignore", "Model has `tie_word_embeddings=True`", UserWarning)
        wrapped = get_peft_model(model, config)
    _untie(wrapped)
    try:
        report = set_peft_model_state_dict(wrapped, load_peft_weights(str(adapter), device="cpu"))
    except RuntimeError as error:
        shapes = [line.strip() for line in str(error).splitlines() if "size mismatch" in line]
        if not shapes:
            raise
        raise IntegrityError(f"{adapter} is not for this model: {'; '.join(shapes[:_SHOWN])}") from error
    _refuse("of the adapter are not in the model", adapter, report.unexpected_keys)
    trained = ("lora_", "modules_to_save")
    missing = [name for name in report.missing_keys if any(one in name for one in trained)]
    _refuse("are not in the adapter", adapter, missing)
    return wrapped


def _untie(wrapped: Any) -> None:
    """Give an adapted module that shares its weight, as a tied head does, one of its own: a merge would change both.

    The config says so, too, for the library ties by it whatever it loads.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    users = Counter(id(one) for module in wrapped.modules() for one in module.parameters(recurse=False))
    layers = [one.get_base_layer() for one in wrapped.modules() if isinstance(one, BaseTunerLayer)]
    tied = [layer for layer in layers if users[id(getattr(layer, "weight", None))] > 1]
    for layer in tied:
        layer.weight = torch.nn.Parameter(layer.weight.detach().clone(), requires_grad=False)
    if tied:
        config = wrapped.get_base_model().config
        for one in (config, config.get_text_config()):
            one.tie_word_embeddings = False


def reader_in(folder: Path, model: Any, trust_remote_code: bool = False) -> tuple[Any, Any | None]:
    """(tokenizer, processor) of a model's folder; the processor is None for a model that reads text only."""
    code = {"trust_remote_code": trust_remote_code}
    if model.config.model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        with _readable(folder, "tokenizer"):
            return AutoTokenizer.from_pretrained(folder, **code), None
    with _readable(folder, "processor"):
        processor = AutoProcessor.from_pretrained(folder, **code)
    return processor.tokenizer, processor


def ends_of(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a reply, by the model's settings and its tokenizer's."""
    named = (model.generation_config, tokenizer, model.config.get_text_config())
    return frozenset(end for one in named for end in _ids(one.eos_token_id))


def context_of(config: Any) -> int:
    """How many tokens the model can read; a very large number where its configuration does not say."""
    return getattr(config.get_text_config(), "max_position_embeddings", None) or 1 << 30


def _ids(value: int | Sequence[int] | None) -> list[int]:
    if value is None:
        return []
    return [value] if isinstance(value, int) else list(value)
