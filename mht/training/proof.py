"""The parity certificate of a run: on its own model and data, sharing an image changes neither loss nor gradient.

It is of two examples with up to four exchanges each, on the first rank, before the model is divided among the ranks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from mht.artifacts import dump_json
from mht.errors import StorageMissing
from mht.model.certificate import TOLERANCE, certify
from mht.model.examples import Example
from mht.model.learner import Learner
from mht.model.parts import part_of
from mht.pretrained.chat import Chat
from mht.storage import Storage, join
from mht.training.preparation import Speech, Tokeniser
from mht.training.step import computing

CERTIFICATE = "certificate.json"
_EXCHANGES = 4
_HALF, _A_LAYER = 3e-2, 1e-2
"""bfloat16 has 8 bits: two right ways to add up differ by 5e-3 in a gradient of 2 layers and 2.6e-2 in one of 32, by
the square root of the layers. A mask that leaks differs by about 1 in either.
"""
_FITS = 0.7
"""Share of a device's free memory that the model may take, with the gradient that is compared."""
_GRADIENT_BYTES = 1 << 30
"""The gradient that is compared, in float32, may be so large; it is in the host's memory twice."""
_ALL, _NORMS = "all parameters", "the language model's norms"


class Proof:
    """Gives the certificate that the run's folder holds, or makes it."""

    def __init__(
        self,
        storage: Storage,
        root: str,
        device: torch.device,
        compute: torch.dtype,
        examples: Sequence[Example],
        say: Callable[[str], None],
    ) -> None:
        self._storage = storage
        self._uri = join(root, CERTIFICATE)
        self._device = device
        self._compute = compute
        self._examples = [replace(one, exchanges=one.exchanges[:_EXCHANGES]) for one in examples]
        self._say = say

    def __call__(self, learner: Learner, speech: Speech, chat: Chat) -> bool:
        """Whether exchanges may share their image; where they may not, or it was not proven here, that is said."""
        try:
            plain = json.loads(self._storage.read(self._uri))
        except StorageMissing:
            plain = self._made(learner, speech, chat)
            self._storage.write(self._uri, dump_json(plain))
        if not plain["shared"]:
            self._say(f"{plain['architecture']}: exchanges do not share their image: {plain['because']}")
        elif not plain.get("proven", True):
            self._say(
                f"{plain['architecture']}: exchanges share their image, and that it changes nothing was not proven on "
                f"this model: {plain['because']}"
            )
        return bool(plain["shared"])

    def _made(self, learner: Learner, speech: Speech, chat: Chat) -> dict[str, Any]:
        name = learner.architecture.name
        if not learner.architecture.admitted:
            because = "the family is not admitted"
            return {"architecture": name, "shared": False, "proven": False, "because": because}
        if not _fits(learner, self._device):
            because = "the family is admitted; too large to prove here"
            return {"architecture": name, "shared": True, "proven": False, "because": because}
        prepared = Tokeniser(replace(speech, rejected=False), chat).prepare(self._examples)
        whole = _whole_fits(learner, self._device)
        learner.to(self._device)
        with _compared(learner, whole) as count, computing(self._device, self._compute):
            found = certify(learner, prepared, tolerance(self._compute, _layers(learner)))
        because = "proven" if found.holds else "loss or gradient differs from that of separate rows"
        of = {"gradient_of": _ALL if whole else _NORMS, "gradient_parameters": count}
        return {"shared": found.holds, "proven": found.holds, "because": because, **of, **found.plain()}


def tolerance(compute: torch.dtype, layers: int) -> float:
    """How far apart loss and gradient of a language model of so many layers may be, relative."""
    return TOLERANCE if compute == torch.float32 else max(_HALF, _A_LAYER * math.sqrt(layers))


def _layers(learner: Learner) -> int:
    return int(learner.whole.get_decoder().config.num_hidden_layers)


@contextmanager
def _compared(learner: nn.Module, whole: bool) -> Iterator[int]:
    """Let only what is compared have a gradient; how many parameters that are.

    That is all of the model, or of one that is too large the language model's norms: they stand in every layer, and are
    small. Adapters change nothing yet, and are left out.
    """
    before = [(parameter, parameter.requires_grad) for parameter in learner.parameters()]
    count = 0
    for name, parameter in learner.named_parameters():
        there = _is_the_models(name, parameter) if whole else _is_a_norm(name, parameter)
        parameter.requires_grad_(there)
        count += parameter.numel() if there else 0
    try:
        yield count
    finally:
        for parameter, trained in before:
            parameter.requires_grad_(trained)


def _is_the_models(name: str, parameter: nn.Parameter) -> bool:
    return parameter.is_floating_point() and "lora_" not in name and ".original_module." not in name


def _is_a_norm(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim == 1 and part_of(name) == "language" and _is_the_models(name, parameter)


def _whole_fits(module: nn.Module, device: torch.device) -> bool:
    """Whether the gradient of all parameters can be compared."""
    numbers = sum(parameter.numel() for parameter in module.parameters())
    gradient = sum(p.numel() * p.element_size() for p in module.parameters())
    return numbers * 4 <= _GRADIENT_BYTES and _fits(module, device, gradient)


def _fits(module: nn.Module, device: torch.device, beside_bytes: int = 0) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    model = sum(p.numel() * p.element_size() for p in module.parameters())
    return bool(model + beside_bytes < _FITS * free)
