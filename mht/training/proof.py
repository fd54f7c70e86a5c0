"""The parity certificate of a run: on its own model and data, sharing an image changes neither loss nor gradient."""

from __future__ import annotations

import json
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
_TOLERANCES = {torch.float32: TOLERANCE, torch.bfloat16: 3e-2}
"""bfloat16 has 8 bits: two right ways to add up differ by so much."""
_FITS = 0.7
"""Share of a device's free memory that the whole model may take."""


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
        """Whether exchanges may share their image; where they may not, that is said."""
        try:
            plain = json.loads(self._storage.read(self._uri))
        except StorageMissing:
            plain = self._made(learner, speech, chat)
            self._storage.write(self._uri, dump_json(plain))
        if not plain["shared"]:
            self._say(f"{plain['architecture']}: exchanges do not share their image: {plain['because']}")
        return bool(plain["shared"])

    def _made(self, learner: Learner, speech: Speech, chat: Chat) -> dict[str, Any]:
        name = learner.architecture.name
        if not learner.architecture.admitted:
            return {"architecture": name, "shared": False, "because": "the family is not admitted"}
        if not _fits(learner, self._device):
            return {
                "architecture": name,
                "shared": True,
                "because": "the family is admitted; too large to prove here",
            }
        prepared = Tokeniser(replace(speech, rejected=False), chat).prepare(self._examples)
        learner.to(self._device)
        with _norms_alone(learner), computing(self._device, self._compute):
            found = certify(learner, prepared, _TOLERANCES[self._compute])
        because = "proven" if found.holds else "loss or gradient differs from that of separate rows"
        return {"shared": found.holds, "because": because, **found.plain()}


@contextmanager
def _norms_alone(learner: nn.Module) -> Iterator[None]:
    """Let only the language model's norms have a gradient: they stand in every layer, and are small."""
    before = [(parameter, parameter.requires_grad) for parameter in learner.parameters()]
    for name, parameter in learner.named_parameters():
        parameter.requires_grad_(parameter.ndim == 1 and part_of(name) == "language" and "lora_" not in name)
    try:
        yield
    finally:
        for parameter, trained in before:
            parameter.requires_grad_(trained)


def _fits(module: nn.Module, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return bool(sum(p.numel() * p.element_size() for p in module.parameters()) < _FITS * free)
