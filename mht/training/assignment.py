"""What every rank of a run is told: the run, its steps and its data. Made once, by the driver; plain enough to send."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from mht import catalog
from mht.config_train import SECTIONS, TrainConfig
from mht.errors import ConfigError
from mht.pretrained.files import digest
from mht.storage import Storage
from mht.training.base import settled
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
    told: str | None = None
    """What a person is to know of the base model and of the validation before it starts."""


Feeder: TypeAlias = "Callable[[Assignment, Speech, int, int, int], Generator[Fed, None, None]]"
"""(assignment, how the model is spoken to, first step, rank, world) to what is learnt, step by step."""


def assign(config: TrainConfig, storage: Storage) -> Assignment:
    """Check model and data, and write or find run.json; the commit that a hub id means is the run's from then on.

    Raises InputError or IntegrityError for a model or data that cannot be used, ConfigError for a split that was named
    and is not there, RunConflict where the output holds another run.
    """
    config, folder, told = settled(config, storage)
    source, agenda = agenda_of(config, storage)
    held_out, unheld = _held_out(config, source)
    run = describe(config, digest(folder), source.digest)
    resumed = take_up(storage, config, run)
    run = run if resumed is None else replace(run, id=resumed.id)
    lines = "\n".join(line for line in (told, unheld) if line is not None)
    return Assignment(config, run, agenda, source, held_out, lines or None)


def agenda_of(config: TrainConfig, storage: Storage) -> tuple[Source, Agenda]:
    """Where the examples come from, and every step of the run. Raises as a source does."""
    source: Source = catalog.load(SECTIONS["data"], config.data.kind).Source(config.data_params(), storage)
    shards = tuple(source.shards())
    return source, Agenda(
        shards, config.seed, config.order, config.step_examples, config.epochs, config.max_steps
    )


def _held_out(config: TrainConfig, source: Source) -> tuple[tuple[HeldOut, ...], str | None]:
    """(the rows, what is to be told where there are none); a split that nobody named may be missing."""
    wanted = config.validation
    if not wanted.rows:
        return (), None
    try:
        return tuple(source.held_out(wanted.rows, wanted.split)), None
    except ConfigError as error:
        if "split" in wanted.model_fields_set:
            raise ConfigError(f"validation.split: {error} Or give validation.rows=0.") from None
        return (), f"no validation: {error} validation.split can name another split."
