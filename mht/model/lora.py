"""What of a model is trained: low-rank adapters on chosen modules, the projector beside them, or whole parts of it.

What is trained is kept in float32, whatever the frozen rest is in: small steps would be lost in bfloat16.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mht.errors import ConfigError
from mht.model.parts import Part, part_of

TARGETS = (
    r"(?!.*(?:vision|visual|image_encoder))(?:.*\.)?(?:layers|h|blocks)\.\d+\."
    r"(?:self_attn|attn|attention|mlp|feed_forward)\.\w*proj\w*"
)
"""Attention and MLP projections of the language model, in every family that transformers names as Llama does."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Adapters:
    """Low-rank adapters. `targets` is a regex that a module's whole name must match, None for TARGETS.

    With `projector` its own weights are trained and kept with the adapter, as PEFT's `modules_to_save`.
    """

    rank: int
    alpha: float
    dropout: float
    targets: str | None
    rslora: bool
    dora: bool
    projector: bool = False


def adapt(model: Any, adapters: Adapters, seed: int) -> Any:
    """The model in PEFT's wrapper with adapters drawn from the seed, the same on every rank.

    Raises ConfigError with the nearest names where no module that can be adapted is meant, and where the projector is
    to be trained and there is none, or the targets mean modules of it, too.
    """
    from peft import LoraConfig, get_peft_model

    targets = targeted(model, adapters.targets or TARGETS)
    beside = _projectors(model, adapters.targets or TARGETS) if adapters.projector else None
    torch.manual_seed(seed)
    config = LoraConfig(
        r=adapters.rank,
        lora_alpha=adapters.alpha,
        lora_dropout=adapters.dropout,
        target_modules=targets,
        use_rslora=adapters.rslora,
        use_dora=adapters.dora,
        modules_to_save=beside,
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # PEFT asks transformers for a name that it deprecates.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        wrapped = get_peft_model(model, config)
    _keep_whole(wrapped)
    return wrapped


def targeted(model: nn.Module, pattern: str) -> str | list[str]:
    """What PEFT is to be told: the pattern, or names where the pattern also means modules that hold others."""
    meant = re.compile(pattern)
    names = {name: isinstance(module, nn.Linear) for name, module in model.named_modules() if name}
    found = [name for name in names if meant.fullmatch(name)]
    linear = [name for name in found if names[name]]
    if not linear:
        there = [name for name, fits in names.items() if fits]
        wanted = re.sub(r"\\[dw.]|[^\w.]", "", pattern)
        near = difflib.get_close_matches(wanted, there, n=_SHOWN, cutoff=0.0)
        raise ConfigError(
            f"lora.targets: no linear module of the model has a name that is {pattern!r} from its first letter to its "
            f"last; near ones are {', '.join(near)}"
        )
    return pattern if len(linear) == len(found) else linear


def _projectors(model: nn.Module, pattern: str) -> list[str]:
    """The names of the modules that are a projector, without those within; a list's own members, not the list.

    A vector that is no module's, as LLaVA-NeXT's at the end of each line of patches, stays frozen: PEFT keeps modules.
    """
    found: list[str] = []
    for name, module in model.named_modules():
        inside = any(name.startswith(f"{one}.") for one in found)
        if part_of(name) == "projector" and not inside and not isinstance(module, nn.ModuleList):
            found.append(name)
    if not found:
        raise ConfigError("projector: the model has none to train; leave projector=trained out")
    meant = re.compile(pattern)
    both = [
        name for name, _ in model.named_modules() if meant.fullmatch(name) and part_of(name) == "projector"
    ]
    if both:
        raise ConfigError(
            f"lora.targets: {both[0]} is of the projector, which projector=trained trains as a whole; "
            "leave one of the two out"
        )
    return found


def unfreeze(model: nn.Module, parts: Collection[Part]) -> None:
    """Full training of these parts; the others are frozen. Raises ConfigError where nothing is left to train."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(part_of(name) in parts)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigError(f"method: the model has none of the parts {', '.join(sorted(parts))}")
    _keep_whole(model)


def _keep_whole(model: nn.Module) -> None:
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def counts(model: nn.Module) -> tuple[int, int]:
    """(parameters that are trained, all of them); of the whole model also where it is sharded."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)
