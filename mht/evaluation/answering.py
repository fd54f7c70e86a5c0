"""A model's work on parts of benchmarks, in this process: images read, questions asked, rows committed.

No Ray: the fleet makes one of these in each actor, and a run without Ray makes one. The model is loaded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mht import catalog
from mht.config_evaluate import BENCHMARKS, EvaluateConfig
from mht.errors import EngineStopped
from mht.evaluation.asking import refused, request_of, row_of, weighed_answers
from mht.evaluation.kept import JUDGEMENTS, PREDICTIONS, Commit, KeptParts
from mht.evaluation.pictures import Pictures
from mht.evaluation.plan import Planned, PlanReader
from mht.evaluation.tables import Judged, Kept
from mht.generation import TRANSIENT, Heard, Reply, Request
from mht.questions import Benchmark, Picture, Question
from mht.records import Refusal
from mht.storage import Storage
from mht.watch import Progress

ANSWER, QUESTION_ONLY = "answer", "question_only"
"""What is done with a part: ask the model, or ask it again without the images."""
Answers = tuple[str, ...] | None
"""What is compared of a question, None where nothing is."""
Shares = tuple[float, ...]
"""The probability of each answer, of them."""
FOLDERS = {ANSWER: "predictions", QUESTION_ONLY: f"baselines/{QUESTION_ONLY}"}
Tell = Callable[[Progress], None]


def judging(judge: str) -> str:
    """What is done with a part by a judge."""
    return f"judge/{judge}"


@dataclass(frozen=True, slots=True)
class Spec:
    """What a worker must know. `fingerprints` tells for each kind of work and benchmark what its parts stand under."""

    root: str
    config: EvaluateConfig
    plans: Mapping[str, Planned]
    fingerprints: Mapping[tuple[str, str], str]

    def kept(self, storage: Storage, work: str, benchmark: str) -> KeptParts[Kept]:
        """The parts of a benchmark that this work has answered."""
        folder = f"{FOLDERS[work]}/{benchmark}"
        return KeptParts(storage, self.root, self.fingerprints[work, benchmark], folder, PREDICTIONS)

    def judged(self, storage: Storage, judge: str, benchmark: str) -> KeptParts[Judged]:
        """The parts of a benchmark whose replies this judge has judged."""
        print_ = self.fingerprints[judging(judge), benchmark]
        return KeptParts(storage, self.root, print_, f"judgements/{judge}/{benchmark}", JUDGEMENTS)


class Asked(Protocol):
    """An engine, as far as it is needed here."""

    def generate(self, requests: Sequence[Request], tell: Callable[[Heard], None]) -> Sequence[Reply]: ...

    def close(self) -> None: ...


def open_engine(config: EvaluateConfig) -> Asked:
    """The configured engine, its model loaded."""
    assert config.model is not None
    engine: Asked = catalog.load("engines", config.model.kind).Engine(config.model.params())
    return engine


def open_benchmark(config: EvaluateConfig, name: str, storage: Storage) -> Benchmark:
    """A configured benchmark; nothing of it is read yet."""
    module: Any = catalog.load(BENCHMARKS, config.benchmarks[name].kind)
    made: Benchmark = module.Benchmark(config.benchmark_params(name), storage)
    return made


class Answerer:
    """Answers parts with one engine. Holds the model and a decoding child, so close it; `engine` opens another."""

    def __init__(
        self, spec: Spec, tell: Tell, engine: Callable[[EvaluateConfig], Asked] = open_engine
    ) -> None:
        self._spec = spec
        self._tell = tell
        self._how = spec.config.generation
        self._storage = Storage(spec.config.storage)
        self._pictures = Pictures(spec.config.imaging, every=spec.config.normalise)
        self._benchmarks: dict[str, Benchmark] = {}
        self._plans: dict[str, PlanReader] = {}
        self._at = ("", "")
        self._engine = engine(spec.config)

    def close(self) -> None:
        self._engine.close()
        self._pictures.close()
        for plan in self._plans.values():
            plan.close()

    def do(self, work: str, shard: str) -> Commit:
        """Answer a part, `benchmark/number`: what of it is not answered yet, or failed in passing before."""
        benchmark, _, part = shard.partition("/")
        self._at = (shard, work)
        self._tell(Progress(shard, work))
        kept = self._spec.kept(self._storage, work, benchmark)
        before = kept.last(part)
        questions = self._questions(benchmark, part)
        if before is not None and not before.again:
            return before
        old = kept.rows(before) if before is not None else []
        done = {row.prediction.row_id: row for row in old if not row.may_be_asked_again}
        tried = {row.prediction.row_id: row.calls for row in old if row.may_be_asked_again}
        left = [question for question in questions if question.row_id not in done]
        for question, row in zip(left, self._answers(left, work, kept, part), strict=True):
            calls = row.calls + tried.get(question.row_id, 0)
            done[question.row_id] = replace(row, calls=calls)
        commit = kept.commit(
            part, before.number + 1 if before else 1, [done[question.row_id] for question in questions]
        )
        kept.drop_ready(part)
        self._tell(Progress(shard, work, images=len(questions)))
        return commit

    def _answers(
        self, questions: Sequence[Question], work: str, kept: KeptParts[Kept], part: str
    ) -> list[Kept]:
        """A row for each question."""
        pictures: Sequence[Picture] = [None] * len(questions)
        if work == ANSWER:
            benchmark = self._benchmark(questions[0].benchmark)
            pictures = self._pictures.readable(benchmark.images(questions))
        self._tell(Progress(*self._at))
        rows = [refused(question, picture) for question, picture in zip(questions, pictures, strict=True)]
        asked = [
            (at, question, request_of(question, picture, self._how, self._spec.config.seed))
            for at, (question, picture, row) in enumerate(zip(questions, pictures, rows, strict=True))
            if row is None and not isinstance(picture, Refusal)
        ]
        weighed = {request.request_id: weighed_answers(question, self._how) for _, question, request in asked}
        replies, likely = self._replies([request for _, _, request in asked], weighed, kept, part)
        for (at, question, request), reply in zip(asked, replies, strict=True):
            rows[at] = row_of(question, reply, likely.get(request.request_id))
        return [row for row in rows if row is not None]

    def _replies(
        self, requests: Sequence[Request], weighed: Mapping[str, Answers], kept: KeptParts[Kept], part: str
    ) -> tuple[list[Reply], dict[str, Shares]]:
        """A reply for each, and its answers' probabilities; what a stopped engine said before is not asked again."""
        known = kept.ready(part)
        new = [request for request in requests if request.request_id not in known]
        likely: dict[str, Shares] = {}
        try:
            replies: Sequence[Reply] = ()
            if new:
                replies, likely = self._asked(new, weighed)
        except EngineStopped as stopped:
            known.update((reply.request_id, reply) for reply in stopped.replies)
            ready = [reply for reply in known.values() if reply.failure not in TRANSIENT]
            if ready:
                kept.keep_ready(part, ready)
            stopped.replies = ()
            raise
        known.update((reply.request_id, reply) for reply in replies)
        return [known[request.request_id] for request in requests], likely

    def _asked(
        self, requests: Sequence[Request], weighed: Mapping[str, Answers]
    ) -> tuple[list[Reply], dict[str, Shares]]:
        """The engine's replies, and how likely the answers are among each other, where it can tell and it is wanted."""
        generate_weighed = getattr(self._engine, "generate_weighed", None)
        sets = list(dict.fromkeys(filter(None, (weighed[request.request_id] for request in requests))))
        if generate_weighed is None or not sets or not self._how.likelihoods:
            return list(self._engine.generate(requests, self._hear)), {}
        replies: list[Reply] = []
        likely: dict[str, Shares] = {}
        for answers in sets:
            # Questions without answers to compare go along with the first, so that they share images with those.
            some = [one for one in requests if (weighed[one.request_id] or sets[0]) == answers]
            try:
                said, shares = generate_weighed(some, answers, self._hear)
            except EngineStopped as stopped:
                stopped.replies = (*replies, *stopped.replies)
                raise
            replies += said
            pairs = ((one.request_id, of) for one, of in zip(some, shares, strict=True))
            likely |= {name: of for name, of in pairs if isinstance(of, tuple) and weighed[name]}
        return replies, likely

    def _hear(self, heard: Heard) -> None:
        self._tell(Progress(*self._at, tokens=heard.tokens, waiting=heard.waiting))

    def _questions(self, benchmark: str, part: str) -> list[Question]:
        if benchmark not in self._plans:
            plan = self._spec.plans[benchmark]
            self._plans[benchmark] = PlanReader(self._storage, self._spec.root, plan)
        return self._plans[benchmark].read(part)

    def _benchmark(self, name: str) -> Benchmark:
        if name not in self._benchmarks:
            self._benchmarks[name] = open_benchmark(self._spec.config, name, self._storage)
        return self._benchmarks[name]
