"""From answered parts to the scored run on disk: rows read, measured, and closed with the manifest, which is last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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
from mht.errors import IntegrityError
from mht.evaluation import addresses
from mht.evaluation.answering import ANSWER, QUESTION_ONLY, Spec, open_benchmark
from mht.evaluation.asking import is_weighed
from mht.evaluation.baselines import cheap
from mht.evaluation.identity import Run
from mht.evaluation.intervals import with_interval
from mht.evaluation.kept import Commit, KeptParts
from mht.evaluation.pictures import Pictures
from mht.evaluation.plan import PlanReader
from mht.evaluation.probing import PART, PLANTED, outcome
from mht.evaluation.report.files import report_files
from mht.evaluation.run import FORMAT, SCORES, EvaluationRun, scores_bytes
from mht.evaluation.scoring import Metrics
from mht.evaluation.tables import Judged, Kept, prediction_table, value_table
from mht.evaluation.work import Site
from mht.generation import Failure
from mht.judgements import Judgement
from mht.predictions import Prediction, Score
from mht.questions import OfficialBenchmark, Question

_Rows = dict[str, list[Kept]]
"""By benchmark."""
_NOTHING = {"calls": 0, "prompt_tokens": 0, "tokens": 0}


@dataclass(slots=True)
class _Closing:
    """What has been read and written so far."""

    site: Site
    spec: Spec
    run: Run
    metrics: Metrics
    questions: dict[str, list[Question]] = field(default_factory=dict)
    files: list[FileRecord] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    judges: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What judged, by what it is called: its identity, and what it `spent`."""

    def read_plans(self) -> None:
        for name, plan in self.spec.plans.items():
            reader = PlanReader(self.site.storage, self.spec.root, plan)
            self.questions[name] = [question for part in plan.names() for question in reader.read(part)]
            reader.close()
            self.files.append(plan.file)

    def read_answers(self, work: str) -> _Rows:
        """Every row of every part. Raises IntegrityError where they are not those that were planned."""
        found: _Rows = {}
        for name, plan in self.spec.plans.items():
            kept = self.spec.kept(self.site.storage, work, name)
            commits = kept.commits()
            rows = [row for part in plan.names() if part in commits for row in kept.rows(commits[part])]
            asked = [question.row_id for question in self.questions[name]]
            if [row.prediction.row_id for row in rows] != asked:
                raise IntegrityError(
                    f"{self.spec.root}: {len(rows):,} rows of {name} for {len(asked):,} questions, or in another "
                    "order. Run the same command again; if it says so again, give another output."
                )
            self.files += [commits[part].file for part in plan.names()]
            self.elsewhere("model", kept, commits)
            found[name] = rows
            self.site.pulse()
        return found

    def elsewhere(
        self, key: str, kept: KeptParts[Kept] | KeptParts[Judged], commits: Mapping[str, Commit]
    ) -> None:
        """Remark, once, on replies that were given at another address."""
        told = addresses.remarks(key, kept.address, commits.values())
        self.remarks += [remark for remark in told if remark not in self.remarks]

    def called(self, judge: str) -> str:
        """What stands in its judgements."""
        chosen = self.site.config.judges.get(judge)
        return chosen.called(judge) if chosen is not None else judge

    def with_judgements(self, rows: _Rows, name: str, identity: Mapping[str, Any]) -> _Rows:
        """The rows with what a judge said of them. Raises IntegrityError where it is not of these."""
        called, spent, made = self.called(name), Counter(_NOTHING), _Rows()
        for benchmark, of in rows.items():
            kept = self.spec.judged(self.site.storage, name, benchmark)
            commits = kept.commits()
            parts = self.spec.plans[benchmark].names()
            judged = [row for part in parts if part in commits for row in kept.rows(commits[part])]
            if [row.row_id for row in judged] != [row.prediction.row_id for row in of]:
                raise IntegrityError(
                    f"{self.spec.root}: {len(judged):,} judgements by {name} of {len(of):,} rows of {benchmark}, or in "
                    "another order. Run the same command again."
                )
            self.files += [commits[part].file for part in parts]
            self.elsewhere(f"judges.{name}.model", kept, commits)
            spent.update(_cost(judged))
            made[benchmark] = [
                _judged(row, one.judgement.by(called)) for row, one in zip(of, judged, strict=True)
            ]
            self.site.pulse()
        probes = self._probed(name, called, made, spent)
        self.judges[called] = {**identity, "name": name, "spent": dict(spent)} | probes
        return made

    def _probed(self, name: str, called: str, rows: _Rows, spent: Counter[str]) -> dict[str, Any]:
        """How many planted instructions the judge followed, their cost spent; nothing where none were planted."""
        kept = self.spec.judged(self.site.storage, name, PLANTED)
        last, chosen = kept.last(PART), self.site.config.judges.get(name)
        if last is None or chosen is None or not chosen.probes:
            return {}
        self.files.append(last.file)
        before = {
            f"{benchmark}/{row.prediction.row_id}": given
            for benchmark, of in rows.items()
            for row in of
            if (given := row.prediction.judged_by(called)) is not None
        }
        planted = kept.rows(last)
        spent.update(_cost(planted))
        return {"probes": outcome(planted, before)}

    def write_baseline(self, name: str, benchmark: str, rows: Sequence[Kept]) -> None:
        data = parquet_bytes(prediction_table(rows))
        stem = f"baselines/{name}/{benchmark}/00000"
        self.files.append(write_content(self.site.storage, self.spec.root, stem, data, len(rows)))

    def write_official(self, rows: _Rows) -> None:
        """What a benchmark's own script takes, for those that have one."""
        for name, of in rows.items():
            opened = open_benchmark(self.site.config, name, self.site.storage)
            if isinstance(opened, OfficialBenchmark):
                files = opened.official_files([row.prediction for row in of])
                for file, (data, told) in files.items():
                    self.write(f"official/{name}/{file}", data)
                    self.remarks.append(f"official/{name}/{file}: {told}")

    def write(self, path: str, data: bytes) -> None:
        self.files.append(write_named(self.site.storage, self.spec.root, path, data))


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
    closing = _Closing(site, spec, run, metrics)
    closing.remarks += [*remarks, *(f"metric left out: {why}" for why in metrics.left_out)]
    closing.read_plans()
    rows = closing.read_answers(ANSWER)
    closing.remarks += _cut_remarks(rows)
    closing.remarks += _likelihood_remarks(site, closing.questions, rows)
    baselines = _baselines(closing)
    for name in sorted(judges, key=closing.called):
        rows = closing.with_judgements(rows, name, judges[name])
    closing.write_official(rows)
    scores = {name: _scored(closing, name, of) for name, of in rows.items()}
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
        remarks=tuple(closing.remarks),
        judges=closing.judges,
    )
    whole = made.beside({name: _as_run(made, name, of, closing) for name, of in baselines.items()})
    _write(closing, whole)
    return whole


def _scored(closing: _Closing, name: str, rows: Sequence[Kept]) -> list[Score]:
    """A benchmark's scores; what each metric read from each row is written beside."""
    measured = closing.metrics.measure([row.prediction for row in rows])
    data = parquet_bytes(value_table(measured))
    count = sum(len(one.units) for one in measured)
    record = write_content(closing.site.storage, closing.spec.root, f"scores/{name}", data, count)
    closing.files.append(record)
    closing.site.pulse()
    return [with_interval(one, closing.site.config.intervals) for one in measured]


def _baselines(closing: _Closing) -> dict[str, _Rows]:
    """The rows of each blind baseline by benchmark; why one is left out is remarked."""
    config, found = closing.site.config, dict[str, _Rows]()
    for benchmark, questions in closing.questions.items():
        suffix = getattr(config.benchmark_params(benchmark), "suffix", "")
        for name, rows in cheap(config.baselines, questions, suffix).items():
            closing.write_baseline(name, benchmark, rows)
            found.setdefault(name, {})[benchmark] = rows
    if config.baselines.question_only:
        for benchmark, rows in closing.read_answers(QUESTION_ONLY).items():
            if all(row.prediction.failure == Failure.NOT_ACCEPTED for row in rows):
                closing.remarks.append(
                    f"baseline question_only left out for {benchmark}: the model takes no question without an image"
                )
            else:
                found.setdefault(QUESTION_ONLY, {})[benchmark] = rows
    return found


def _as_run(made: EvaluationRun, name: str, rows: _Rows, closing: _Closing) -> EvaluationRun:
    """A baseline as a run of its own, with the figures of the model's and their intervals."""
    intervals = closing.site.config.intervals
    measured = {
        benchmark: closing.metrics.measure([row.prediction for row in of]) for benchmark, of in rows.items()
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


def _judged(row: Kept, given: Judgement) -> Kept:
    said = (*row.prediction.judgements, given)
    return replace(row, prediction=replace(row.prediction, judgements=said))


def _spent(rows: _Rows) -> dict[str, int]:
    total = Counter(_NOTHING)
    for of in rows.values():
        total.update(_cost(of))
    return dict(total)


def _cost(rows: Sequence[Kept] | Sequence[Judged]) -> dict[str, int]:
    return {name: sum(getattr(row, name) for row in rows) for name in _NOTHING}


def _cut_remarks(rows: _Rows) -> list[str]:
    """How many replies the bound of tokens ended: of a reply with words only those have particulars."""
    cut = sum(bool(row.prediction.reply and row.detail) for of in rows.values() for row in of)
    total = sum(map(len, rows.values()))
    if not cut:
        return []
    return [
        f"{cut:,} of {total:,} replies were ended by max_tokens and are scored as far as they go; raise "
        "generation.max_tokens"
    ]


def _likelihood_remarks(site: Site, questions: Mapping[str, Sequence[Question]], rows: _Rows) -> list[str]:
    """That yes and no could not be compared, where they should have been."""
    config = site.config
    if config.model is None or not config.generation.likelihoods:
        return []
    wanted = any(is_weighed(question) for of in questions.values() for question in of)
    told = any(row.prediction.likelihood_yes is not None for of in rows.values() for row in of)
    if not wanted or told:
        return []
    return [
        f"yes and no were not compared: engine {config.model.kind} tells no likelihoods, so no calibration"
    ]


def _write(closing: _Closing, made: EvaluationRun) -> None:
    site, root = closing.site, closing.spec.root
    closing.write(SCORES, scores_bytes(made))
    with _Images(closing) as images:
        for path, data in report_files(made, site.config.intervals, images.of).items():
            closing.write(path, data)
    site.pulse()
    records = [record_of(site.storage, root, RUN), *closing.files]
    answered = {name: made.answered(name)[0] for name in made.benchmarks}
    books = {"questions": closing.run.questions, "answered": answered}
    site.storage.write(f"{root}/{MANIFEST}", manifest_bytes(closing.run.run, records, books, FORMAT))
    site.storage.write(f"{root}/{SUCCESS}", b"")


class _Images:
    """The images of some rows, for the report."""

    def __init__(self, closing: _Closing) -> None:
        config = closing.site.config
        self._site = closing.site
        self._pictures = Pictures(config.imaging, every=config.normalise)
        self._questions = closing.questions

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
