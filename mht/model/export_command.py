"""`mht export-model`: the final model of a training run at another address, as it is or merged into its base."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from mht.config_file import read_overrides
from mht.config_reading import validated
from mht.errors import ConfigError, InputError, IntegrityError, RunConflict, StorageMissing
from mht.model.card import MERGED, ModelCard
from mht.model.exporting import describe, fetch_model, merge_adapter, publish
from mht.pretrained.bases import ADAPTER_CONFIG, CARD, check_base
from mht.pretrained.files import is_commit, local_folder
from mht.pretrained.loading import folder_of
from mht.storage import Storage, StorageParams, join
from mht.storage.uris import refuse_unusable, same_or_inside

_CLAIM = "_EXPORTING"
"""Lies beside an export that is not done, so that the same command may go over it again."""


class ExportModelConfig(BaseModel):
    """What `mht export-model` can be told.

    `merge`: the base with the adapter in its weights, where the run trained an adapter. `base`: where the base model is
    now (a folder, or a hub id with its `revision`, which the adapter knows of its own base); None: where the adapter
    says. `local`: a folder on this machine with room for the models; None: the system's for temporary files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    merge: bool = False
    base: str | None = None
    revision: str | None = None
    local: Path | None = None
    storage: StorageParams = StorageParams()


def export_run(run: str, out: str, words: Sequence[str]) -> str:
    """Write the run's final model to `out` and say what it is, in one line.

    Raises ConfigError for settings that cannot be used and a `local` that takes nothing, RunConflict where something
    else is at `out`, IntegrityError for a run without a whole final model and for a base that it was not trained on,
    InputError where the base is not to be had.
    """
    placed = read_overrides(words)
    config = validated(ExportModelConfig, placed.values, placed.lines)
    for address in (run, out):
        refuse_unusable(address)
    if same_or_inside(out, run):
        raise ConfigError(f"{out!r} lies in the run {run!r}, or around it. Export to a place beside it.")
    storage = Storage(config.storage)
    with _scratch(config.local) as name:
        _claim(storage, out, run)
        trained = Path(name) / "trained"
        trained.mkdir()
        fetch_model(storage, join(run, "model"), trained)
        adapter = (trained / ADAPTER_CONFIG).is_file()
        folder = _merged(trained, config) if adapter and config.merge else trained
        publish(storage, folder, out)
    storage.delete(join(out, _CLAIM))
    kind = (
        "the base with the adapter merged in"
        if folder != trained
        else "an adapter"
        if adapter
        else "a full model"
    )
    return f"{out}: {kind}, of {run}"


def _scratch(local: Path | None) -> tempfile.TemporaryDirectory[str]:
    """A folder for the models on their way. Raises ConfigError where `local` takes none."""
    try:
        return tempfile.TemporaryDirectory(prefix="mht-model-", dir=local)
    except OSError as error:
        raise ConfigError(
            f"local: nothing can be written there: {error}. Give a folder that is there."
        ) from error


def _claim(storage: Storage, out: str, run: str) -> None:
    """Raises RunConflict where there is anything but a part of this very export."""
    if _holds_something(storage, out) and _claimed(storage, out) != run:
        raise RunConflict(
            f"{out} at export-model: something is there already. Choose another, or remove it first."
        )
    storage.write(join(out, _CLAIM), run.encode())


def _holds_something(storage: Storage, out: str) -> bool:
    try:
        return next(iter(storage.list(out)), None) is not None
    except StorageMissing:
        return False


def _claimed(storage: Storage, out: str) -> str | None:
    try:
        return storage.read(join(out, _CLAIM)).decode("utf-8", "replace")
    except StorageMissing:
        return None


def _merged(trained: Path, config: ExportModelConfig) -> Path:
    """A folder beside the adapter's with the whole model, and what else lay with the adapter."""
    try:
        card = ModelCard.from_json((trained / CARD).read_bytes())
        named = json.loads((trained / ADAPTER_CONFIG).read_bytes())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise IntegrityError(f"{trained.name}: {CARD} or {ADAPTER_CONFIG} cannot be read ({error})") from None
    merged = trained.parent / "merged"
    base = _base(config, named, card)
    check_base(base, trained, "base=PATH")
    merge_adapter(base, trained, merged)
    describe(merged, card, MERGED)
    for path in trained.iterdir():
        if not path.name.startswith("adapter_") and not (merged / path.name).exists():
            shutil.copyfile(path, merged / path.name)
    return merged


def _base(config: ExportModelConfig, named: Mapping[str, Any], card: ModelCard) -> Path:
    """The base model's folder: the one that was given, or the one that the adapter names, at its own commit."""
    model = config.base or str(named.get("base_model_name_or_path"))
    own = named.get("revision") or card.base_revision if config.base in (None, card.base_model) else None
    revision = config.revision or own
    try:
        pinned = local_folder(model) is not None or is_commit(revision)
    except InputError:
        raise InputError(f"the base model {model!r} is not here. Say where it is: base=PATH") from None
    if not pinned:
        raise ConfigError(
            f"the base model {model!r} is a hub id: give revision=COMMIT (40 digits), or base=PATH"
        )
    return folder_of(model, revision, trust_remote_code=False)
