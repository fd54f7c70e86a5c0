"""The schema of conf/build.yaml and how a configuration is read.

Later wins: the defaults below < the YAML file < `key=value` on the command line. Every model is frozen and
forbids unknown keys. A plug-in's settings are the `Params` of its own file; they are checked here, before Ray or
any storage is touched. `load` returns a `BuildConfig` or raises one ConfigError that lists every mistake.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mht import catalog
from mht.config_mistakes import explain, place_of
from mht.config_reading import read
from mht.errors import ConfigError
from mht.imaging.hashes import NEAR_DUPLICATE_BITS
from mht.imaging.leakage import LeakageParams
from mht.imaging.params import ImagingParams
from mht.pairing.params import PairingParams
from mht.storage import StorageParams
from mht.storage.uris import refuse_unusable, same_or_inside

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PluginConfig(BaseModel):
    """A plug-in by name; the keys beside `kind` are its own `Params`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str


class EngineConfig(PluginConfig):
    """A way to run a model, and how many of it: the keys beside these are the engine's own `Params`.

    Of these keys none changes a row. `num_gpus` may be a fraction: several replicas share a card.
    """

    num_gpus: float = Field(default=0, ge=0, le=64)
    num_cpus: float = Field(default=1, gt=0, le=1024)
    replicas: int = Field(default=1, ge=1, le=10_000)
    """Actors that each load the model once."""
    price_per_gpu_hour: float | None = Field(default=None, ge=0)
    """What an hour of one card costs, for `plan=true` to tell the money; any currency."""
    max_replicas: int | None = Field(default=None, ge=1, le=10_000)
    """Grow the pool up to so many where the cluster has room; None keeps it at `replicas`."""

    @model_validator(mode="after")
    def _most_is_not_fewer(self) -> EngineConfig:
        if self.max_replicas is not None and self.max_replicas < self.replicas:
            raise ValueError(f"max_replicas={self.max_replicas} is less than replicas={self.replicas}")
        return self

    def params(self) -> BaseModel:
        """The validated Params of the engine."""
        made: BaseModel = catalog.load("engines", self.kind).Params(**(self.model_extra or {}))
        return made


class SplitConfig(BaseModel):
    """Shares of the groups (patients, cases, figures) that go to each split; they must add up to 1."""

    model_config = _STRICT

    train: float = Field(default=0.9, ge=0, le=1)
    validation: float = Field(default=0.05, ge=0, le=1)
    test: float = Field(default=0.05, ge=0, le=1)

    @model_validator(mode="after")
    def _whole(self) -> SplitConfig:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, validation and test add up to {total:g}, they must add up to 1")
        return self


class RunConfig(BaseModel):
    """How the work is cut and watched. None of these changes a row."""

    model_config = _STRICT

    workers: int | None = Field(default=None, ge=1, le=100_000)
    """Worker actors; None: one a CPU of the cluster."""
    shard_images: int = Field(default=250, ge=1, le=100_000)
    """Images in a shard, the unit of work and of loss."""
    max_quarantined: float = Field(default=0.05, ge=0, le=1)
    """Share of refused inputs over which the finished build exits 3."""
    max_unanswered: float = Field(default=0.02, ge=0, le=1)
    """Share of a stage's requests to a model without a usable reply, over which the finished build exits 3."""
    stall_s: float = Field(default=300, gt=0)
    """A worker that reports nothing for so long is killed and its shard requeued."""
    stall_tries: int = Field(default=3, ge=1, le=100)
    near_duplicate_bits: int = Field(default=NEAR_DUPLICATE_BITS, ge=0, le=64)
    """Two images whose 256-bit perceptual hashes differ in so many bits or fewer are flagged."""
    gallery_images: int = Field(default=200, ge=0, le=5000)
    """Images that gallery.html shows, as far as 8 MiB hold them; 0 writes no gallery."""
    progress: bool = True


class RayConfig(BaseModel):
    """Where Ray runs. `local` starts a private one; under `ray job submit` the job's own cluster is used."""

    model_config = _STRICT

    address: str = "local"
    object_store_mib: int = Field(default=256, ge=80)
    temp_dir: str | None = None


SECTIONS = {
    "source": "sources", "captioner": "captioners", "writer": "pairing.writers", "verifier": "verifiers"
}  # fmt: skip
"""The keys that choose one plug-in of a family."""


class BuildConfig(BaseModel):
    """Everything `mht build` can be told."""

    model_config = _STRICT

    output: str = Field(default="out/dataset", min_length=1)
    seed: int = Field(default=0, ge=0)
    plan: bool = False
    """Only predict time, bytes and memory from a probe; build nothing."""
    new_run: bool = False
    """Start over in an output that holds another configuration's run; stages that are the same are reused."""
    source: PluginConfig = PluginConfig(kind="phantoms")
    engines: dict[str, EngineConfig] = Field(default_factory=dict)
    """Ways to run a model, by names that the captioner, the writer and the verifier call them by."""
    captioner: PluginConfig = PluginConfig(kind="given")
    writer: PluginConfig = PluginConfig(kind="templates")
    verifier: PluginConfig = PluginConfig(kind="none")
    perturbations: dict[str, dict[str, Any]] = Field(default_factory=dict, validate_default=True)
    """All kinds by default; settings by name, null to leave one out."""
    checks: tuple[str, ...] = Field(default_factory=lambda: catalog.names("checks"))
    review: str | None = Field(default=None, min_length=1)
    """Decisions of people about pairs: what `mht review import` wrote, or Label Studio's JSON export."""
    imaging: ImagingParams = ImagingParams()
    leakage: LeakageParams = LeakageParams()
    pairing: PairingParams = PairingParams()
    splits: SplitConfig = SplitConfig()
    build: RunConfig = RunConfig()
    storage: StorageParams = StorageParams()
    ray: RayConfig = RayConfig()

    @field_validator(*SECTIONS, mode="before")
    @classmethod
    def _of_the_default_kind(cls, given: object, info: ValidationInfo) -> object:
        default = cls.model_fields[str(info.field_name)].default
        return {"kind": default.kind, **given} if isinstance(given, Mapping) else given

    @field_validator("perturbations", mode="before")
    @classmethod
    def _all_but_the_null_ones(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        merged = {**{name: {} for name in catalog.names("perturbations")}, **given}
        return {name: params for name, params in merged.items() if params is not None}

    def plugin_params(self, section: str) -> BaseModel:
        """The validated Params of the plug-in that a section chooses."""
        chosen: PluginConfig = getattr(self, section)
        params: BaseModel = catalog.load(SECTIONS[section], chosen.kind).Params(**(chosen.model_extra or {}))
        return params

    def engine_of(self, section: str) -> str | None:
        """The name of the engine that a section asks; None where it asks none."""
        named: str | None = getattr(self.plugin_params(section), "engine", None)
        return named

    def engines_asked(self) -> list[str]:
        """The engines that the sections ask, each once, in the order of the sections."""
        return list(dict.fromkeys(name for section in SECTIONS if (name := self.engine_of(section))))

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, plug-in settings filled in; plain JSON types.

        `models` is added: what decides the replies of each engine that is asked.
        """
        plain = self.model_dump(mode="json")
        for section in SECTIONS:
            params = self.plugin_params(section).model_dump(mode="json")
            plain[section] = {"kind": plain[section]["kind"], **params}
        plain["perturbations"] = {
            name: catalog.load("perturbations", name).Params(**given).model_dump(mode="json")
            for name, given in sorted(self.perturbations.items())
        }
        for name, engine in self.engines.items():
            plain["engines"][name] |= engine.params().model_dump(mode="json")
        plain["models"] = {
            name: catalog.load("engines", self.engines[name].kind).identity(self.engines[name].params())
            for name in self.engines_asked()
        }
        return plain


def load(path: str | None = None, overrides: Sequence[str] = ()) -> BuildConfig:
    """Read, merge and check. Raises ConfigError naming file, line, dotted key, value and the nearest key."""
    config, where = read(BuildConfig, path, overrides, SECTIONS, ("engines",))
    mistakes = [line for line in _plugin_mistakes(config, where)] + _conflicts(config, where)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def _plugin_mistakes(config: BuildConfig, where: Mapping[str, str]) -> Iterator[str]:
    chosen = [
        (key, family, getattr(config, key).kind, getattr(config, key).model_extra or {})
        for key, family in SECTIONS.items()
    ]
    chosen += [(f"engines.{n}", "engines", e.kind, e.model_extra or {}) for n, e in config.engines.items()]
    chosen += [(f"perturbations.{n}", "perturbations", n, v or {}) for n, v in config.perturbations.items()]
    for i, benchmark in enumerate(config.leakage.benchmarks):
        chosen.append((f"leakage.benchmarks.{i}", "sources", benchmark.kind, benchmark.model_extra or {}))
    for key, family, name, extra in chosen:
        try:
            catalog.load(family, name).Params(**extra)
        except ConfigError as error:
            yield f"{place_of(where, key)}{key}: {error}"
        except ValidationError as error:
            yield from explain(error, where, f"{key}.", catalog.load(family, name).Params)
    yield from _engine_mistakes(config, where)
    for name in config.checks:
        if name not in catalog.names("checks"):
            near = difflib.get_close_matches(name, catalog.names("checks"), n=1, cutoff=0.0)
            yield f"{place_of(where, 'checks')}checks: no check is called {name!r}; did you mean {near[0]!r}?"


def _engine_mistakes(config: BuildConfig, where: Mapping[str, str]) -> Iterator[str]:
    """A section that asks an engine which nobody has described."""
    for section in SECTIONS:
        asked = (getattr(config, section).model_extra or {}).get("engine")
        if isinstance(asked, str) and asked not in config.engines:
            near = difflib.get_close_matches(asked, config.engines, n=1, cutoff=0.0)
            hint = f"did you mean {near[0]!r}?" if near else f"Describe it: engines.{asked}.kind=…"
            yield f"{place_of(where, section)}{section}.engine: no engine is called {asked!r}; {hint}"


def _conflicts(config: BuildConfig, where: Mapping[str, str]) -> list[str]:
    """Addresses that cannot be used, and what no single key shows: an output equal to, or inside, its input."""
    path = (config.source.model_extra or {}).get("path")
    read = [*([("source.path", path)] if isinstance(path, str) else []), *config.leakage.addresses()]
    for key, uri in [("output", config.output), ("review", config.review or ""), *read]:
        try:
            refuse_unusable(uri)
        except ConfigError as error:
            return [f"{place_of(where, key)}{key}: {error}"]
    return [
        f"{place_of(where, 'output')}output: {config.output!r} and {key} {address!r} are the same place or one inside "
        "the other; the build would read what it writes. Choose an output beside it."
        for key, address in read
        if same_or_inside(config.output, address)
    ]
