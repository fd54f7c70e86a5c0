"""The final model as a folder that transformers and peft load, at any address, complete by a manifest or not at all.

::

    config.json, model*.safetensors                    a full model, or
    adapter_config.json, adapter_model.safetensors     an adapter
    tokenizer*, processor_config.json, …               as the base model has them
    README.md, card.json, curves.*                     what it is, how the losses went
    MANIFEST.json                                      every file with bytes and sha256; written last
"""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

from mht.artifacts import MANIFEST, dump_json
from mht.errors import IntegrityError, StorageMissing
from mht.model.card import ADAPTER, FULL, MERGED, ModelCard, readme
from mht.model.ranks import Ranks
from mht.model.staging import room
from mht.model.stored import Stored, fetch_file, store_file
from mht.pretrained.bases import ADAPTER_CONFIG, CARD
from mht.pretrained.loading import adapted, model_in
from mht.storage import Storage, join

FORMAT = "mht-model/1"
_WEIGHTS = "adapter_model.safetensors"
_SHARD = "2GB"
_READER = (".json", ".jinja", ".model", ".txt")
"""Tokenizer, processor, chat template and generation settings; weights and the model's own config are not copied."""
_OF_THE_MODEL = frozenset({"config.json", CARD, ADAPTER_CONFIG, MANIFEST})


@dataclass(frozen=True, slots=True)
class Export:
    """What goes into a model's folder beside its weights, and how.

    `base` is the base model's local folder, `curves` a file that is put beside. With `merge` an adapter is merged into
    the base. A full model's weights are written as `dtype` (None: as trained; merged: as the base has them). `local`
    is a folder with room for the whole (None: the system's for temporary files).
    """

    base: Path
    card: ModelCard
    curves: Path | None = None
    merge: bool = False
    dtype: torch.dtype | None = None
    local: Path | None = None


def export_model(module: Any, storage: Storage, out: str, export: Export) -> None:
    """Write what was trained to a folder at any address, over what is there; every rank calls it, the first writes.

    `module` is the transformers or PEFT model, in shards or not. Raises DiskFull, or the storage's errors, on every
    rank alike.
    """
    ranks = Ranks()
    try:
        weights = _gathered(module)
        ranks.asked_of_first(lambda: _export(module, weights, storage, out, export))
    finally:
        ranks.close()


def merge_adapter(base: Path, adapter: Path, out: Path, dtype: torch.dtype | None = None) -> None:
    """Write the base model with the adapter in its weights to the local folder `out`, with the base's processor.

    The sum is made in float32, in memory, and written as `dtype` (None: as the base has its weights). Raises
    IntegrityError or InputError where the two do not fit or cannot be read.
    """
    merged = adapted(model_in(base, torch.float32), adapter).merge_and_unload(safe_merge=True)
    merged.to(dtype or _dtype_of(base))
    with room(out.parent):
        merged.save_pretrained(out, max_shard_size=_SHARD)
        copy_reader(base, out)


def copy_reader(base: Path, out: Path) -> None:
    """Copy what reads for a model: tokenizer, processor, chat template, generation settings."""
    for path in sorted(base.iterdir()):
        own = path.name in _OF_THE_MODEL or path.name.endswith(".index.json")
        if path.suffix in _READER and not own:
            shutil.copyfile(path, out / path.name)


def publish(storage: Storage, folder: Path, out: str) -> None:
    """Store every file of a local folder, then a manifest of them; one that is at `out` already goes first."""
    storage.delete(join(out, MANIFEST))
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = [store_file(storage, out, name, folder / name) for name in names if name != MANIFEST]
    plain = {"format": FORMAT, "files": [asdict(record) for record in files]}
    storage.write(join(out, MANIFEST), dump_json(plain))


def fetch_model(storage: Storage, root: str, folder: Path) -> None:
    """Bring a published model into a local folder, each file checked.

    Raises IntegrityError naming what is missing, cut or altered.
    """
    where = join(root, MANIFEST)
    try:
        plain = json.loads(storage.read(where))
        files = [Stored(**record) for record in plain["files"]]
    except StorageMissing:
        raise IntegrityError(f"{where} is not there: no finished model. Train to the end first.") from None
    except (ValueError, TypeError, KeyError) as error:
        raise IntegrityError(f"{where} is no manifest of a model ({error})") from None
    if plain.get("format") != FORMAT or any(
        ".." in Path(one.path).parts or one.path[:1] == "/" for one in files
    ):
        raise IntegrityError(f"{where} is no manifest of a model that this version reads")
    with room(folder):
        for record in files:
            fetch_file(storage, root, record, folder)


def describe(folder: Path, card: ModelCard, kind: str) -> None:
    """Write README.md and the record that it was made of."""
    (folder / "README.md").write_text(readme(card, kind), encoding="utf-8")
    (folder / CARD).write_bytes(card.to_json(kind))


def _gathered(module: Any) -> dict[str, torch.Tensor]:
    """What is to be written, whole, in memory of the first rank; nothing on the others."""
    options = StateDictOptions(
        full_state_dict=True, cpu_offload=True, ignore_frozen_params=isinstance(module, PeftModel)
    )
    weights: dict[str, torch.Tensor] = get_model_state_dict(module, options=options)
    return weights


def _export(
    module: Any, weights: dict[str, torch.Tensor], storage: Storage, out: str, export: Export
) -> None:
    with tempfile.TemporaryDirectory(prefix="mht-model-", dir=export.local) as name:
        folder, kind = Path(name) / "model", FULL
        with room(Path(name)):
            folder.mkdir()
            if not isinstance(module, PeftModel):
                _write_full(module, weights, folder, export)
            else:
                kind = MERGED if export.merge else ADAPTER
                _write_adapted(module, weights, folder, export)
            describe(folder, export.card, kind)
            if export.curves is not None:
                shutil.copyfile(export.curves, folder / export.curves.name)
        publish(storage, folder, out)


def _write_full(module: Any, weights: dict[str, torch.Tensor], folder: Path, export: Export) -> None:
    if export.dtype is not None:
        weights = {k: v.to(export.dtype) if v.is_floating_point() else v for k, v in weights.items()}
    transformers.logging.disable_progress_bar()
    module.save_pretrained(folder, state_dict=weights, max_shard_size=_SHARD)
    if export.dtype is not None:
        _say_dtype(folder / "config.json", str(export.dtype).removeprefix("torch."))
    copy_reader(export.base, folder)


def _write_adapted(module: Any, weights: dict[str, torch.Tensor], folder: Path, export: Export) -> None:
    """The adapter, or what it makes of the base."""
    place = folder.parent / "adapter" if export.merge else folder
    place.mkdir(exist_ok=True)
    named = get_peft_model_state_dict(module, state_dict=weights, save_embedding_layers=False)
    save_file({k: v.contiguous() for k, v in named.items()}, place / _WEIGHTS, metadata={"format": "pt"})
    config = copy.copy(module.active_peft_config)
    config.base_model_name_or_path = export.card.base_model
    config.revision = export.card.base_revision
    config.inference_mode = True
    config.save_pretrained(place)
    if export.merge:
        merge_adapter(export.base, place, folder, export.dtype)
    else:
        copy_reader(export.base, folder)


def _say_dtype(config: Path, dtype: str) -> None:
    """The library writes the format that the model has in memory, in the config and in those within it."""

    def said(part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        return {key: dtype if key == "dtype" and value else said(value) for key, value in part.items()}

    plain = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps(said(plain), indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _dtype_of(base: Path) -> torch.dtype:
    """How a model's folder has its weights; float32 where its config does not say."""
    plain = json.loads((base / "config.json").read_text("utf-8"))
    named = getattr(torch, str(plain.get("dtype") or plain.get("torch_dtype")), None)
    return named if isinstance(named, torch.dtype) else torch.float32
