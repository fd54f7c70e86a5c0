"""`mht train plan=true`: what a run learns and takes, before weights are read or anything is written.

The model is made of its settings alone. Some examples of the first steps are read and put into tokens as the run would;
what they have in the mean is taken for all. Steps and parameters are exact, tokens and what follows from them are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch

from mht.config_train import TrainConfig
from mht.errors import InputError
from mht.model.conversation import Prepared
from mht.model.examples import Example
from mht.model.learner import Learner
from mht.model.lora import counts
from mht.model.packing import Placed, alone, pieces
from mht.pretrained import loading
from mht.pretrained.chat import Chat
from mht.storage import Storage
from mht.terminal import size_face, table
from mht.training.assignment import agenda_of
from mht.training.jobs import Agenda, Reader
from mht.training.preparation import Tokeniser, Verdict, described, speech_of
from mht.training.shards import Source
from mht.training.trainee import freed
from mht.training.utilisation import Arithmetic, peak_of

PROBE_EXAMPLES = 64
_GPU, _USED = "H100", 0.4
"""Hours are told for this one, and for this share of its arithmetic."""
_FEW_HOURS = 0.1
"""Less is told in seconds."""
_WHY = "the family is not admitted"
_ADAM_BYTES = 12
"""Of a trained parameter: its gradient and the two means of it, in float32."""
_STORED_BYTES = 12
"""Of a trained parameter in a checkpoint: itself and the two means, in float32."""


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """What a run learns and takes. Without a unit a field is a number of things.

    `examples` and `exchanges` are an epoch's, the latter as expected where pairs are drawn; `seen` is examples over all
    epochs. `tokens` go through the model in the whole run, each image's once where its exchanges share it;
    `tokens_apart` would with a row an exchange. `state_bytes` is a worker's model, gradients and optimizer, without
    activations. `operations` are the language model's layers'. `unlearnable` are (exchange, reason) of the `probe`
    examples.
    """

    examples: int
    exchanges: float
    steps: int
    seen: int
    tokens: int
    tokens_apart: int
    shares: bool
    trained: int
    parameters: int
    state_bytes: int
    checkpoint_bytes: int
    operations: float
    dtype: str
    probe: int
    unlearnable: tuple[tuple[str, str], ...]


def plan_train(config: TrainConfig) -> int:
    """Print the plan; returns the exit code. Raises as `plan_of`."""
    print(table(_rows(config, plan_of(config))))
    return 0


def plan_of(config: TrainConfig) -> TrainPlan:
    """Raises InputError or ConfigError for a model or data that cannot be used, or of whose probe nothing is left."""
    given = config.model
    source, agenda = agenda_of(config, Storage(config.storage))
    folder = loading.settings_in(given.path, given.revision, given.trust_remote_code)
    learner, state_bytes, dtype = _learner(config, folder)
    shares = learner.architecture.admitted
    prepared, unlearnable = _prepared(config, folder, _probe(config, source, agenda))
    mine = sum(_tokens(one, config.run.batch_tokens, shares) for one in prepared)
    apart = sum(_tokens(one, config.run.batch_tokens, shares=False) for one in prepared)
    seen = _seen(agenda)
    scale = seen / len(prepared)
    trained, parameters = counts(learner)
    return TrainPlan(
        examples=agenda.order().n_examples,
        exchanges=sum(sum(shard.exchange_counts) for shard in agenda.shards),
        steps=agenda.total(),
        seen=seen,
        tokens=round(mine * scale),
        tokens_apart=round(apart * scale),
        shares=shares,
        trained=trained,
        parameters=parameters,
        state_bytes=state_bytes,
        checkpoint_bytes=trained * _STORED_BYTES,
        operations=Arithmetic(learner, torch.device("cpu")).operations(mine * scale, _forwards(config)),
        dtype=dtype,
        probe=len(prepared),
        unlearnable=unlearnable,
    )


def _learner(config: TrainConfig, folder: Path) -> tuple[Learner, int, str]:
    """(the model without weights, with what is trained free; bytes of a worker; what is computed in)."""
    compute = loading.dtype_of(config.precision, loading.device_of("auto"))
    kept = torch.float32 if config.method == "full" else compute
    learner = Learner(freed(config, loading.outline_in(folder, kept, config.model.trust_remote_code)))
    weights = sum(parameter.numel() * parameter.element_size() for parameter in learner.parameters())
    trained, parameters = counts(learner)
    beside = parameters * compute.itemsize if config.preference and config.method == "full" else 0
    every = weights + trained * _ADAM_BYTES + beside
    return learner, -(-every // config.run.workers), str(compute).removeprefix("torch.")


def _forwards(config: TrainConfig) -> int:
    """Training by preference goes forward twice more: as the reference, and to weigh what is learnt."""
    return 0 if config.preference is None else 2


def _probe(config: TrainConfig, source: Source, agenda: Agenda) -> list[Example]:
    """The examples of the first steps, which were drawn from the first windows of shards."""
    reader = Reader(source, agenda.shards, 2 * config.order.window_shards)

    def read() -> Iterator[Example]:
        for job in agenda.jobs(0, 0, 1):
            yield from reader.read(job)

    found = list(islice(read(), PROBE_EXAMPLES))
    if not found:
        raise InputError("data: no epoch of the run has anything to learn; raise data.sampling.weights")
    return found


def _prepared(
    config: TrainConfig, folder: Path, examples: Sequence[Example]
) -> tuple[list[Prepared], tuple[tuple[str, str], ...]]:
    """(the examples in tokens, what of them cannot be learnt and why)."""
    trust = config.model.trust_remote_code
    model = described(folder, trust)
    chat = Chat(*loading.reader_in(folder, model, trust))
    speech = speech_of(model, config.model, chat.tokenizer, config.preference is not None)
    verdicts: list[Verdict] = Tokeniser(speech, chat).check(examples)
    bad = tuple(one for verdict in verdicts for one in verdict.unlearnable)
    prepared = Tokeniser(replace(speech, left_out=frozenset(name for name, _ in bad)), chat).prepare(examples)
    if not prepared:
        name, reason = bad[0]
        raise InputError(f"data: nothing of {len(examples)} examples can be learnt; of {name}: {reason}")
    return prepared, bad


def _tokens(prepared: Prepared, budget: int, shares: bool) -> int:
    """Tokens that an example takes, padding left out."""
    placed = Placed(prepared, torch.empty(0), 0)
    return sum(part.example.tokens for part in (pieces(placed, budget) if shares else alone(placed)))


def _seen(agenda: Agenda) -> int:
    """Examples over all steps; the last step of an epoch may be short."""
    examples, size = agenda.order().n_examples, agenda.step_examples
    epochs, more = divmod(agenda.total(), agenda.steps_an_epoch())
    return epochs * examples + min(more * size, examples)


def _rows(config: TrainConfig, plan: TrainPlan) -> dict[str, str]:
    run, peak = config.run, peak_of(_GPU)
    assert peak is not None
    hours = plan.operations / (peak * _USED) / 3600
    apart = f"in rows of their own {plan.tokens_apart / plan.tokens:.1f} times as many"
    rows = {
        "data": f"{plan.examples:,} images, {plan.exchanges:,.0f} samples an epoch",
        "steps": f"{plan.steps:,} of {min(config.step_examples, plan.examples):,} images, "
        f"{plan.seen / plan.examples:.3g} epochs",
        "trained": f"{plan.trained:,} of {plan.parameters:,} parameters ({config.method})",
        "tokens": f"about {plan.tokens:,}; {apart if plan.shares else 'each sample computes its image: ' + _WHY}",
        "arithmetic": f"about {plan.operations:.2g} operations, {_hours(hours)} of an {_GPU} at {_USED:.0%}",
        "memory": f"{size_face(plan.state_bytes)} a worker ({run.workers}, {plan.dtype}), and activations on top: "
        f"run.batch_tokens={run.batch_tokens:,} bounds them",
        "checkpoints": f"{size_face(plan.checkpoint_bytes)} each, {config.checkpoints.keep} kept",
        "from": f"a probe of {plan.probe} images; no weights were read, nothing was written",
    }
    if plan.unlearnable:
        name, reason = plan.unlearnable[0]
        rows["unlearnable"] = f"{len(plan.unlearnable)} samples of the probe; the first, {name}: {reason}"
    return rows


def _hours(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= _FEW_HOURS else f"{hours * 3600:,.0f} s"
