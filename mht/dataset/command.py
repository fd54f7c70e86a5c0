"""`mht build` as a person meets it: the live line while it runs, the table at the end, the exit code."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from mht.artifacts import MANIFEST
from mht.config import BuildConfig
from mht.dataset.build import BuildReport, build
from mht.dataset.passes import Asked
from mht.dataset.predict import compare
from mht.dataset.progress import ProgressLine
from mht.errors import TooManyQuarantined
from mht.stopping import StopRequest
from mht.storage import join
from mht.terminal import clock_face, size_face, table

_COSTS = {"calls": "calls", "prompt_tokens": "tokens in", "tokens": "tokens out"}


def run_build(config: BuildConfig) -> int:
    """Build, print what came of it, return the exit code. Raises MhtError for everything that stops it."""
    progress = ProgressLine(sys.stderr, on=config.build.progress)
    with StopRequest("committed shards are kept") as stop:
        try:
            report = build(config, progress, stop.pulse)
        finally:
            progress.clear()
    print(summary(config, report))
    share = report.books.quarantined_share
    if share > config.build.max_quarantined:
        raise TooManyQuarantined(
            f"{share:.1%} of the inputs were quarantined, over build.max_quarantined="
            f"{config.build.max_quarantined:g}. The dataset is whole without them; look at "
            f"{join(config.output, 'quarantine')} or raise the limit."
        )
    _check_answered(config, report.books.counts.get("spent", {}))
    return 0


def _check_answered(config: BuildConfig, spent: Mapping[str, int]) -> None:
    """Raises TooManyQuarantined where a model left too many requests without a usable reply."""
    for stage in ("texts", "wordings", "verdicts"):
        asked, failed = spent.get(f"{stage}/asked", 0), spent.get(f"{stage}/unanswered", 0)
        if failed > config.build.max_unanswered * asked:
            raise TooManyQuarantined(
                f"{stage}: {failed:,} of {asked:,} requests had no usable reply, over build.max_unanswered="
                f"{config.build.max_unanswered:g}. The dataset is whole without them; their reasons are in "
                f"{join(config.output, 'quarantine')} and {join(config.output, 'refused_pairs')}."
            )


def summary(config: BuildConfig, report: BuildReport) -> str:
    """The closing table: in, out, quarantined by reason, bytes, time, where."""
    books = report.books
    rows = {"in": f"{books.total('in'):,} images"}
    rows["out"] = f"{books.total('out'):,} images, {books.total('pairs'):,} pairs"
    rows["quarantined"] = f"{books.total('quarantined'):,}"
    for reason, count in sorted(books.counts.get("reason", {}).items(), key=lambda item: (-item[1], item[0])):
        rows[f"  {reason}"] = f"{count:,}"
    if reviewed := books.counts.get("review"):
        rows["review"] = ", ".join(f"{outcome} {n:,}" for outcome, n in sorted(reviewed.items()) if n)
    if config.leakage.benchmarks:
        found = dict(books.counts.get("leak", {}))
        told = ", ".join(f"{n:,} by {how}" for how, n in sorted(found.items()))
        rows["benchmark leaks"] = f"{sum(found.values()):,} images{told and f' ({told})'}, see leakage.html"
    near = report.stats["duplicates"]
    rows["near-duplicates"] = f"{near['pairs']:,} pairs of images, {near['across_splits']:,} across splits"
    rows |= {work: _asked_face(asked) for work, asked in report.asked.items()}
    if spent := books.counts.get("spent"):
        rows["spent"] = _spent_face(spent)
    rows["bytes"] = size_face(books.bytes)
    rows["time"] = _time_face(report)
    rows["dataset"] = join(config.output, MANIFEST)
    text = table(rows)
    prediction = compare(config, report)
    return f"{text}\n{prediction}" if prediction else text


def _asked_face(asked: Asked) -> str:
    rate = asked.images / asked.seconds if asked.seconds > 0 else 0.0
    return f"{clock_face(asked.seconds)} for {asked.images:,} images ({rate:,.1f}/s)"


def _spent_face(spent: Mapping[str, int]) -> str:
    """Over all runs of this dataset: what was kept was paid for once."""
    total = {kind: sum(n for word, n in spent.items() if word.endswith(f"/{kind}")) for kind in _COSTS}
    return ", ".join(f"{n:,} {_COSTS[kind]}" for kind, n in total.items())


def _time_face(report: BuildReport) -> str:
    if not report.shards_built:
        return "nothing left to do: every shard was committed before"
    rate = report.images_built / report.work_s if report.work_s > 0 else 0.0
    return (
        f"{clock_face(report.work_s)} for {report.images_built:,} images ({rate:,.0f}/s), "
        f"start-up {clock_face(report.startup_s)}"
    )
