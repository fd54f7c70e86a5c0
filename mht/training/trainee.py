"""The model as it is trained: loaded, proven, adapted or freed, sharded, with its optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh

from mht.config_train import TrainConfig
from mht.model.examples import Example
from mht.model.learner import Learner
from mht.model.lora import Adapters, adapt, counts, unfreeze
from mht.model.optimizer import adamw
from mht.model.packing import Batch, pack
from mht.model.parts import Part
from mht.model.ranks import Ranks
from mht.model.sharding import mesh_of, recompute, shard
from mht.pretrained import loading
from mht.pretrained.chat import Chat
from mht.training.memory import LOADING, remedied
from mht.training.preference import Preference, Reference
from mht.training.preparation import Speech, Tokeniser, speech_of
from mht.training.step import Answers, Objective, Stepper, Tell
from mht.training.utilisation import Arithmetic

Prove = Callable[[Learner, Speech, Chat], bool]
"""Whether exchanges may share their image; called on the first rank while the model is whole."""


@dataclass(frozen=True)
class Trainee:
    """Everything that a step needs, on one rank. `base` is the model of transformers, or PEFT's wrapper of it.

    `parameters` are (trained, all). `spare` is a small batch for passes that count for nothing.
    """

    base: Any
    learner: Learner
    optimizer: torch.optim.AdamW
    stepper: Stepper
    chat: Chat
    speech: Speech
    spare: Batch
    share: bool
    batch_tokens: int
    device: torch.device
    compute: torch.dtype
    parameters: tuple[int, int]
    arithmetic: Arithmetic

    def batches(self, prepared: Sequence[Any]) -> list[Batch]:
        """Prepared examples as batches within the budget."""
        placed = [self.learner.place(one) for one in prepared]
        return pack(placed, self.batch_tokens, self.share, self.learner.several)


def load(config: TrainConfig, device: torch.device, ranks: Ranks, sample: Example, prove: Prove) -> Trainee:
    """The trainee of a configuration; every rank calls it. `sample` is some example with an exchange."""
    compute, mesh = loading.dtype_of(config.precision, device), mesh_of(device)

    @remedied("loading the model", LOADING)
    def divided() -> _Divided:
        model, chat = _pretrained(config, torch.float32 if config.method == "full" else compute)
        speech = speech_of(model, config.model, chat.tokenizer, config.preference is not None)
        base = freed(config, model)
        learner = _learner(base, device)
        share = ranks.first and prove(learner, speech, chat)
        told = counts(learner), Arithmetic(learner, device)
        _spread(config, learner, compute, device, mesh)
        return _Divided(base, learner, chat, speech, share, *told)

    # The whole model is in memory of one rank of a machine at a time.
    made = ranks.in_turns(divided)
    base, learner, chat, speech, parameters = made.base, made.learner, made.chat, made.speech, made.parameters
    share = ranks.from_first(made.share)
    given = config.optimizer
    optimizer = adamw(learner, config.learning_rate, given.weight_decay, given.betas, given.epsilon)
    objective = _objective(config, base, device, compute, ranks)
    stepper = Stepper(learner, optimizer, objective, ranks, device, compute, given.clip_norm)
    small = replace(sample, exchanges=sample.exchanges[:1])
    [prepared] = Tokeniser(replace(speech, rejected=False), chat).prepare([small])
    [spare] = pack([learner.place(prepared)], 1 << 30, share, learner.several)
    budget = config.run.batch_tokens
    return Trainee(
        base, learner, optimizer, stepper, chat, speech, spare, share, budget, device, compute, parameters,
        made.arithmetic,
    )  # fmt: skip


@dataclass(frozen=True)
class _Divided:
    """The model in this rank's shards, and what had to be found out while it was whole."""

    base: Any
    learner: Learner
    chat: Chat
    speech: Speech
    share: bool
    parameters: tuple[int, int]
    arithmetic: Arithmetic


def _pretrained(config: TrainConfig, dtype: torch.dtype) -> tuple[Any, Chat]:
    given = config.model
    folder = loading.folder_of(given.path, given.revision, given.trust_remote_code)
    model = loading.model_in(folder, dtype, given.trust_remote_code)
    return model, Chat(*loading.reader_in(folder, model, given.trust_remote_code))


def _learner(model: Any, device: torch.device) -> Learner:
    """The model as a learner, in the way of attention that skips what is masked on this device."""
    learner = Learner(model)
    if device.type != "cuda":
        learner.gather()
    elif learner.architecture.admitted:
        learner.skip_masked()
    return learner


def freed(config: TrainConfig, model: Any) -> Any:
    """The model with what is trained of it free, and only that."""
    if config.method == "lora":
        projector = config.projector_state == "trained"
        return adapt(model, Adapters(**config.lora.model_dump(), projector=projector), config.seed)
    parts: list[Part] = ["language"]
    parts += ["vision"] if config.vision == "trained" else []
    parts += ["projector"] if config.projector_state == "trained" else []
    unfreeze(model, parts)
    return model


def _spread(
    config: TrainConfig,
    learner: nn.Module,
    compute: torch.dtype,
    device: torch.device,
    mesh: DeviceMesh | None,
) -> None:
    if config.run.activation_checkpointing:
        recompute(learner)
    if mesh is None:
        learner.to(device)
    else:
        shard(learner, compute, mesh)


def _objective(
    config: TrainConfig, base: Any, device: torch.device, compute: torch.dtype, ranks: Ranks
) -> Objective:
    if config.preference is None:
        return Answers()
    reference = _reference(config, base, device, compute, ranks)
    return Preference(reference, config.preference.beta, config.preference.sft_weight)


def _reference(
    config: TrainConfig, base: Any, device: torch.device, compute: torch.dtype, ranks: Ranks
) -> Reference:
    """The model before training: the same without its adapter, or another one in memory."""
    if config.method == "lora":

        def without_adapter(tell: Tell) -> list[torch.Tensor]:
            with base.disable_adapter():
                return tell()

        return without_adapter
    mesh = mesh_of(device)

    @remedied("loading the reference of preference", LOADING)
    def divided() -> Learner:
        model, _ = _pretrained(config, compute)
        model.requires_grad_(False)
        learner = _learner(model, device)
        _spread(config, learner, compute, device, mesh)
        return learner

    before = ranks.in_turns(divided)
    return lambda tell: tell(before)
