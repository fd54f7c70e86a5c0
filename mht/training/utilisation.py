"""How much of a GPU's arithmetic the training uses, and how much memory it took."""

from __future__ import annotations

import resource
import sys

import torch
from torch import nn

from mht.model.sharding import layers

_PEAKS = {
    "B200": 2250e12, "H200": 989e12, "H100": 989e12, "H800": 989e12, "A100": 312e12, "A800": 312e12, "L40S": 362e12,
    "L4": 121e12, "A10": 125e12, "A6000": 155e12, "4090": 165e12, "3090": 71e12, "V100": 125e12, "T4": 65e12,
}  # fmt: skip
"""Dense bfloat16 (V100, T4: float16) operations a second, by a part of the device's name; from the makers' sheets."""


class Arithmetic:
    """Counts the operations of the language model's layers; made before sharding.

    A token costs two operations a parameter forward, as many for what goes back through it, and as many again for the
    gradient of each parameter that is trained. Attention, the head and the vision tower are left out, so that what is
    told is rather too low than too high.
    """

    def __init__(self, module: nn.Module, device: torch.device) -> None:
        sizes = [(p.numel(), p.requires_grad) for layer in layers(module) for p in layer.parameters()]
        self._forward = 2 * sum(size for size, _ in sizes)
        self._a_token = 4 * sum(size for size, _ in sizes) + 2 * sum(
            size for size, trained in sizes if trained
        )
        self._peak = peak(device)

    def operations(self, tokens: float, forwards: int = 0) -> float:
        """Of so many tokens there and back, and forward alone so often besides."""
        return tokens * float(self._a_token + forwards * self._forward)

    def share(self, tokens_per_s: float, devices: int) -> float | None:
        """Of what so many devices could do; None where that is not known."""
        return None if self._peak is None else self.operations(tokens_per_s) / (self._peak * devices)


def peak(device: torch.device) -> float | None:
    """Operations a second of the device; None for a CPU and for a GPU that is not in the table."""
    return peak_of(torch.cuda.get_device_name(device)) if device.type == "cuda" else None


def peak_of(name: str) -> float | None:
    """Operations a second of the GPU of this name; None for one that is not in the table."""
    return next((value for part, value in _PEAKS.items() if part in name), None)


def memory_bytes(device: torch.device) -> int:
    """The most that was taken so far: of the GPU's memory, else of this process's."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10
