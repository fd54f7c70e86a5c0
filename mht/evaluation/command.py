"""`mht evaluate` as a person meets it: the live line while it runs, the table at the end, the exit code."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from mht.artifacts import MANIFEST
from mht.config_evaluate import EvaluateConfig
from mht.errors import TooManyQuarantined
from mht.evaluation.evaluate import evaluate
from mht.evaluation.metrics.judged import OF_JUDGE
from mht.evaluation.progress import ProgressLine
from mht.evaluation.report.files import HTML
from mht.evaluation.run import EvaluationRun, headline, unanswered
from mht.judgements import PEOPLE
from mht.predictions import Score
from mht.stopping import StopRequest
from mht.storage import join
from mht.terminal import table

_SHOWN = (
    "false_premise", "false_denial", "over_rejection", "twins", "choice", "choice.of_all", "choice.chance",
    "polarity", "polarity.of_all", "calibration", "vqa", "vqa.closed", "vqa.open_recall",
)  # fmt: skip


def run_evaluate(config: EvaluateConfig) -> int:
    """Evaluate, print what came of it, return the exit code. Raises MhtError for everything that stops it."""
    progress = ProgressLine(sys.stderr, on=config.run.progress)
    with StopRequest("answered parts are kept") as stop:
        try:
            run = evaluate(config, progress, stop.pulse)
        finally:
            progress.clear()
    print(summary(config, run))
    check_answered(config, run)
    return 0


def check_answered(config: EvaluateConfig, run: EvaluationRun) -> None:
    """Raises TooManyQuarantined where too many requests were left without a reply, or replies without a judgement."""
    told = [run.answered(name) for name in run.benchmarks]
    asked = sum(n for _, n in told)
    failed = asked - sum(n for n, _ in told)
    if failed > config.run.max_failed * asked:
        raise TooManyQuarantined(
            f"{failed:,} of {asked:,} requests had no reply, over run.max_failed={config.run.max_failed:g}. The run is "
            f"scored without them; their reasons are in {join(config.output, HTML)}. The same command asks again what "
            "failed in passing."
        )
    for judge, about in run.judges.items():
        judged, of = run.judged(judge)
        if about.get("kind") != PEOPLE and of - judged > config.run.max_failed * of:
            raise TooManyQuarantined(
                f"{judge}: {of - judged:,} of {of:,} replies have no judgement, over run.max_failed="
                f"{config.run.max_failed:g}. The run is scored without them; their reasons are in "
                f"{join(config.output, HTML)}. The same command asks again what failed in passing."
            )


def summary(config: EvaluateConfig, run: EvaluationRun) -> str:
    """The closing table: of each benchmark how many rows were answered, its main figures beside the blind ones."""
    rows = {"model": f"{run.name} ({run.model['kind']})"}
    for name in run.benchmarks:
        answered, asked = run.answered(name)
        rows[name] = f"{answered:,} of {asked:,} questions answered"
        for score in run.scores[name]:
            if (score.name in _SHOWN or score.name.startswith("judged.")) and score.n_asked:
                rows[f"  {_spoken(score.name)} ({name})"] = _figure(score, run, name)
    for judge in run.judges:
        judged, of = run.judged(judge)
        rows[f"judge {judge}"] = f"{judged:,} of {of:,} replies judged{_probed(run.judges[judge])}"
    told = {"spent": run.spent} | {f"spent by {name}": about["spent"] for name, about in run.judges.items()}
    for who, spent in told.items():
        if any(spent.values()):
            rows[who] = ", ".join(f"{n:,} {kind.replace('_', ' ')}" for kind, n in spent.items() if n)
    for number, remark in enumerate(run.remarks, start=1):
        rows[f"remark {number}"] = remark
    rows["report"] = join(config.output, HTML)
    rows["run"] = join(config.output, MANIFEST)
    return table(rows)


def _probed(judge: Mapping[str, Any]) -> str:
    probes = judge.get("probes")
    return f"; followed {probes['followed']} of {probes['judged']} planted instructions" if probes else ""


def _spoken(name: str) -> str:
    figure, _, judge = name.partition(OF_JUDGE)
    return figure.replace("_", " ").replace("judged.", "judged ") + (f" by {judge}" if judge else "")


def _figure(score: Score, run: EvaluationRun, benchmark: str) -> str:
    told = f"{score.n:,} of {score.n_asked:,}"
    value = headline(score, run.partial)
    if value is None and score.value is not None:
        return f"refused: {unanswered(score):,} of {score.n_asked:,} rows failed (partial=true shows it)"
    if value is None:
        return f"none, {told}"
    blind = _blind(score, run, benchmark)
    return f"{value:.3f}{_within(score)} on {told}" + (f"; blind: {blind}" if blind else "")


def _blind(score: Score, run: EvaluationRun, benchmark: str) -> str:
    found = {
        name: f"{other.value:.3f}{_within(other)}"
        for name, baseline in run.baselines.items()
        for other in baseline.scores.get(benchmark, ())
        if other.name == score.name and other.value is not None
    }
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _within(score: Score) -> str:
    return "" if score.low is None else f" [{score.low:.3f}, {score.high:.3f}]"
