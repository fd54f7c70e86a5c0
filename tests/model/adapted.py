"""A tiny LLaVA that is trained a little, with an adapter or as a whole, in shards where there are ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from mht.model.card import ModelCard
from mht.model.checkpoint import Checkpoints
from mht.model.exporting import Export, export_model
from mht.model.lora import Adapters, adapt
from mht.pretrained.bases import BASE_DIGEST
from mht.pretrained.files import digest
from mht.pretrained.loading import model_in
from mht.storage import Storage, StorageParams
from tests.engines import tiny

TARGETS = r".*language_model\.layers\..*\.(q_proj|v_proj)"
PLAIN = Storage(StorageParams())


def card_of(base: Path) -> ModelCard:
    rows = ({"measure": "false premises | accepted", "before": 0.5, "after": 0.25, "n": 40},)
    settings = {"lr": 1e-3, "note": "a ``` fence", BASE_DIGEST: digest(base)}
    return ModelCard("A tiny model", str(base), None, "phantoms", "5f0c", settings, rows, "apache-2.0")


def inputs(base: Path) -> dict[str, Any]:
    """A picture and a question about it, as the base's processor reads them."""
    import io

    from PIL import Image
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(base)
    with Image.open(io.BytesIO(tiny.png(3))) as image:
        return dict(
            processor(images=image.convert("RGB"), text="<image> is there a nodule", return_tensors="pt")
        )


def made(base: Path, lora: bool) -> Any:
    """The model, with an adapter and the projector trained where that is wanted, over the ranks there are."""
    model = model_in(base, torch.float32)
    if lora:
        model = adapt(model, Adapters(4, 16.0, 0.0, TARGETS, False, False, projector=True), seed=1)
    if dist.is_initialized():
        mesh = init_device_mesh("cpu", (dist.get_world_size(),))
        for module in list(model.modules()):
            if type(module).__name__.endswith(("DecoderLayer", "EncoderLayer")):
                fully_shard(module, mesh=mesh)
        fully_shard(model, mesh=mesh)
    return model


def optimizer_of(model: Any) -> torch.optim.Optimizer:
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)


def train(model: Any, optimizer: torch.optim.Optimizer, batch: dict[str, Any], steps: int) -> list[float]:
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(**batch, labels=batch["input_ids"]).loss
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return losses


def logits(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    model.eval()
    with torch.no_grad():
        out: torch.Tensor = model(**batch).logits
    return out


def job(base: Path, root: Path, lora: bool) -> dict[str, Any]:
    """Train, save, resume in a new model, export; the losses after the checkpoint twice, and the final logits."""
    batch = inputs(base)
    model = made(base, lora)
    optimizer = optimizer_of(model)
    warned: list[str] = []
    there = Checkpoints(PLAIN, str(root), keep=1, on_warning=warned.append)
    train(model, optimizer, batch, 2)
    there.save(2, model, optimizer, {"step": 2})
    on = train(model, optimizer, batch, 2)
    there.wait()
    again = made(base, lora)
    its = optimizer_of(again)
    known = there.load_latest(again, its)
    resumed = train(again, its, batch, 2)
    there.close()
    curves = root.with_suffix(f".{dist.get_rank() if dist.is_initialized() else 0}.csv")
    curves.write_text("step,loss\n1,2.5\n")
    out = str(root / "model")
    export_model(again, PLAIN, out, Export(base, card_of(base), curves))
    if lora:
        export_model(again, PLAIN, str(root / "merged"), Export(base, card_of(base), merge=True))
    return {
        "on": on,
        "resumed": resumed,
        "known": known,
        "warned": warned,
        "logits": logits(again, batch).numpy(),
    }
