"""The schema of conf/train.yaml and how it is read.

Later wins: the defaults below < the YAML file < `key=value` on the command line. Keys under `run`, `ray`, `storage`,
`checkpoints`, `validation` and `tracking` say where, how fast and how closely watched the work is done, never what is
learnt: they may differ when a run is resumed. `load` returns a `TrainConfig` or raises one ConfigError with every
mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mht import catalog
from mht.config import PluginConfig, RayConfig
from mht.config_mistakes import explain, place_of
from mht.config_reading import read
from mht.errors import ConfigError
from mht.storage import StorageParams
from mht.storage.uris import refuse_unusable, same_or_inside

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
SECTIONS = {"data": "training.sources"}
"""The keys that choose one plug-in of a family."""
FREE_KEYS = ("plan", "new_run", "run", "ray", "storage", "checkpoints", "validation", "tracking")
"""What may differ when a run is resumed; `new_run` and these never change what is learnt."""
_LEARNING_RATES = {"lora": 2e-4, "full": 1e-5}


class ModelConfig(BaseModel):
    """The base model: a folder, a finished run of full training, or a hub id with the commit that is meant."""

    model_config = _STRICT

    path: str = Field(min_length=1)
    revision: str | None = Field(default=None, min_length=1)
    """Of a hub id: a full commit id, or a branch or tag that may be moved; the run keeps the commit that it means."""
    trust_remote_code: bool = False
    """Run code that comes with the model; wants a pinned revision."""

    @model_validator(mode="after")
    def _code_is_pinned(self) -> ModelConfig:
        if self.trust_remote_code and not re.fullmatch(r"[0-9a-f]{40}", self.revision or ""):
            raise ValueError("trust_remote_code=true wants revision to be a full commit id of 40 hex digits")
        return self


class LoraConfig(BaseModel):
    """Low-rank adapters. `targets` is a regex that a module's whole name must match."""

    model_config = _STRICT

    rank: int = Field(default=16, ge=1, le=4096)
    alpha: float = Field(default=32.0, gt=0, le=1e5)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Drawn by step and worker: with it, another number of workers has other losses."""
    targets: str | None = None
    """None: attention and MLP projections of the language model, never of the vision tower."""
    rslora: bool = False
    """Scale by alpha / sqrt(rank) in place of alpha / rank."""
    dora: bool = False
    """Learn magnitude and direction of each weight by themselves."""

    @field_validator("targets")
    @classmethod
    def _is_a_regex(cls, given: str | None) -> str | None:
        try:
            re.compile(given or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return given


class PreferenceConfig(BaseModel):
    """Direct preference optimisation on the twins' right and wrong answers, beside the right answers' own loss.

    Rafailov et al., 2023. The reference is the base model as it was before training.
    """

    model_config = _STRICT

    beta: float = Field(default=0.1, gt=0, le=100)
    sft_weight: float = Field(default=0.1, ge=0, le=100)
    """Weight of the mean loss of right answers' tokens beside the mean loss of the preferences."""


class OptimizerConfig(BaseModel):
    """AdamW with a linear warm-up and a cosine down to a share of the rate."""

    model_config = _STRICT

    learning_rate: float | None = Field(default=None, gt=0, le=10)
    """None: 2e-4 for adapters, 1e-5 for full training."""
    weight_decay: float = Field(default=0.0, ge=0, le=10)
    """Never of biases and of norms."""
    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = Field(default=1e-8, gt=0, le=1)
    clip_norm: float = Field(default=1.0, gt=0)
    warmup: float = Field(default=0.03, ge=0, le=1)
    """Share of all steps."""
    final: float = Field(default=0.1, ge=0, le=1)
    """Share of the learning rate that the cosine ends at."""

    @field_validator("betas")
    @classmethod
    def _below_one(cls, given: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in given):
            raise ValueError("both must be at least 0 and less than 1")
        return given


class OrderParams(BaseModel):
    """How examples are mixed, and what one costs.

    Shards are shuffled, then the examples of `window_shards` shards in a row; so many shards are read at a time.
    Ranks get examples of the same cost together: an image costs as much as `image_cost` exchanges (576 tokens of
    LLaVA's against some 60 a pair).
    """

    model_config = _STRICT

    window_shards: int = Field(default=4, ge=1, le=10_000)
    image_cost: float = Field(default=10.0, ge=0, le=1e6)


class RunConfig(BaseModel):
    """Where and how the work is done. None of these changes what is learnt, but for rounding."""

    model_config = _STRICT

    ray: bool = True
    """False: one process, this one, without Ray."""
    workers: int = Field(default=1, ge=1, le=10_000)
    """Processes of training, one a GPU where there are GPUs."""
    gpus_per_worker: float | None = Field(default=None, ge=0, le=8)
    """None: 1 where the cluster has GPUs for all workers, else 0."""
    cpus_per_worker: float = Field(default=1.0, gt=0, le=1024)
    threads: int = Field(default=1, ge=1, le=1024)
    """Of a worker's arithmetic on a CPU; another number may round otherwise."""
    batch_tokens: int = Field(default=4096, ge=16, le=1 << 24)
    """Tokens of one pass through the model; a step takes as many passes as it needs."""
    activation_checkpointing: bool = False
    """Compute each layer again on the way back: less memory, about a third more time."""
    readers: int = Field(default=1, ge=1, le=1024)
    """Actors of each worker that read and tokenise."""
    cpus_per_reader: float = Field(default=0.5, gt=0, le=64)
    prefetch_steps: int = Field(default=4, ge=1, le=1024)
    check_rows: bool = True
    """Read and tokenise every row once before the first step, so that none ends the run in the midst of it."""
    max_unlearnable: float = Field(default=0.01, ge=0, le=1)
    """Share of the rows that the model cannot be given over which the run does not begin; fewer are left out."""
    max_failures: int = Field(default=3, ge=0, le=1000)
    """How often a lost worker is replaced before the run gives up."""
    progress: bool = True


class CheckpointConfig(BaseModel):
    """What a run resumes from. A stop and the last step write one, too."""

    model_config = _STRICT

    every_steps: int = Field(default=200, ge=1)
    keep: int = Field(default=2, ge=1, le=1000)
    local: Path | None = None
    """A folder on each worker's own disk for what is on its way to storage; None: the system's for temporary files."""

    @field_validator("local")
    @classmethod
    def _is_absolute(cls, given: Path | None) -> Path | None:
        if given is not None and not given.is_absolute():
            raise ValueError("must be an absolute path on the workers' own disks")
        return given


class ValidationConfig(BaseModel):
    """Loss and answers on held-out rows; none where the data holds none of that split, unless the split is named."""

    model_config = _STRICT

    every_steps: int = Field(default=200, ge=1)
    rows: int = Field(default=256, ge=0, le=1_000_000)
    """Held-out exchanges; 0 validates nothing."""
    answers: int = Field(default=64, ge=0, le=1_000_000)
    """Of them, so many are answered by the model and scored; 0 none."""
    answer_tokens: int = Field(default=48, ge=1, le=4096)
    split: str = Field(default="validation", min_length=1)


class TrackingConfig(BaseModel):
    """Beside TensorBoard's files, which every run has. Both want their package installed."""

    model_config = _STRICT

    mlflow: str | None = Field(default=None, min_length=1)
    """Name of an experiment; where it is, MLFLOW_TRACKING_URI says."""
    wandb: str | None = Field(default=None, min_length=1)
    """Name of a project."""


class TrainConfig(BaseModel):
    """Everything `mht train` can be told."""

    model_config = _STRICT

    output: str = Field(default="out/train", min_length=1)
    seed: int = Field(default=0, ge=0)
    plan: bool = False
    """Only tell steps, tokens, memory and arithmetic beforehand; learn and write nothing."""
    new_run: bool = False
    """Start over in an output that holds another run."""
    model: ModelConfig = Field(default_factory=dict, validate_default=True)
    data: PluginConfig = Field(default_factory=dict, validate_default=True)
    order: OrderParams = OrderParams()
    epochs: int = Field(default=1, ge=1, le=10_000)
    max_steps: int | None = Field(default=None, ge=1)
    """Stop after so many, and let the learning rate end there."""
    step_examples: int = Field(default=16, ge=1, le=1_000_000)
    """Images, each with all its pairs, of one step over all workers."""
    method: Literal["lora", "full"] = "lora"
    lora: LoraConfig = LoraConfig()
    vision: Literal["frozen", "trained"] = "frozen"
    """The vision tower, in full training; adapters on it are a matter of lora.targets."""
    projector: Literal["frozen", "trained"] | None = None
    """What leads from the vision tower to the language model. None: trained by method=full, else frozen."""
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """What the model computes in; what is learnt is kept in float32. auto: bfloat16 on a GPU, float32 elsewhere."""
    preference: PreferenceConfig | None = None
    optimizer: OptimizerConfig = OptimizerConfig()
    checkpoints: CheckpointConfig = CheckpointConfig()
    validation: ValidationConfig = ValidationConfig()
    tracking: TrackingConfig = TrackingConfig()
    run: RunConfig = RunConfig()
    storage: StorageParams = StorageParams()
    ray: RayConfig = RayConfig()

    @field_validator("data", mode="before")
    @classmethod
    def _a_dataset_by_default(cls, given: object) -> object:
        return {"kind": "mht", **given} if isinstance(given, Mapping) else given

    @property
    def learning_rate(self) -> float:
        given = self.optimizer.learning_rate
        return _LEARNING_RATES[self.method] if given is None else given

    @property
    def projector_state(self) -> Literal["frozen", "trained"]:
        by_method: Literal["frozen", "trained"] = "trained" if self.method == "full" else "frozen"
        return self.projector or by_method

    def data_params(self) -> BaseModel:
        """The validated Params of the source."""
        params: BaseModel = catalog.load(SECTIONS["data"], self.data.kind).Params(
            **(self.data.model_extra or {})
        )
        return params

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, the source's settings filled in; plain JSON types."""
        plain = self.model_dump(mode="json")
        plain["data"] = {"kind": self.data.kind, **self.data_params().model_dump(mode="json")}
        plain["optimizer"]["learning_rate"] = self.learning_rate
        plain["projector"] = self.projector_state
        return plain


def load(path: str | None = None, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read, merge and check. Raises ConfigError naming file, line, dotted key, value and the nearest key."""
    config, where = read(TrainConfig, path, overrides, SECTIONS)
    mistakes = [
        *_data_mistakes(config, where), *_unlearnt(config, where), *_places(config, where),
        *_missing_packages(config, where),
    ]  # fmt: skip
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def _data_mistakes(config: TrainConfig, where: Mapping[str, str]) -> Iterator[str]:
    try:
        config.data_params()
    except ConfigError as error:
        yield f"{place_of(where, 'data')}data: {error}"
    except ValidationError as error:
        yield from explain(error, where, "data.", catalog.load(SECTIONS["data"], config.data.kind).Params)


def _unlearnt(config: TrainConfig, where: Mapping[str, str]) -> Iterator[str]:
    if config.method == "lora" and config.vision == "trained":
        yield (
            f"{place_of(where, 'vision')}vision: 'trained' is of method=full. Beside adapters the tower stays as it "
            "is; lora.targets, a regex as '.*_proj', can put adapters on it, too."
        )


def _places(config: TrainConfig, where: Mapping[str, str]) -> Iterator[str]:
    """Addresses that cannot be used, and an output that is what is read, or lies in it."""
    path = (config.data.model_extra or {}).get("path")
    reads = {"model.path": config.model.path} | ({"data.path": path} if isinstance(path, str) else {})
    for key, uri in {"output": config.output, **reads}.items():
        try:
            refuse_unusable(uri)
        except ConfigError as error:
            yield f"{place_of(where, key)}{key}: {error}"
            return
    for key, address in reads.items():
        if same_or_inside(config.output, address):
            yield (
                f"{place_of(where, 'output')}output: {config.output!r} and {key} {address!r} are the same place or "
                "one inside the other; the run would write over what it reads. Choose an output beside it."
            )


def _missing_packages(config: TrainConfig, where: Mapping[str, str]) -> Iterator[str]:
    for package in ("mlflow", "wandb"):
        if getattr(config.tracking, package) is not None and find_spec(package) is None:
            key = f"tracking.{package}"
            yield f"{place_of(where, key)}{key}: {package} is not installed. pip install {package}, or leave it out."
