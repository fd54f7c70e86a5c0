"""A training run's identity: run.json says what is trained here, and on what; another is refused in the same output."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

import mht
from mht.artifacts import RUN, SUCCESS, dump_json
from mht.code_digest import code_digest
from mht.config_identity import differing, identity
from mht.config_train import FREE_KEYS, TrainConfig
from mht.errors import IntegrityError, RunConflict, StorageMissing
from mht.model.checkpoint_files import steps_there
from mht.seeds import digest
from mht.storage import Storage, join

_ROOMS = (
    "model", "pretrained", "training/sources", "reading.py", "seeds.py",
    *(
        f"training/{name}.py"
        for name in (
            "assignment", "jobs", "loop", "order", "preference", "preparation", "rank", "sampling", "step", "trainee",
        )
    ),
)  # fmt: skip
"""The code that decides what is learnt in which step: from the data's rows to tokens, from these to the gradient."""
_LIBRARIES = ("torch", "transformers", "peft")


@dataclass(frozen=True, slots=True)
class Run:
    """What run.json holds. `name` is 12 hex digits over all that decides what is learnt.

    `model` and `data` are digests of the contents, wherever they lie; `code` is of mht's own. `libraries` are told,
    and another version of one does not stop a resume. `id` is drawn once: a run of the same name elsewhere, or one
    that starts over, has another.
    """

    name: str
    resolved: dict[str, Any]
    model: str
    data: str
    code: str
    libraries: dict[str, str]
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    def to_json(self) -> bytes:
        plain = asdict(self)
        return dump_json({"mht_version": mht.__version__, "config": plain.pop("resolved"), **plain})


def describe(config: TrainConfig, model: str, data: str) -> Run:
    """The run of a configuration on a model and data of these digests."""
    resolved, code = config.resolved(), code_digest(_ROOMS)
    name = digest(json.dumps(_identity(resolved), sort_keys=True), model, data, code, size=6).hex()
    return Run(name, resolved, model, data, code, {one: metadata.version(one) for one in _LIBRARIES})


def take_up(storage: Storage, config: TrainConfig, run: Run) -> Run | None:
    """Write run.json, or find that it is there already: the record of what is resumed, None for a run that begins.

    With new_run, the same run starts over where it is finished, or where it has no checkpoint to go on from: images of
    its data may have been mended since, which its name does not tell. Raises RunConflict naming the differing keys
    where the output holds another run and new_run is not given.
    """
    old = read(storage, config.output)
    if old is not None and old.name == run.name and not (config.new_run and is_over(storage, config.output)):
        return old
    if old is not None and not config.new_run:
        raise RunConflict(
            f"{join(config.output, RUN)}: this output holds run {old.name}, which differs in\n  "
            + "\n  ".join(_differences(old, run))
            + "\nGive new_run=true to start over here, or another output."
        )
    if old is not None:
        _clear(storage, config.output)
    storage.write(join(config.output, RUN), run.to_json())
    return None


def read(storage: Storage, root: str) -> Run | None:
    """The run that this output holds, or None. Raises IntegrityError for a run.json that is not one of training."""
    uri = join(root, RUN)
    try:
        plain = json.loads(storage.read(uri))
        wanted = ("name", "model", "data", "code", "libraries")
        named = {key: plain[key] for key in wanted}
        return Run(resolved=plain["config"], id=plain.get("id", plain["name"]), **named)
    except StorageMissing:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError(
            f"{uri}: not a training run's record ({error}). Choose another output."
        ) from None


def _identity(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Where model and data lie is no matter: their digests say what they are."""
    return identity(resolved, (*FREE_KEYS, "model.path", "model.revision", "data.path"))


def _differences(old: Run, now: Run) -> list[str]:
    lines = differing(_identity(old.resolved), _identity(now.resolved))
    for word in ("model", "data", "code"):
        was, is_ = getattr(old, word), getattr(now, word)
        if was != is_:
            lines.append(f"{word} (digest): {was[:16]} -> {is_[:16]}")
    return lines


def is_over(storage: Storage, root: str) -> bool:
    """Whether there is nothing to go on with: the run is finished, or no checkpoint of it is whole."""
    return storage.exists(join(root, SUCCESS)) or not any(steps_there(storage, root).values())


def _clear(storage: Storage, root: str) -> None:
    """Take the old run away, its claims to be whole first: nobody reads a half of two runs."""
    for name in (SUCCESS, "model/MANIFEST.json", RUN):
        storage.delete(join(root, name))
    for folder in ("checkpoints", "model", "tensorboard"):
        with suppress(StorageMissing):
            storage.delete_prefix(join(root, folder))
    for name in ("unlearnable.json", "certificate.json", "history.parquet", "results.json", "curves.html"):
        storage.delete(join(root, name))
