"""From answered parts to the scored run on disk: rows read, measured, and closed with the manifest, which is last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mht.artifacts import (
    MANIFEST,
    RUN,
    SUCCESS,
    manifest_bytes,
    parquet_bytes,
    record_of,
    write_content,
)
from mht.evaluation.answering import ANSWER, QUESTION_ONLY, Spec, open_benchmark
from mht.evaluation.asking import is_weighed
from mht.evaluation.baselines import cheap
from mht.evaluation.gathered import NOTHING, Gathered, Rows, cost
from mht.evaluation.identity import Run
from mht.evaluation.intervals import with_interval
from mht.evaluation.pictures import Pictures
from mht.evaluation.report.files import report_files
from mht.evaluation.run import FORMAT, SCORES, EvaluationRun, scores_bytes
from mht.evaluation.scoring import Metrics
from mht.evaluation.tables import Kept, value_table
from mht.evaluation.work import Site
from mht.generation import Failure
from mht.predictions import Prediction, Score
from mht.questions import Question


def close(
    site: Site,
    spec: Spec,
    run: Run,
    metrics: Metrics,
    notes: Mapping[str, Sequence[str]],
    remarks: Sequence[str],
    judges: Mapping[str, Mapping[str, Any]],
) -> EvaluationRun:
    """Score everything that was answered and write the run. Raises IntegrityError where something is missing.

    `judges` are the identities of those whose judgements are there, by name.
    """
    gathered = Gathered(site, spec, run, metrics)
    gathered.remarks += [*remarks, *(f"metric left out: {why}" for why in metrics.left_out)]
    gathered.read_plans()
    rows = gathered.read_answers(ANSWER)
    gathered.remarks += _cut_remarks(rows)
    gathered.remarks += _likelihood_remarks(site, gathered.questions, rows)
    baselines = _baselines(gathered)
    for name in sorted(judges, key=gathered.called):
        rows = gathered.with_judgements(rows, name, judges[name])
    gathered.write_official(rows)
    scores = {name: _scored(gathered, name, of) for name, of in rows.items()}
    made = EvaluationRun(
        name=run.name,
        run=run.run,
        model=run.model,
        benchmarks={name: [row.prediction for row in of] for name, of in rows.items()},
        scores=scores,
        notes={name: list(of) for name, of in notes.items()},
        digests=run.digests,
        config=run.config,
        code=run.code,
        spent=_spent(rows),
        remarks=tuple(gathered.remarks),
        judges=gathered.judges,
    )
    whole = made.beside({name: _as_run(made, name, of, gathered) for name, of in baselines.items()})
    _write(gathered, whole)
    return whole


def _scored(gathered: Gathered, name: str, rows: Sequence[Kept]) -> list[Score]:
    """A benchmark's scores; what each metric read from each row is written beside."""
    measured = gathered.metrics.measure([row.prediction for row in rows])
    data = parquet_bytes(value_table(measured))
    count = sum(len(one.units) for one in measured)
    record = write_content(gathered.site.storage, gathered.spec.root, f"scores/{name}", data, count)
    gathered.files.append(record)
    gathered.site.pulse()
    return [with_interval(one, gathered.site.config.intervals) for one in measured]


def _baselines(gathered: Gathered) -> dict[str, Rows]:
    """The rows of each blind baseline by benchmark; why one is left out is remarked."""
    config, found = gathered.site.config, dict[str, Rows]()
    for benchmark, questions in gathered.questions.items():
        suffix = getattr(config.benchmark_params(benchmark), "suffix", "")
        for name, rows in cheap(config.baselines, questions, suffix).items():
            gathered.write_baseline(name, benchmark, rows)
            found.setdefault(name, {})[benchmark] = rows
    if config.baselines.question_only:
        for benchmark, rows in gathered.read_answers(QUESTION_ONLY).items():
            if all(row.prediction.failure == Failure.NOT_ACCEPTED for row in rows):
                gathered.remarks.append(
                    f"baseline question_only left out for {benchmark}: the model takes no question without an image"
                )
            else:
                found.setdefault(QUESTION_ONLY, {})[benchmark] = rows
    return found


def _as_run(made: EvaluationRun, name: str, rows: Rows, gathered: Gathered) -> EvaluationRun:
    """A baseline as a run of its own, with the figures of the model's and their intervals."""
    intervals = gathered.site.config.intervals
    measured = {
        benchmark: gathered.metrics.measure([row.prediction for row in of]) for benchmark, of in rows.items()
    }
    return EvaluationRun(
        name=name,
        run=made.run,
        model={"kind": "baseline"},
        benchmarks={benchmark: [row.prediction for row in of] for benchmark, of in rows.items()},
        scores={
            benchmark: [with_interval(one, intervals) for one in of] for benchmark, of in measured.items()
        },
        notes=made.notes,
        digests=made.digests,
        config=made.config,
        code=made.code,
        spent=_spent(rows),
    )


def _spent(rows: Rows) -> dict[str, int]:
    total = Counter(NOTHING)
    for of in rows.values():
        total.update(cost(of))
    return dict(total)


def _cut_remarks(rows: Rows) -> list[str]:
    """How many replies the bound of tokens ended: of a reply with words only those have particulars."""
    cut = sum(bool(row.prediction.reply and row.detail) for of in rows.values() for row in of)
    total = sum(map(len, rows.values()))
    if not cut:
        return []
    return [
        f"{cut:,} of {total:,} replies were ended by max_tokens and are scored as far as they go; raise "
        "generation.max_tokens"
    ]


def _likelihood_remarks(site: Site, questions: Mapping[str, Sequence[Question]], rows: Rows) -> list[str]:
    """That yes and no could not be compared, where they should have been."""
    config = site.config
    if config.model is None or not config.generation.likelihoods:
        return []
    wanted = any(is_weighed(question) for of in questions.values() for question in of)
    told = any(row.prediction.likelihood_yes is not None for of in rows.values() for row in of)
    if not wanted or told:
        return []
    remedy = "; model.top_logprobs=20 asks for them" if config.model.kind == "openai" else ""
    return [
        f"yes and no were not compared: engine {config.model.kind} tells no likelihoods, so no calibration{remedy}"
    ]


def _write(gathered: Gathered, made: EvaluationRun) -> None:
    site, root = gathered.site, gathered.spec.root
    gathered.write(SCORES, scores_bytes(made))
    with _Images(gathered) as images:
        for path, data in report_files(made, site.config.intervals, images.of).items():
            gathered.write(path, data)
    site.pulse()
    records = [record_of(site.storage, root, RUN), *gathered.files]
    answered = {name: made.answered(name)[0] for name in made.benchmarks}
    books = {"questions": gathered.run.questions, "answered": answered}
    site.storage.write(f"{root}/{MANIFEST}", manifest_bytes(gathered.run.run, records, books, FORMAT))
    site.storage.write(f"{root}/{SUCCESS}", b"")


class _Images:
    """The images of some rows, for the report."""

    def __init__(self, gathered: Gathered) -> None:
        config = gathered.site.config
        self._site = gathered.site
        self._pictures = Pictures(config.imaging, every=config.normalise)
        self._questions = gathered.questions

    def __enter__(self) -> _Images:
        return self

    def __exit__(self, *_: object) -> None:
        self._pictures.close()

    def of(self, benchmark: str, rows: Sequence[Prediction]) -> list[bytes | None]:
        """JPEG or PNG of each row's image; None where it has none that can be read."""
        by_id = {question.row_id: question for question in self._questions[benchmark]}
        opened = open_benchmark(self._site.config, benchmark, self._site.storage)
        found = self._pictures.readable(opened.images([by_id[row.row_id] for row in rows]))
        return [picture if isinstance(picture, bytes) else None for picture in found]
