"""A module and its optimizer to a local folder and back, each rank its own shards (torch.distributed.checkpoint).

Frozen parameters are left out: under LoRA the adapter and its optimizer are all there is. What is read is data and
never code: torch's own reader would run a pickle.
"""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

from mht.errors import IntegrityError, MhtError, RunConflict
from mht.model.checkpoint_files import Span
from mht.model.ranks import Ranks
from mht.model.staging import room

METADATA = ".metadata"
"""The file that says where each tensor stands in the others."""
Bring: TypeAlias = Callable[[list[Span]], None]
_SHOWN = 5
_KNOWN = {
    "torch.distributed.checkpoint.metadata": (
        "Metadata", "TensorStorageMetadata", "BytesStorageMetadata", "ChunkStorageMetadata", "TensorProperties",
        "MetadataIndex", "StorageMeta", "_MEM_FORMAT_ENCODING",
    ),
    "torch.distributed.checkpoint.filesystem": ("_StorageInfo",),
    "torch": ("Size", "float64", "float32", "bfloat16", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"),
    "torch.serialization": ("_get_layout",),
    "pathlib": ("PosixPath",),
}  # fmt: skip


def save_state(module: Any, optimizer: Any, folder: Path, ranks: Ranks) -> None:
    """Write this rank's shards of what is trained; every rank calls it.

    Raises DiskFull on every rank, with path and free bytes, when one has no room.
    """
    fresh = not optimizer.state
    state = _state(module, optimizer)
    if fresh:
        optimizer.state.clear()
        state["optimizer"]["state"] = {}
    with _plain_errors("save"):
        dcp.save(
            state, storage_writer=_Writer(folder, sync_files=False),
            process_group=ranks.group, no_dist=ranks.alone,
        )  # fmt: skip


def load_state(
    module: Any, optimizer: Any, metadata: bytes, folder: Path, bring: Bring, ranks: Ranks
) -> None:
    """Read into module and optimizer in place; every rank calls it, as many as there are now.

    `metadata` is the content of the file of that name. `bring` puts the bytes of the spans, checked, into the folder;
    when it raises, on any rank, nothing was changed and every rank raises. Raises RunConflict where the checkpoint is
    of another model.
    """
    known = _Metadata(io.BytesIO(metadata)).load()
    optimizer.zero_grad(set_to_none=True)
    state = _state(module, optimizer)
    _leave_out_untouched(state["optimizer"], known.state_dict_metadata)
    with _plain_errors("load"):
        dcp.load(
            state, storage_reader=_Reader(folder, known, bring), planner=_Planner(),
            process_group=ranks.group, no_dist=ranks.alone,
        )  # fmt: skip
    set_state_dict(
        module, optimizer, model_state_dict=state["model"], optim_state_dict=state["optimizer"],
        options=StateDictOptions(strict=False, ignore_frozen_params=True),
    )  # fmt: skip


def _state(module: Any, optimizer: Any) -> dict[str, Any]:
    """Both as nested mappings of live tensors; the library gives an optimizer that made no step yet a state."""
    options = StateDictOptions(ignore_frozen_params=True)
    model, of_optimizer = get_state_dict(module, optimizer, options=options)
    return {"model": model, "optimizer": of_optimizer}


def _leave_out_untouched(of_optimizer: dict[str, Any], there: Mapping[str, Any]) -> None:
    """A parameter that had no gradient when the checkpoint was made had no state, and is to have none again."""
    prefix = "optimizer.state."
    known = {name.removeprefix(prefix).rpartition(".")[0] for name in there if name.startswith(prefix)}
    of_optimizer["state"] = {name: state for name, state in of_optimizer["state"].items() if name in known}


@contextmanager
def _plain_errors(doing: str) -> Iterator[None]:
    """An error of ours behind the library's collection of them, the same on every rank."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="torch.distributed is disabled")
            yield
    except dcp.CheckpointException as collected:
        errors = [error for error, _ in collected.failures.values()]
        ours = next((error for error in errors if isinstance(error, MhtError)), None)
        if ours is None:
            raise RuntimeError(f"checkpoint {doing}: {errors[0]!r}") from errors[0]
        raise ours from collected


class _Writer(dcp.FileSystemWriter):
    """The library's writer; a full disk is told as one."""

    def prepare_local_plan(self, plan: Any) -> Any:
        with room(Path(self.path).parent):
            return super().prepare_local_plan(plan)

    def write_data(self, plan: Any, planner: Any) -> Any:
        with room(Path(self.path)):
            return super().write_data(plan, planner)

    def finish(self, metadata: Any, results: Any) -> None:
        with room(Path(self.path)):
            super().finish(metadata, results)


class _Reader(dcp.FileSystemReader):
    """The library's reader of a folder that is filled, with the bytes that the plan asks for, before any is used."""

    def __init__(self, folder: Path, metadata: Any, bring: Bring) -> None:
        super().__init__(folder)
        self._metadata = metadata
        self._bring = bring

    def read_metadata(self, *_: Any, **__: Any) -> Any:
        return self._metadata

    def prepare_local_plan(self, plan: Any) -> Any:
        places = [self.storage_data[item.storage_index] for item in plan.items]
        self._bring([(one.relative_path, one.offset, one.offset + one.length) for one in places])
        return plan


class _Metadata(pickle.Unpickler):
    """The library's description of a checkpoint, and nothing else that a pickle may hold."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in _KNOWN.get(module, ()):
            raise IntegrityError(f"a checkpoint's metadata wants {module}.{name}, which is none of its own")
        return super().find_class(module, name)


class _Planner(dcp.DefaultLoadPlanner):
    """The library's planner: every parameter of the module and none else, and no pickled objects."""

    def set_up_planner(self, state_dict: Any, metadata: Any = None, is_coordinator: bool = False) -> None:
        super().set_up_planner(state_dict, metadata, is_coordinator)
        wrong = sorted(_differences(metadata.state_dict_metadata, self.state_dict))
        if wrong:
            more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
            raise RunConflict(
                f"the checkpoint is of another model: {'; '.join(wrong[:_SHOWN])}{more}. "
                "Start a new run, or train the model that it is of."
            )

    def load_bytes(self, read_item: Any, value: io.BytesIO) -> None:
        torch.load(value, weights_only=True)  # raises for anything but plain values
        value.seek(0)
        super().load_bytes(read_item, value)


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """What the checkpoint's model and the one in memory do not have in common, in words."""
    for name in {*there, *here}:
        if not name.startswith("model."):
            continue
        if name not in here:
            yield f"{name} is not in the model"
        elif name not in there:
            yield f"{name} is not in the checkpoint"
        elif tuple(getattr(there[name], "size", ())) != tuple(here[name].shape):
            yield f"{name} is {_by(there[name].size)}, in the model {_by(here[name].shape)}"


def _by(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"
