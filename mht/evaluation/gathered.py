"""What an evaluation's parts hold, read back: questions, answers, judgements and their cost, with remarks on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mht.artifacts import FileRecord, parquet_bytes, write_content, write_named
from mht.errors import IntegrityError
from mht.evaluation import addresses
from mht.evaluation.answering import Spec, open_benchmark
from mht.evaluation.identity import Run
from mht.evaluation.kept import Commit, KeptParts
from mht.evaluation.plan import PlanReader
from mht.evaluation.probing import PART, PLANTED, outcome
from mht.evaluation.scoring import Metrics
from mht.evaluation.tables import Judged, Kept, prediction_table
from mht.evaluation.work import Site
from mht.judgements import Judgement
from mht.questions import OfficialBenchmark, Question

Rows = dict[str, list[Kept]]
"""By benchmark."""
NOTHING = {"calls": 0, "prompt_tokens": 0, "tokens": 0}


@dataclass(slots=True)
class Gathered:
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

    def read_answers(self, work: str) -> Rows:
        """Every row of every part. Raises IntegrityError where they are not those that were planned."""
        found: Rows = {}
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

    def with_judgements(self, rows: Rows, name: str, identity: Mapping[str, Any]) -> Rows:
        """The rows with what a judge said of them. Raises IntegrityError where it is not of these."""
        called, spent, made = self.called(name), Counter(NOTHING), Rows()
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
            spent.update(cost(judged))
            made[benchmark] = [
                _judged(row, one.judgement.by(called)) for row, one in zip(of, judged, strict=True)
            ]
            self.site.pulse()
        probes = self._probed(name, called, made, spent)
        self.judges[called] = {**identity, "name": name, "spent": dict(spent)} | probes
        return made

    def _probed(self, name: str, called: str, rows: Rows, spent: Counter[str]) -> dict[str, Any]:
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
        spent.update(cost(planted))
        return {"probes": outcome(planted, before)}

    def write_baseline(self, name: str, benchmark: str, rows: Sequence[Kept]) -> None:
        data = parquet_bytes(prediction_table(rows))
        stem = f"baselines/{name}/{benchmark}/00000"
        self.files.append(write_content(self.site.storage, self.spec.root, stem, data, len(rows)))

    def write_official(self, rows: Rows) -> None:
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


def cost(rows: Sequence[Kept] | Sequence[Judged]) -> dict[str, int]:
    """Calls, tokens of the prompts and of the replies, all told."""
    return {name: sum(getattr(row, name) for row in rows) for name in NOTHING}


def _judged(row: Kept, given: Judgement) -> Kept:
    said = (*row.prediction.judgements, given)
    return replace(row, prediction=replace(row.prediction, judgements=said))
