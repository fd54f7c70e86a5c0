"""A scored run: one model's predictions on some benchmarks and what was made of them, as it lies in its folder.

::

    plan/<benchmark>-<sha>.parquet            what is asked, a row group a part
    run.json                                  the resolved configuration, the model, the benchmarks' digests, the code
    commits/<fingerprint>/<part>.<try>.json   created if absent: what makes a part exist
    predictions/<benchmark>/<part>-<sha>.parquet
    baselines/<name>/<benchmark>/<part>-<sha>.parquet    blind ones, over the same rows
    judgements/<judge>/<benchmark>/<part>-<sha>.parquet  what a judge said of each row
    scores/<benchmark>-<sha>.parquet               what each metric read from each row
    scores.json                                    every figure with n of n_asked, its interval, what is unscored
    report.html  report.json  report.md
    MANIFEST.json  _SUCCESS                        written last; a reader reads what the manifest names
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa

from mht.artifacts import RUN, FileRecord, dump_json, read_checked, read_manifest, read_table
from mht.evaluation.tables import judged_rows, kept_rows
from mht.predictions import Prediction, Score
from mht.storage import Storage

FORMAT = "mht-evaluation/1"
SCORES = "scores.json"
_NOT_ANSWERED = ("failed_", "judge_error_")


@dataclass(frozen=True)
class EvaluationRun:
    """What one model replied to some benchmarks, and its scores.

    `name` is what people call the model, `run` 12 hex digits over all that decides the predictions, `model` the kind of
    engine (`file` for predictions made elsewhere) and what it says of its model's identity. `benchmarks`, `scores`,
    `notes` and `digests` go by the benchmark's name in the configuration, which every prediction has for its
    `benchmark`. `config` is resolved. `baselines` are blind ones over the same rows, by name (`echo_yes`, `echo_no`,
    `question_only`, `caption`): each has this run's digests and notes, and no baselines of its own.
    """

    name: str
    run: str
    model: Mapping[str, Any]
    benchmarks: Mapping[str, Sequence[Prediction]]
    scores: Mapping[str, Sequence[Score]]
    notes: Mapping[str, Sequence[str]]
    digests: Mapping[str, str]
    config: Mapping[str, Any]
    code: str
    spent: Mapping[str, int] = field(default_factory=dict)
    """`calls`, `prompt_tokens` and `tokens` of all predictions, by the engine's own counts."""
    baselines: Mapping[str, EvaluationRun] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    """What a person must know of the whole run: metrics and baselines that were left out, and why."""
    judges: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Who judged, by what stands in the judgements: `name` in the configuration, identity, and what was `spent`."""

    def beside(self, baselines: Mapping[str, EvaluationRun]) -> EvaluationRun:
        """The same run with its baselines."""
        return replace(self, baselines=baselines)

    def answered(self, benchmark: str) -> tuple[int, int]:
        """(rows with a reply, rows asked) of a benchmark."""
        rows = self.benchmarks[benchmark]
        return sum(row.reply is not None for row in rows), len(rows)

    def judged(self, judge: str) -> tuple[int, int]:
        """(rows that this judge gave scores, rows with a reply) of all benchmarks."""
        replied = [row for rows in self.benchmarks.values() for row in rows if row.reply is not None]
        given = [row.judged_by(judge) for row in replied]
        return sum(one is not None and one.failure is None for one in given), len(replied)

    @property
    def partial(self) -> bool:
        """Whether the user takes headline figures of fewer rows than were asked."""
        return bool(self.config["partial"])


def unanswered(score: Score) -> int:
    """Rows that the figure lacks since a request, or the judge's, failed. What a reply left undecided is none of it."""
    return sum(n for reason, n in score.unscored if reason.startswith(_NOT_ANSWERED))


def headline(score: Score, partial: bool) -> float | None:
    """The figure, to stand alone at the top; None where a row's request failed, unless `partial` figures are wanted.

    Models that time out on what is difficult would otherwise lead.
    """
    return score.value if partial or not unanswered(score) else None


def scores_bytes(run: EvaluationRun) -> bytes:
    """scores.json of a run."""
    return dump_json(
        {
            "name": run.name,
            "run": run.run,
            "scores": _plain(run.scores),
            "baselines": {name: _plain(one.scores) for name, one in run.baselines.items()},
            "notes": {name: list(notes) for name, notes in run.notes.items()},
            "spent": dict(run.spent),
            "remarks": list(run.remarks),
            "judges": {name: dict(about) for name, about in run.judges.items()},
        }
    )


def _plain(scores: Mapping[str, Sequence[Score]]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [asdict(one) | {"unscored": dict(one.unscored)} for one in of] for name, of in scores.items()
    }


def _scores(plain: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Score]]:
    return {
        name: [Score(**{**one, "unscored": tuple(sorted(one["unscored"].items()))}) for one in of]
        for name, of in plain.items()
    }


def load(storage: Storage, root: str) -> EvaluationRun:
    """The finished run in a folder. Raises IntegrityError where there is none, or a file is not what was written."""
    _, files = read_manifest(storage, root, FORMAT)
    by_path = {record.path: record for record in files}
    about = json.loads(read_checked(storage, root, by_path[RUN]))
    told = json.loads(read_checked(storage, root, by_path[SCORES]))
    same = {
        "run": about["run"], "notes": told["notes"], "digests": about["digests"], "config": about["config"],
        "code": about["code"],
    }  # fmt: skip
    baselines = {
        name: EvaluationRun(
            name=name,
            model={"kind": "baseline"},
            benchmarks=_predictions(storage, root, files, f"baselines/{name}/", scores),
            scores=_scores(scores),
            **same,
        )
        for name, scores in told["baselines"].items()
    }
    judges = told.get("judges", {})
    rows = _predictions(storage, root, files, "predictions/", told["scores"])
    for called, judge in judges.items():
        rows = {
            name: _with_judgements(storage, root, files, f"judgements/{judge['name']}/{name}/", called, of)
            for name, of in rows.items()
        }
    return EvaluationRun(
        name=about["name"],
        model=about["model"],
        benchmarks=rows,
        judges=judges,
        scores=_scores(told["scores"]),
        spent=told["spent"],
        remarks=told["remarks"],
        baselines=baselines,
        **same,
    )


def _tables(storage: Storage, root: str, files: Sequence[FileRecord], prefix: str) -> Iterator[pa.Table]:
    """The files below a folder, in the order of the parts."""
    for record in sorted(files, key=lambda record: record.path):
        if record.path.startswith(prefix):
            yield read_table(storage, root, record)


def _with_judgements(
    storage: Storage,
    root: str,
    files: Sequence[FileRecord],
    prefix: str,
    called: str,
    rows: Sequence[Prediction],
) -> list[Prediction]:
    """The rows with what a judge said of them."""
    said = [row for table in _tables(storage, root, files, prefix) for row in judged_rows(table)]
    return [
        replace(row, judgements=(*row.judgements, one.judgement.by(called)))
        for row, one in zip(rows, said, strict=True)
    ]


def _predictions(
    storage: Storage, root: str, files: Sequence[FileRecord], prefix: str, names: Sequence[str]
) -> dict[str, list[Prediction]]:
    """By benchmark, in the order of the parts."""
    return {
        name: [
            row.prediction
            for table in _tables(storage, root, files, f"{prefix}{name}/")
            for row in kept_rows(table)
        ]
        for name in names
    }
