"""An evaluation from its configuration to the scored run on disk; what is there already is not done again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mht import catalog
from mht.artifacts import (
    MANIFEST,
    RUN,
    SUCCESS,
    FileRecord,
    manifest_bytes,
    parquet_bytes,
    record_of,
    write_content,
    write_named,
)
from mht.config_evaluate import EvaluateConfig
from mht.errors import ConfigError, IntegrityError
from mht.evaluation.answering import ANSWER, QUESTION_ONLY, Answerer, Spec, open_benchmark
from mht.evaluation.baselines import cheap
from mht.evaluation.elsewhere import Elsewhere
from mht.evaluation.identity import Run, describe, fingerprints, model_of, take_up
from mht.evaluation.kept import Commit, KeptParts
from mht.evaluation.plan import Planned, PlanReader, write_plan
from mht.evaluation.progress import ProgressLine
from mht.evaluation.run import FORMAT, SCORES, EvaluationRun, scores_bytes
from mht.evaluation.scoring import Metrics, choose, score
from mht.evaluation.tables import Kept, prediction_table, value_table
from mht.generation import Failure
from mht.lease import Lease, impatient
from mht.predictions import Prediction, Score
from mht.storage import Storage, join
from mht.watch import Progress

Pulse = Callable[[], None]
Open = Callable[[Spec, Callable[[Progress], None]], Answerer]
"""Makes what answers parts in this process; a test gives another engine."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the steps of one evaluation share."""

    config: EvaluateConfig
    storage: Storage
    progress: ProgressLine
    pulse: Pulse
    answerer: Open


@dataclass(slots=True)
class _Benchmark:
    """One benchmark on its way: what is planned, what a person must know of it, and the rows."""

    plan: Planned
    digest: str
    notes: list[str]


def evaluate(
    config: EvaluateConfig, progress: ProgressLine, pulse: Pulse, answerer: Open = Answerer
) -> EvaluationRun:
    """Ask what is not answered, score all, write the run. Raises MhtError for everything that stops it."""
    storage = Storage(config.storage)
    config = config.model_copy(update={"output": storage.absolute(config.output)})
    metrics = choose(config)
    if config.model is not None:
        catalog.load("engines", config.model.kind).check(config.model.params())
    storage.check_writable(config.output)
    with Lease(impatient(config.storage), config.output):
        return _evaluate(Site(config, storage, progress, pulse, answerer), metrics)


def _evaluate(site: Site, metrics: Metrics) -> EvaluationRun:
    config, storage = site.config, site.storage
    elsewhere = Elsewhere(config.predictions, storage) if config.predictions is not None else None
    read = {name: _read(site, name) for name in config.benchmarks}
    plans = {name: one.plan for name, one in read.items()}
    model = model_of(config, elsewhere.digest if elsewhere is not None else None)
    run = describe(config, model, plans, {name: one.digest for name, one in read.items()})
    take_up(storage, config, run)
    spec = Spec(config.output, config, plans, fingerprints(run))
    if elsewhere is not None:
        _take_over(site, spec, elsewhere)
    else:
        _ask(site, spec, ANSWER)
        if config.baselines.question_only:
            _ask(site, spec, QUESTION_ONLY)
    notes = {name: list(one.notes) for name, one in read.items()}
    return _close(site, spec, run, metrics, notes)


def _read(site: Site, name: str) -> _Benchmark:
    """A benchmark's questions, planned. Raises InputError for one without questions."""
    benchmark = open_benchmark(site.config, name, site.storage)
    site.pulse()
    plan = write_plan(
        site.storage, site.config.output, name, benchmark.questions(), site.config.part_questions
    )
    if not plan.questions:
        raise ConfigError(f"benchmarks.{name}: no question is asked. Choose another split, or more of it.")
    return _Benchmark(plan, benchmark.digest, benchmark.notes())
