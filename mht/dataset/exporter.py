"""`mht export`: a finished dataset in the files that a trainer reads, shard by shard."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

import mht
from mht import catalog
from mht.config_file import read_overrides
from mht.config_reading import validated
from mht.dataset.sink import EXPORT, Sink
from mht.errors import ConfigError, InputError
from mht.reading import Dataset, Selection, ShardRows, need_column
from mht.storage import Storage, StorageParams, join
from mht.storage.uris import refuse_unusable, same_or_inside

FORMATS = "dataset.export"
_REBUILD = "Build it again with this version of mht, or export without variant=dpo."


class ExportConfig(Selection):
    """What `mht export` can be told, beside the format's own settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    storage: StorageParams = StorageParams()


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds: pairs and images by split, and pairs left out by reason."""

    pairs: Counter[str]
    images: Counter[str]
    left_out: Counter[str]

    def plain(self) -> dict[str, dict[str, int]]:
        named = {"pairs": self.pairs, "images": self.images, "left_out": self.left_out}
        return {name: dict(sorted(counts.items())) for name, counts in named.items()}


def read_settings(words: Sequence[str]) -> tuple[ExportConfig, BaseModel]:
    """(the settings, the format's Params) of `key=value` words. Raises ConfigError with the nearest right name."""
    placed = read_overrides(words)
    there = catalog.names(FORMATS)
    chosen = placed.values.get("format")
    if chosen not in there:
        near = difflib.get_close_matches(str(chosen), there, n=1, cutoff=0.0)
        said = f"no format is called {chosen!r}; did you mean {near[0]!r}? " if chosen else "required. "
        raise ConfigError(f"command line: format: {said}There are: {', '.join(there)}.")
    own = catalog.load(FORMATS, chosen).Params
    both = create_model("ExportSettings", __base__=(ExportConfig, own))
    settings = validated(both, placed.values, placed.lines)
    given = settings.model_dump(include=set(own.model_fields))
    config = ExportConfig(**settings.model_dump(include=set(ExportConfig.model_fields)))
    return config, own(**given)


def export(root: str, output: str, words: Sequence[str]) -> str:
    """Export and say what was written, in one line.

    Raises ConfigError for settings that cannot be used, RunConflict for an output with something else in it,
    IntegrityError for a damaged dataset, InputError when no pair is wanted.
    """
    config, params = read_settings(words)
    for address in (root, output):
        refuse_unusable(address)
    if same_or_inside(output, root):
        raise ConfigError(
            f"{output!r} lies in the dataset {root!r}, or around it. Export to a place beside it."
        )
    storage = Storage(config.storage)
    dataset = Dataset(storage, root)
    dataset.check(config)
    with Sink(storage, output, _identity(dataset, config, params)) as sink:
        sink.claim()
        done = _write(dataset, config, params, sink)
        sink.close(done.plain())
    left_out = "".join(f", {n:,} pairs left out: {why}" for why, n in sorted(done.left_out.items()))
    splits = ", ".join(f"{name} {n:,}" for name, n in sorted(done.pairs.items()))
    return (
        f"{join(output, EXPORT)}: {done.pairs.total():,} pairs ({splits}) on {done.images.total():,} images "
        f"as {config.format}{left_out}"
    )


def _identity(dataset: Dataset, config: ExportConfig, params: BaseModel) -> dict[str, Any]:
    return {
        "run": dataset.run,
        "dataset": dataset.digest,
        "mht_version": mht.__version__,
        "settings": config.model_dump(mode="json", exclude={"storage"}) | params.model_dump(mode="json"),
    }


def _write(dataset: Dataset, config: ExportConfig, params: BaseModel, sink: Sink) -> Exported:
    module = catalog.load(FORMATS, config.format)
    writer = module.Writer(params, sink)
    done = Exported(Counter(), Counter(), Counter())
    for shard in dataset.shards(config):
        kept = _preferences(shard, done) if module.needs_rejected(params) else shard
        if kept.pairs:
            writer.write(kept)
            done.pairs[kept.split] += len(kept.pairs)
            done.images[kept.split] += len({pair["image_id"] for pair in kept.pairs})
    if not done.pairs:
        raise InputError(
            f"no pair is left to export ({dict(done.left_out) or 'none was chosen'}). Choose wider."
        )
    card = writer.close(sorted(done.pairs)) + _NOTE.format(run=dataset.run)
    sink.write("README.md", card.encode())
    return done


def _preferences(shard: ShardRows, done: Exported) -> ShardRows:
    """The pairs with a wrong answer that is another one than the right one."""
    for pair in shard.pairs[:1]:
        need_column(pair, "rejected", _REBUILD)
    kept = [pair for pair in shard.pairs if pair["rejected"] and pair["rejected"] != pair["answer"]]
    if len(kept) < len(shard.pairs):
        done.left_out["without a rejected answer"] += len(shard.pairs) - len(kept)
    return replace(shard, pairs=kept)


_NOTE = """
Made by `mht export` from run `{run}`. `EXPORT.json` lists every file with its sha256 and counts the pairs. This is
material for research on vision-language models, not a medical device, and no basis for any decision about a patient.
"""
