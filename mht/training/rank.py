"""One rank of a run from its configuration to the exported model. Torch, never Ray: who feeds it is passed in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Container
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import torch

from mht.artifacts import SUCCESS, dump_json, parquet_bytes
from mht.config_train import TrainConfig
from mht.errors import ConfigError, InputError
from mht.model.checkpoint import Checkpoints
from mht.model.examples import Example
from mht.model.exporting import Export, export_model
from mht.model.optimizer import Schedule
from mht.model.ranks import Ranks
from mht.pretrained import loading
from mht.storage import Storage, join
from mht.training.answers import Answers
from mht.training.assignment import Assignment, Feeder
from mht.training.card import card, results
from mht.training.curves import page
from mht.training.history import History
from mht.training.loop import Onlooker, Rhythm, train
from mht.training.onlooking import Quiet, Report, Tell, Telling
from mht.training.preparation import without
from mht.training.proof import Proof
from mht.training.tracking import trackers
from mht.training.trainee import Trainee, load
from mht.training.unlearnable import checked
from mht.training.utilisation import memory_bytes
from mht.training.validation import Validation, learnable

HISTORY = "history.parquet"
RESULTS = "results.json"
CURVES = "curves.html"
MODEL = "model"
_LOOKED_AT, _PROVEN = 16, 2
"""Examples of a shard that are read to prove on some of them."""


def run_rank(
    given: Assignment,
    feed: Feeder,
    tell: Tell,
    say: Callable[[str], None],
    report: Report,
    device: torch.device,
) -> bool:
    """Train, or go on; every rank calls it. Returns whether the run is finished, False when it was stopped.

    `tell` and `say` are for the first rank: beats and lines to the driver. `report` is called on each.
    """
    config = given.config
    if device.type == "cpu":
        torch.set_num_threads(config.run.threads)
    storage, ranks = Storage(config.storage), Ranks()
    say = say if ranks.first else _silent
    with ExitStack() as stack:
        stack.callback(ranks.close)
        keeper = _keeper(config, storage, say)
        stack.callback(keeper.close)
        left_out = checked(given, feed, storage, ranks, tell, say)
        if left_out is None:
            return False
        samples = _samples(given, left_out)
        compute = loading.dtype_of(config.precision, device)
        proof = Proof(storage, config.output, device, compute, samples, say)
        trainee = load(config, device, ranks, samples[0], proof)
        kept = keeper.load_latest(trainee.learner, trainee.optimizer)
        history = History.from_plain(kept) if kept is not None else History()
        if history.steps:
            say(f"going on from step {history.steps:,} of {given.agenda.total():,}")
        onlooker: Onlooker = Quiet(report)
        if ranks.first:
            drawn = trackers(config.tracking, storage, config.output, given.run, history.steps, say)
            total = given.agenda.total()
            arithmetic = trainee.arithmetic
            onlooker = Telling(drawn, tell, report, total, arithmetic, device, ranks.count, history)
        stack.callback(onlooker.close)
        speech = replace(trainee.speech, left_out=left_out)
        feeding = stack.enter_context(closing(feed(given, speech, history.steps, ranks.rank, ranks.count)))
        validate = _validation(given, trainee, ranks, say)
        rhythm = _rhythm(config, given.agenda.total())
        finished = train(trainee, feeding, rhythm, history, keeper, onlooker, validate, ranks.rank)
        if finished:
            _finish(given, storage, trainee, history, ranks, device, len(left_out))
        return finished


def _keeper(config: TrainConfig, storage: Storage, say: Callable[[str], None]) -> Checkpoints:
    given = config.checkpoints
    try:
        return Checkpoints(storage, config.output, keep=given.keep, staging=given.local, on_warning=say)
    except OSError as error:
        raise ConfigError(f"checkpoints.local: nothing can be written there: {error}") from error


def _silent(line: str) -> None:
    """Of the ranks that have nobody to tell."""


def _validation(
    given: Assignment, trainee: Trainee, ranks: Ranks, say: Callable[[str], None]
) -> Validation | None:
    wanted, rows = given.config.validation, learnable(given.held_out, trainee, ranks, say)
    if not rows:
        return None
    answered = rows[: wanted.answers]
    answers = Answers(trainee, answered, wanted.answer_tokens, given.config.model.path) if answered else None
    return Validation(trainee, rows, ranks, answers)


def _rhythm(config: TrainConfig, total: int) -> Rhythm:
    settings = config.optimizer
    warmup = round(settings.warmup * total)
    schedule = Schedule(config.learning_rate, warmup, total, settings.final)
    return Rhythm(total, config.checkpoints.every_steps, config.validation.every_steps, schedule, config.seed)


def _samples(given: Assignment, left_out: Container[str]) -> list[Example]:
    """The first examples with an exchange, to prove the packing on."""
    for shard in given.agenda.shards:
        found = given.source.read(shard.name, shard.example_ids[:_LOOKED_AT], 0)
        learnt = without(found, left_out)
        if learnt:
            return learnt[:_PROVEN]
    raise InputError(
        "data: the first examples of no shard have anything to learn; raise data.sampling.weights"
    )


def _finish(
    given: Assignment,
    storage: Storage,
    trainee: Trainee,
    history: History,
    ranks: Ranks,
    device: torch.device,
    left_out: int,
) -> None:
    """History, results, curves, the model with its card, and last the sign that all of it is there."""
    config, root = given.config, given.config.output
    memory = max(ranks.every(memory_bytes(device)))
    told = {"workers": ranks.count, "memory_bytes": memory, "device": _name(device), "run": given.run.name}
    told["rows_left_out"] = left_out
    found = results(history, trainee.parameters, told)
    curves = page(f"Training of {config.model.path}", history).encode()
    if ranks.first:
        storage.write(join(root, HISTORY), parquet_bytes(history.table()))
        storage.write(join(root, RESULTS), dump_json(found))
        storage.write(join(root, CURVES), curves)
    with tempfile.TemporaryDirectory(prefix="mht-curves-", dir=config.checkpoints.local) as name:
        path = Path(name) / CURVES
        path.write_bytes(curves)
        base = loading.folder_of(config.model.path, config.model.revision, config.model.trust_remote_code)
        dtype = None if trainee.compute == torch.float32 else trainee.compute
        export_model(
            trainee.base,
            storage,
            join(root, MODEL),
            Export(base, card(given.run, found), path, dtype=dtype, local=config.checkpoints.local),
        )
    if ranks.first:
        storage.write(join(root, SUCCESS), b"")


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
