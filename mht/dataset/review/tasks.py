"""`mht review export` and `mht review import`: pairs to Label Studio, and its annotations to a review file."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mht.config_file import read_overrides
from mht.config_reading import validated
from mht.dataset.review.files import read_review
from mht.dataset.review.label_studio import CONFIG, data_uri, task
from mht.errors import ConfigError, InputError, RunConflict
from mht.reading import Dataset, Selection
from mht.seeds import digest
from mht.storage import Storage, StorageParams

_SUFFIX = ".json"
Chosen = tuple[bytes, str, str, list[str]]
"""(rank, shard, image id, pair ids) of a twin."""


class TasksConfig(Selection):
    """What `mht review export` can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int = Field(default=100, ge=1, le=100_000)
    """Pairs at the most; twins stay together, and the types take turns."""
    seed: int = Field(default=0, ge=0)
    """Another seed chooses other pairs."""
    image_prefix: str | None = None
    """What stands before images/<shard>/<file> in an image's address; None puts the image itself into the task."""
    storage: StorageParams = StorageParams()


class ImportConfig(BaseModel):
    """What `mht review import` can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    storage: StorageParams = StorageParams()


def export_tasks(root: str, file: str, words: Sequence[str]) -> str:
    """Write Label Studio's tasks to `file` and the labelling configuration beside it; one line says what they are.

    Raises ConfigError for settings that cannot be used, RunConflict where the file is there already.
    """
    placed = read_overrides(words)
    config = validated(TasksConfig, placed.values, placed.lines)
    if not file.endswith(_SUFFIX):
        raise ConfigError(
            f"{file!r}: Label Studio takes tasks as JSON. Give a name that ends with {_SUFFIX}."
        )
    storage = Storage(config.storage)
    if storage.exists(file):
        raise RunConflict(f"{file} at review: there already. Choose another name, or remove it first.")
    dataset = Dataset(storage, root)
    dataset.check(config)
    tasks = list(_tasks(dataset, config))
    if not tasks:
        raise InputError("no pair is of the chosen kind. Choose wider.")
    labelling = file.removesuffix(_SUFFIX) + ".xml"
    storage.write(labelling, CONFIG.encode())
    storage.write(file, (json.dumps(tasks, ensure_ascii=False, indent=1) + "\n").encode())
    return f"{file}: {len(tasks):,} tasks; the labelling configuration is {labelling}"


def import_review(exported: str, file: str, words: Sequence[str]) -> str:
    """Write the decisions of Label Studio's JSON export to `file`, over older ones there about the same rows."""
    placed = read_overrides(words)
    config = validated(ImportConfig, placed.values, placed.lines)
    storage = Storage(config.storage)
    review = read_review(storage, exported)
    if not review.decisions:
        raise InputError(f"{exported} at review: no task is annotated. Annotate some, and export again.")
    verdicts = Counter(decision.verdict for decision in review.decisions.values())
    whole = review.over(read_review(storage, file)) if storage.exists(file) else review
    storage.write(file, whole.to_bytes())
    told = ", ".join(f"{verdict} {n:,}" for verdict, n in sorted(verdicts.items()))
    return f"{file}: {len(whole):,} decisions, {len(review):,} of them from {exported} ({told})"


def _tasks(dataset: Dataset, config: TasksConfig) -> Iterator[dict[str, Any]]:
    chosen: dict[str, dict[str, set[str]]] = {}
    for _, shard, image_id, pair_ids in _choose(dataset, config):
        chosen.setdefault(shard, {}).setdefault(image_id, set()).update(pair_ids)
    for shard, pairs in dataset.pairs(Selection(split=config.split)):
        if shard not in chosen:
            continue
        wanted = chosen[shard]
        images = dataset.images(shard, set(wanted))
        twins: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for pair in pairs:
            twins.setdefault((pair["image_id"], pair["twin_id"]), []).append(pair)
        for pair in pairs:
            if pair["pair_id"] in wanted.get(pair["image_id"], ()):
                image = images[pair["image_id"]]["image"]
                address = _address(config, shard, image)
                couple = twins[pair["image_id"], pair["twin_id"]]
                yield task(pair, next((p for p in couple if p is not pair), None), address, dataset.run)


def _address(config: TasksConfig, shard: str, image: dict[str, Any]) -> str:
    if config.image_prefix is None:
        return data_uri(image)
    return f"{config.image_prefix}images/{shard}/{image['path']}"


def _choose(dataset: Dataset, config: TasksConfig) -> list[Chosen]:
    """Twins by the hash of their names, the types in turn, up to `n` pairs; the whole dataset is never in memory."""
    best: dict[str, list[Chosen]] = {}
    for shard, pairs in dataset.pairs(Selection(split=config.split)):
        twins: dict[tuple[str, str, str], list[str]] = {}
        for pair in pairs:
            if config.takes(pair):
                twins.setdefault((pair["type"], pair["image_id"], pair["twin_id"]), []).append(
                    pair["pair_id"]
                )
        for (type_, image_id, twin_id), pair_ids in twins.items():
            rank = digest(config.seed, "review", image_id, twin_id)
            best.setdefault(type_, []).append((rank, shard, image_id, pair_ids))
        best = {type_: heapq.nsmallest(config.n, found) for type_, found in best.items()}
    turns = zip_longest(*(found for _, found in sorted(best.items())))
    return list(_up_to(config.n, [one for one in chain.from_iterable(turns) if one is not None]))


def _up_to(n: int, chosen: Sequence[Chosen]) -> Iterator[Chosen]:
    for one in chosen:
        n -= len(one[3])
        if n < 0:
            return
        yield one
