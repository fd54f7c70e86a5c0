"""Parameters, gradients and the optimizer's state divided among the ranks (FSDP2), and layers computed twice.

The vision tower is no unit of its own but goes with the root: a batch without an image passes it by, and then one rank
would wait in it for another that never comes. Of a language model's size it is a small part.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method
from torch.utils.checkpoint import checkpoint

from mht.model.parts import part_of

_LAYERS = ("DecoderLayer", "EncoderLayer", "TransformerBlock", "Block")


def layers(module: nn.Module) -> list[nn.Module]:
    """The language model's layers, by the ends of their classes' names, in order."""
    return [
        one
        for name, one in module.named_modules()
        if type(one).__name__.endswith(_LAYERS) and part_of(name) == "language"
    ]


def recompute(module: nn.Module) -> None:
    """Keep only what goes into each layer, and compute the layer again on the way back. Before sharding.

    The forward itself is replaced, so that names stay as they are and the sharding's hooks lie around it.
    """
    for layer in layers(module):
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)


def mesh_of(device: torch.device) -> DeviceMesh | None:
    """All ranks, to divide among; None alone. Every rank calls it at the same point."""
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return None
    return init_device_mesh(device.type, (dist.get_world_size(),))


def shard(module: nn.Module, compute: torch.dtype, mesh: DeviceMesh) -> None:
    """Divide among the ranks of the mesh, layer by layer and then the rest; no rank waits for another in it.

    Computed in `compute`, reduced in float32. Adapters come before, the optimizer after.
    """
    policy = MixedPrecisionPolicy(param_dtype=compute, reduce_dtype=torch.float32)
    settings: dict[str, Any] = {"mesh": mesh, "mp_policy": policy}
    for layer in layers(module):
        fully_shard(layer, **settings)
    fully_shard(module, **settings)
    register_fsdp_forward_method(module, "within")


def gathered_no_more(module: nn.Module) -> None:
    """Give back what passes without a gradient left gathered, before anything looks at the parameters."""
    if isinstance(module, FSDPModule):
        module.reshard()
