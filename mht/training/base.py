"""The base model of a run: its folder here, and for a hub id the commit that it meant when the run began."""

from __future__ import annotations

from pathlib import Path

from mht.config_train import ModelConfig, TrainConfig
from mht.pretrained.bases import full_model
from mht.pretrained.files import is_commit
from mht.storage import Storage
from mht.training.run import is_over, read


def settled(config: TrainConfig, storage: Storage) -> tuple[TrainConfig, Path, str | None]:
    """(the configuration with the commit that is used, the model's folder, what is to be told of it).

    A run that is resumed keeps the commit that it began with, wherever a branch points by now. A finished run stands
    for its full model, which is then what is recorded. Raises InputError where the model is not to be had or is an
    adapter, IntegrityError for weights that cannot be used.
    """
    from mht.pretrained import loading

    given = config.model
    local = full_model(given.path)
    if local is not None:
        folder = loading.folder_of(str(local), given.revision, given.trust_remote_code)
        return _placed(config, folder), folder, None
    kept = None if is_commit(given.revision) else _begun_with(config, storage)
    folder = loading.folder_of(given.path, kept or given.revision, given.trust_remote_code)
    commit = loading.commit_in(folder)
    if commit is None:
        return config, folder, None
    pinned = config.model_copy(update={"model": given.model_copy(update={"revision": commit})})
    return pinned, folder, None if kept is None else _moved(given, kept)


def _placed(config: TrainConfig, folder: Path) -> TrainConfig:
    """With the model's own folder, which an adapter's base must be, where a run's was given."""
    if folder == Path(config.model.path):
        return config
    return config.model_copy(update={"model": config.model.model_copy(update={"path": str(folder)})})


def _begun_with(config: TrainConfig, storage: Storage) -> str | None:
    """The commit of the unfinished or resumed run in the output, where it is of the same hub id."""
    run = read(storage, config.output)
    if run is None or (config.new_run and is_over(storage, config.output)):
        return None
    model = run.resolved["model"]
    return model["revision"] if model["path"] == config.model.path and is_commit(model["revision"]) else None


def _moved(given: ModelConfig, kept: str) -> str | None:
    from mht.pretrained import loading

    now = loading.commit_now(given.path, given.revision)
    if now in (None, kept):
        return None
    return (
        f"{given.path} is at {now} by now; the run goes on with {kept}, which it began with "
        f"(model.revision={now} and another output for the new one)"
    )
