"""A small dataset built and closed in this process, without Ray: what stands beside the shards is tested on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mht.artifacts import RUN, read_commits
from mht.config import BuildConfig, load
from mht.dataset.books import add_up
from mht.dataset.captions import PremiseStore
from mht.dataset.finish import finish
from mht.dataset.leakage.benchmarks import keep, open_benchmarks
from mht.dataset.leakage.report import report
from mht.dataset.plan import assign, write_plan
from mht.dataset.run import Run, name_run
from mht.dataset.shard import ShardBuilder, WorkSpec, make_source
from mht.dataset.stages import fingerprints
from mht.phantoms.save import write_folder
from mht.storage import Storage, join

HOSTILE = (
    '</script><img src="https://example.invalid/x.png" onerror="window.pwned=1">'
    "<!-- {{data}} & \u2028 \U0001d518 | `x` "
)
SMALL = ("build.shard_images=12", "splits.train=.6", "splits.validation=.2", "splits.test=.2")
KINDS = ("chest_xray", "head_ct", "blood_smear", "fundus")


def draw(folder: Path, count: int) -> None:
    """Phantoms; the first caption is hostile to HTML, the last file is none."""
    write_folder(folder, kinds=KINDS, count=count, seed=5, side_px=96, workers=1)
    table = folder / "metadata.jsonl"
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows):
        row["caption"] = HOSTILE + row["caption"] if number == 0 else row["caption"]
        row["licence"] = "CC BY 4.0" if number % 2 else "https://creativecommons.org/licenses/by/4.0/"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / rows[-1]["file_name"]).write_bytes(b"no image at all")


def build_alone(source: Path, output: Path, *words: str, backwards: bool = False) -> BuildConfig:
    """Plan, captions, shards (in the plan's order or backwards), books, everything beside them."""
    config = load(None, ["source.kind=folder", f"source.path={source}", f"output={output}", *words])
    storage, root, resolved = Storage(config.storage), config.output, config.resolved()
    files = make_source(resolved, storage)
    plan = write_plan(
        storage, root, assign(files.items(), config.seed, config.splits, config.build.shard_images)
    )
    prints = fingerprints(resolved)
    run = Run(name_run(resolved, prints, plan), resolved, prints, plan)
    storage.write(join(root, RUN), run.to_json())
    benchmarks = open_benchmarks(storage, resolved, prints.image)
    keep(storage, root, run, benchmarks, lambda text: None, lambda: None)
    indexes = tuple((benchmark.name, benchmark.index) for benchmark in benchmarks)
    builder = ShardBuilder(
        WorkSpec(root, run.name, resolved, prints, plan.stage_keys(), indexes), lambda progress: None
    )
    shards: Sequence[str] = sorted(plan.shards, reverse=backwards)
    try:
        for shard in shards:
            builder.caption(shard)
        PremiseStore(storage, root, prints.pair).add_up(list(plan.stage_keys().values()), run.name)
        for shard in shards:
            builder.build(shard)
    finally:
        builder.close()
    books = add_up(read_commits(storage, root, run.name, list(shards)))
    told = report(storage, root, run, books.files, files, benchmarks)
    finish(storage, root, run, books, config.build, told)
    return config
