"""The schema of conf/build.yaml and how a configuration is read.

Later wins: the defaults below < the YAML file < `key=value` on the command line. Every model is frozen and
forbids unknown keys. A plug-in's settings are the `Params` of its own file; they are checked here, before Ray or
any storage is touched. `load` returns a `BuildConfig` or raises one ConfigError that lists every mistake.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

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
from mht.config_file import Placed, read_overrides, read_yaml
from mht.errors import ConfigError
from mht.imaging.hashes import NEAR_DUPLICATE_BITS
from mht.imaging.leakage import LeakageParams
from mht.imaging.params import ImagingParams
from mht.pairing.params import PairingParams
from mht.seeds import digest
from mht.storage import StorageParams
from mht.storage.uris import refuse_unusable, same_or_inside

Model = TypeVar("Model", bound=BaseModel)
_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PluginConfig(BaseModel):
    """A plug-in by name; the keys beside `kind` are its own `Params`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str


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
    captioner: PluginConfig = PluginConfig(kind="given")
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

    @field_validator("source", "captioner", mode="before")
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

    def plugin_params(self, family: str) -> BaseModel:
        """The validated Params of the chosen source or captioner."""
        chosen = self.source if family == "sources" else self.captioner
        params: BaseModel = catalog.load(family, chosen.kind).Params(**(chosen.model_extra or {}))
        return params

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, plug-in settings filled in; plain JSON types."""
        plain = self.model_dump(mode="json")
        for key, family in (("source", "sources"), ("captioner", "captioners")):
            params = self.plugin_params(family).model_dump(mode="json")
            plain[key] = {"kind": plain[key]["kind"], **params}
        plain["perturbations"] = {
            name: catalog.load("perturbations", name).Params(**given).model_dump(mode="json")
            for name, given in sorted(self.perturbations.items())
        }
        return plain


# What may differ when a run is resumed: where and how fast the work is done, never what comes out of it.
RESUMABLE_KEYS = (
    "plan", "new_run", "build.workers", "build.stall_s", "build.stall_tries", "build.max_quarantined",
    "build.progress", "build.near_duplicate_bits", "build.gallery_images", "ray", "storage",
)  # fmt: skip


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of every leaf; an empty mapping is a leaf."""
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{dotted}.")
        else:
            yield dotted, value


def identity(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """The flat keys that decide the rows: all but RESUMABLE_KEYS and where the output lies."""
    skipped = (*RESUMABLE_KEYS, "output")
    return {
        key: value
        for key, value in flatten(resolved)
        if not any(key == skip or key.startswith(skip + ".") for skip in skipped)
    }


def identity_hash(resolved: Mapping[str, Any]) -> str:
    """32 hex digits over `identity`."""
    return digest(json.dumps(identity(resolved), sort_keys=True)).hex()


def load(path: str | None = None, overrides: Sequence[str] = ()) -> BuildConfig:
    """Read, merge and check. Raises ConfigError naming file, line, dotted key, value and the nearest key."""
    placed = read_yaml(path) if path else Placed({}, {})
    given = read_overrides(overrides)
    where = {**placed.lines, **given.lines}
    config = validated(BuildConfig, _merge(placed.values, given.values), where)
    mistakes = [line for line in _plugin_mistakes(config, where)] + _conflicts(config, where)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def validated(model: type[Model], values: Mapping[str, Any], where: Mapping[str, str]) -> Model:
    """The values as the model has them; `where` tells each key's place. Raises ConfigError with every mistake."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(error, where, "", model))) from None


def _merge(file: dict[str, Any], command_line: dict[str, Any]) -> Any:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    # Another plug-in on the command line takes the file's section away: its settings were for the one named there.
    for section in ("source", "captioner"):
        before, now = file.get(section), command_line.get(section)
        if (
            isinstance(before, dict)
            and isinstance(now, dict)
            and now.get("kind", before.get("kind")) != before.get("kind")
        ):
            file = {key: value for key, value in file.items() if key != section}
    try:
        merged = OmegaConf.merge(OmegaConf.create(file), OmegaConf.create(command_line))
        return OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        text = str(error).splitlines()[0]
        raise ConfigError(f"config: {text}. Write the value out, without ${{…}} or ???.") from None


def _plugin_mistakes(config: BuildConfig, where: Mapping[str, str]) -> Iterator[str]:
    chosen = [
        ("source", "sources", config.source.kind, config.source.model_extra or {}),
        ("captioner", "captioners", config.captioner.kind, config.captioner.model_extra or {}),
    ]
    chosen += [(f"perturbations.{n}", "perturbations", n, v or {}) for n, v in config.perturbations.items()]
    for i, benchmark in enumerate(config.leakage.benchmarks):
        chosen.append((f"leakage.benchmarks.{i}", "sources", benchmark.kind, benchmark.model_extra or {}))
    for key, family, name, extra in chosen:
        try:
            catalog.load(family, name).Params(**extra)
        except ConfigError as error:
            yield f"{_place(where, key)}{key}: {error}"
        except ValidationError as error:
            yield from _explain(error, where, f"{key}.", catalog.load(family, name).Params)
    for name in config.checks:
        if name not in catalog.names("checks"):
            near = difflib.get_close_matches(name, catalog.names("checks"), n=1, cutoff=0.0)
            yield f"{_place(where, 'checks')}checks: no check is called {name!r}; did you mean {near[0]!r}?"


def _conflicts(config: BuildConfig, where: Mapping[str, str]) -> list[str]:
    """Addresses that cannot be used, and what no single key shows: an output equal to, or inside, its input."""
    path = (config.source.model_extra or {}).get("path")
    read = [*([("source.path", path)] if isinstance(path, str) else []), *config.leakage.addresses()]
    for key, uri in [("output", config.output), ("review", config.review or ""), *read]:
        try:
            refuse_unusable(uri)
        except ConfigError as error:
            return [f"{_place(where, key)}{key}: {error}"]
    return [
        f"{_place(where, 'output')}output: {config.output!r} and {key} {place!r} are the same place or one inside the "
        "other; the build would read what it writes. Choose an output beside it."
        for key, place in read
        if same_or_inside(config.output, place)
    ]


def _place(where: Mapping[str, str], dotted: str) -> str:
    """The place of the key, or of its nearest parent that was written down."""
    while dotted:
        if dotted in where:
            return f"{where[dotted]}: "
        dotted = dotted.rpartition(".")[0]
    return ""


def _explain(
    error: ValidationError, where: Mapping[str, str], prefix: str, model: type[BaseModel]
) -> Iterator[str]:
    for item in error.errors(include_url=False):
        dotted = prefix + ".".join(map(str, item["loc"]))
        given = item.get("input")
        if item["type"] == "extra_forbidden":
            allowed = _keys_at(model, item["loc"][:-1])
            near = difflib.get_close_matches(str(item["loc"][-1]), allowed, n=1, cutoff=0.0)
            hint = f"did you mean {near[0]!r}? " if near else ""
            message = f"unknown key; {hint}Allowed here: {', '.join(allowed)}."
        elif item["type"] == "missing":
            message = f"required, and not given. Set {dotted}=… on the command line or in the file."
        else:
            message = f"{item['msg']} (given: {_shorten(given)})"
        yield f"{_place(where, dotted)}{dotted or 'config'}: {message}"


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    for step in path:
        kind = model.model_fields[str(step)].annotation if str(step) in model.model_fields else None
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return []
        model = kind
    return sorted(model.model_fields)
