"""The schema of conf/evaluate.yaml and how it is read.

Later wins: the defaults below < the YAML file < `key=value` on the command line. Keys under `run`, `ray`, `storage`,
`judges`, `people`, `metrics`, `intervals` and `baselines` never change what the model replies: they may differ when a
run is resumed.
`load` returns an `EvaluateConfig` or raises one ConfigError with every mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mht import catalog
from mht.config import EngineConfig, PluginConfig, RayConfig
from mht.config_judges import JUDGES, JudgeConfig, without_their_model
from mht.config_metrics import METRICS, MetricsConfig, unknown_metrics
from mht.config_mistakes import explain, place_of
from mht.config_people import PeopleConfig
from mht.config_reading import read
from mht.errors import ConfigError
from mht.evaluation.intervals import IntervalParams
from mht.imaging.params import ImagingParams
from mht.storage import StorageParams
from mht.storage.uris import refuse_unusable, same_or_inside

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
BENCHMARKS = "evaluation.benchmarks"
FREE_KEYS = (
    "new_run", "name", "partial", "limit", "judges", "people", "metrics", "intervals", "baselines", "run", "ray",
    "storage",
)  # fmt: skip
"""What may differ when a run is resumed; which questions `limit` leaves stands in their own digest."""
_SIDE_PX = 1024
_NAME = r"^[A-Za-z0-9_-]+$"
_FILE = re.compile(r"(?<=.)\.(?:jsonl?|csv|tsv|parquet)$")


class FileConfig(BaseModel):
    """Predictions made elsewhere: a JSON, JSON Lines, CSV, TSV or Parquet file with a reply a row.

    With `official` the file or folder is one as a benchmark's release keeps a model's answers, `medhalltune` for one:
    its rows are found as they are. `id`, `reply`, `benchmark` and `likelihood_yes` are columns; `benchmark` tells apart
    the rows of several. `judgement` is the column of what a judge released with them, four scores on a line as
    MedHallTune's `result`, and `judge` its name.
    """

    model_config = _STRICT

    path: str = Field(min_length=1)
    official: str | None = Field(default=None, min_length=1)
    id: str = Field(default="row_id", min_length=1)
    reply: str = Field(default="reply", min_length=1)
    benchmark: str | None = Field(default=None, min_length=1)
    likelihood_yes: str | None = Field(default=None, min_length=1)
    judgement: str | None = Field(default=None, min_length=1)
    judge: str = Field(default="released", pattern=_NAME)


class GenerationConfig(BaseModel):
    """How the model is asked. Temperature 0 is greedy."""

    model_config = _STRICT

    system: str | None = Field(default=None, min_length=1)
    max_tokens: int = Field(default=256, ge=1, le=1 << 20)
    temperature: float = Field(default=0.0, ge=0, le=10)
    top_p: float = Field(default=1.0, gt=0, le=1)
    keep_cut: bool = True
    """A reply that `max_tokens` ended is scored as far as it goes; False: it has failed."""
    likelihoods: bool = True
    """Of questions whose answer is yes or no, also compare how likely `yes` and `no` are, where the engine can."""
    yes: str = Field(default="Yes", min_length=1)
    no: str = Field(default="No", min_length=1)


class BaselinesConfig(BaseModel):
    """Blind baselines over the same rows: what a figure is worth is seen beside them."""

    model_config = _STRICT

    echo: bool = True
    """`Yes, ` and the question; `No, ` and the question."""
    majority: bool = True
    """Of each kind of question the answer that is right most often: the best that always saying one thing can do."""
    caption: bool = True
    """What is known of the image, in place of a reply."""
    question_only: bool = False
    """The same model without the image: as many requests again."""


class RunConfig(BaseModel):
    """Where and how the work is done. None of these changes a reply."""

    model_config = _STRICT

    ray: bool = True
    """False: one process, this one, without Ray."""
    max_failed: float = Field(default=0.02, ge=0, le=1)
    """Share of requests without a reply, or of replies without a judge's judgement, over which the run exits 3."""
    stall_s: float = Field(default=600, gt=0)
    """A worker that reports nothing for so long is killed and its part requeued."""
    stall_tries: int = Field(default=3, ge=1, le=100)
    progress: bool = True


class EvaluateConfig(BaseModel):
    """Everything `mht evaluate` can be told. Either `model` or `predictions` is given."""

    model_config = _STRICT

    output: str = Field(default="out/evaluation", min_length=1)
    name: str | None = Field(default=None, min_length=1)
    """What people call the model; None: the last part of its path."""
    seed: int = Field(default=0, ge=0)
    new_run: bool = False
    """Go on in an output that holds another run; replies that are the same are reused."""
    partial: bool = False
    """Take headline figures of fewer rows than were asked."""
    model: EngineConfig | None = None
    predictions: FileConfig | None = None
    benchmarks: dict[str, PluginConfig] = Field(default_factory=dict, validate_default=True)
    """By names of your own; `kind` is the benchmark, and may be left out where the name is its."""
    generation: GenerationConfig = GenerationConfig()
    limit: int | None = Field(default=None, ge=1)
    """Ask so many questions of each benchmark at the most: whole images, in an order drawn from the seed."""
    part_questions: int = Field(default=128, ge=1, le=100_000)
    """Questions in a part, the unit of work and of loss."""
    imaging: ImagingParams = ImagingParams(side_px=_SIDE_PX)
    """How images that engines do not read (DICOM, TIFF) are decoded and encoded."""
    normalise: bool = False
    """Do so with every image, as in building a dataset."""
    judges: dict[str, JudgeConfig] = Field(default_factory=dict)
    """Who scores the replies, by names of your own; `kind` may be left out where the name is its."""
    people: PeopleConfig | None = None
    """Scores that people gave replies, beside the judges'."""
    metrics: MetricsConfig = MetricsConfig()
    intervals: IntervalParams = IntervalParams()
    baselines: BaselinesConfig = BaselinesConfig()
    run: RunConfig = RunConfig()
    storage: StorageParams = StorageParams()
    ray: RayConfig = RayConfig()

    @field_validator("model", mode="before")
    @classmethod
    def _transformers_by_default(cls, given: object) -> object:
        return {"kind": "transformers", **given} if isinstance(given, Mapping) else given

    @field_validator("benchmarks", "judges", mode="before")
    @classmethod
    def _of_the_kind_they_are_called(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        return {
            name: {"kind": name, **one} if isinstance(one, Mapping) else one for name, one in given.items()
        }

    @field_validator("benchmarks")
    @classmethod
    def _some_and_named(cls, given: dict[str, PluginConfig]) -> dict[str, PluginConfig]:
        if not given:
            raise ValueError("name at least one: benchmarks.<name>.path=…")
        return given

    @field_validator("benchmarks", "judges")
    @classmethod
    def _name_folders(cls, given: dict[str, PluginConfig]) -> dict[str, PluginConfig]:
        for name in given:
            if not re.fullmatch(_NAME, name):
                raise ValueError(f"{name!r} is used as a folder's name: letters, digits, - and _ only")
        return given

    @field_validator("imaging", mode="before")
    @classmethod
    def _large(cls, given: object) -> object:
        return {"side_px": _SIDE_PX, **given} if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _one_origin(self) -> EvaluateConfig:
        if (self.model is None) == (self.predictions is None):
            raise ValueError("give either model.model=… to be asked, or predictions.path=… made elsewhere")
        if self.predictions is not None and self.baselines.question_only:
            raise ValueError("baselines.question_only asks the model, and predictions.path has none to ask")
        if self.released is not None and self.released in self.judges:
            raise ValueError(f"predictions.judge and judges have the name {self.released!r} both; change one")
        return self

    @property
    def released(self) -> str | None:
        """The name of the judge whose judgements came with the predictions."""
        given = self.predictions
        return given.judge if given is not None and given.judgement is not None else None

    @property
    def called(self) -> str:
        """What the model is called."""
        if self.name is not None:
            return self.name
        extra = (self.model.model_extra or {}) if self.model is not None else {}
        given = extra.get("adapter") or extra.get("model") if self.model is not None else None
        path = str(given) if given else self.predictions.path if self.predictions else "model"
        last = path.rstrip("/").rpartition("/")[2]
        return _FILE.sub("", last) if self.predictions else last

    def benchmark_params(self, name: str) -> BaseModel:
        """The validated Params of a benchmark."""
        chosen = self.benchmarks[name]
        params: BaseModel = catalog.load(BENCHMARKS, chosen.kind).Params(**(chosen.model_extra or {}))
        return params

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, plug-in settings filled in; plain JSON types."""
        plain = self.model_dump(mode="json")
        for name, chosen in self.benchmarks.items():
            params = self.benchmark_params(name).model_dump(mode="json")
            plain["benchmarks"][name] = {"kind": chosen.kind, **params}
        if self.model is not None:
            plain["model"] |= self.model.params().model_dump(mode="json")
        plain["judges"] = {name: judge.resolved() for name, judge in self.judges.items()}
        plain["metrics"] = self.metrics.resolved()
        return plain


def load(path: str | None = None, overrides: Sequence[str] = ()) -> EvaluateConfig:
    """Read, merge and check. Raises ConfigError naming file, line, dotted key, value and the nearest key."""
    config, where = read(EvaluateConfig, path, overrides, ("model",), ("benchmarks", "judges"))
    mistakes = [*_plugin_mistakes(config, where), *without_their_model(config.judges, where)]
    mistakes += [
        *unknown_metrics(config.metrics, where),
        *_official_mistakes(config, where),
        *_places(config, where),
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def _plugin_mistakes(config: EvaluateConfig, where: Mapping[str, str]) -> Iterator[str]:
    chosen = [
        (f"benchmarks.{n}", BENCHMARKS, b.kind, b.model_extra or {}) for n, b in config.benchmarks.items()
    ]
    chosen += [(f"metrics.{name}", METRICS, name, given) for name, given in config.metrics.settings.items()]
    chosen += [(f"judges.{n}", JUDGES, j.kind, j.model_extra or {}) for n, j in config.judges.items()]
    models = {"model": config.model} | {f"judges.{n}.model": j.model for n, j in config.judges.items()}
    chosen += [(key, "engines", m.kind, m.model_extra or {}) for key, m in models.items() if m is not None]
    for key, family, name, extra in chosen:
        try:
            catalog.load(family, name).Params(**extra)
        except ConfigError as error:
            yield f"{place_of(where, key)}{key}: {error}"
        except ValidationError as error:
            yield from explain(error, where, f"{key}.", catalog.load(family, name).Params)


def _official_mistakes(config: EvaluateConfig, where: Mapping[str, str]) -> Iterator[str]:
    """A benchmark whose release keeps no answers of models."""
    given = config.predictions.official if config.predictions is not None else None
    if given is None:
        return
    key = "predictions.official"
    try:
        if not hasattr(catalog.load(BENCHMARKS, given), "predicted"):
            raise ConfigError(
                f"{given} keeps no answers in its release; name the columns of your file instead"
            )
    except ConfigError as error:
        yield f"{place_of(where, key)}{key}: {error}"


def _places(config: EvaluateConfig, where: Mapping[str, str]) -> Iterator[str]:
    """Addresses that cannot be used, and an output that is what is read, or lies in it."""
    reads = {
        f"benchmarks.{name}.path": path
        for name, chosen in config.benchmarks.items()
        if isinstance(path := (chosen.model_extra or {}).get("path"), str)
    }
    if config.predictions is not None:
        reads["predictions.path"] = config.predictions.path
    if config.people is not None:
        reads["people.path"] = config.people.path
    if config.model is not None and isinstance(path := (config.model.model_extra or {}).get("model"), str):
        reads["model.model"] = path
    for name, judge in config.judges.items():
        if judge.model is not None and isinstance(path := (judge.model.model_extra or {}).get("model"), str):
            reads[f"judges.{name}.model.model"] = path
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
