"""What every rank of a run is told: the run, its steps and its data. Made once, by the driver; plain enough to send."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from mht import catalog
from mht.config_train import SECTIONS, TrainConfig
from mht.errors import ConfigError
from mht.storage import Storage
from mht.training.jobs import Agenda
from mht.training.run import Run, describe, take_up
from mht.training.shards import HeldOut, Source

if TYPE_CHECKING:
    from mht.training.loop import Fed
    from mht.training.preparation import Speech


@dataclass(frozen=True)
class Assignment:
    """A run as it is to be worked off, from wherever its checkpoints are."""

    config: TrainConfig
    run: Run
    agenda: Agenda
    source: Source
    held_out: tuple[HeldOut, ...]


Feeder: TypeAlias = "Callable[[Assignment, Speech, int, int, int], Generator[Fed, None, None]]"
"""(assignment, how the model is spoken to, first step, rank, world) to what is learnt, step by step."""


def assign(config: TrainConfig, storage: Storage) -> Assignment:
    """Check model and data, and write or find run.json.

    Raises InputError or IntegrityError for a model or data that cannot be used, ConfigError for a split that is not
    there, RunConflict where the output holds another run.
    """
    from mht.pretrained import files, loading

    given = config.model
    model = files.digest(loading.folder_of(given.path, given.revision, given.trust_remote_code))
    source: Source = catalog.load(SECTIONS["data"], config.data.kind).Source(config.data_params(), storage)
    shards = tuple(source.shards())
    agenda = Agenda(shards, config.seed, config.order, config.step_examples, config.epochs, config.max_steps)
    held_out = _held_out(config, source)
    run = describe(config, model, source.digest)
    resumed = take_up(storage, config, run)
    run = run if resumed is None else replace(run, id=resumed.id)
    return Assignment(config, run, agenda, source, held_out)


def _held_out(config: TrainConfig, source: Source) -> tuple[HeldOut, ...]:
    wanted = config.validation
    if not wanted.rows:
        return ()
    try:
        return tuple(source.held_out(wanted.rows, wanted.split))
    except ConfigError as error:
        raise ConfigError(f"validation.split: {error} Or give validation.rows=0.") from None
