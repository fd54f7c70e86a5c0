"""A model's work on parts of benchmarks, in this process: images read, questions asked, rows committed.

What was said of an image stays as long as its bytes are the same; they are read again where its size, its version or
its place is another than it was. Replies are kept as they come (see `stretch`). No Ray: the fleet makes one of these in
each actor, and a run without Ray makes one. The model is loaded once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from mht import catalog
from mht.config import EngineConfig
from mht.config_evaluate import BENCHMARKS, EvaluateConfig
from mht.config_judges import JUDGES, JudgeConfig
from mht.evaluation.asking import refused, request_of, row_of, weighed_answers
from mht.evaluation.kept import JUDGEMENTS, PREDICTIONS, KeptParts
from mht.evaluation.part_in_hand import PartInHand
from mht.evaluation.pictures import Pictures, source
from mht.evaluation.plan import Planned, PlanReader
from mht.evaluation.stretch import AND, Stretch
from mht.evaluation.tables import Judged, Kept
from mht.generation import Heard, Reply, Request
from mht.questions import Benchmark, Picture, Question
from mht.records import Refusal
from mht.storage import Storage
from mht.watch import Progress

ANSWER, QUESTION_ONLY = "answer", "question_only"
"""What is done with a part: ask the model, or ask it again without the images."""
Answers = tuple[str, ...] | None
"""What is compared of a question, None where nothing is."""
Part: TypeAlias = PartInHand[Question, Kept]
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
        print_, folder = self.fingerprints[work, benchmark], f"{FOLDERS[work]}/{benchmark}"
        return KeptParts(storage, self.root, print_, folder, PREDICTIONS, _address(self.config.model))

    def judged(self, storage: Storage, judge: str, benchmark: str) -> KeptParts[Judged]:
        """The parts of a benchmark whose replies this judge has judged."""
        print_, folder = self.fingerprints[judging(judge), benchmark], f"judgements/{judge}/{benchmark}"
        chosen = self.config.judges.get(judge)
        address = _address(chosen.model if chosen is not None else None)
        return KeptParts(storage, self.root, print_, folder, JUDGEMENTS, address)

    def images(self, work: str, benchmark: str, part: str) -> str:
        """The mark of the images that this work looks at in a part; empty where it looks at none."""
        looks = work == ANSWER and self.config.model is not None
        if work not in FOLDERS:
            chosen = self.config.judges.get(work.removeprefix(judging("")))
            looks = chosen is not None and sees_image(chosen)
        return self.plans[benchmark].images[int(part)] if looks else ""


def sees_image(judge: JudgeConfig) -> bool:
    """Whether a judge is shown the image."""
    sees = getattr(catalog.load(JUDGES, judge.kind), "sees_image", None)
    return sees is not None and bool(sees(judge.params()))


def _address(model: EngineConfig | None) -> str | None:
    """Where the endpoint is; None for an engine that has no address. It holds no key: see `engines._address`."""
    return getattr(model.params(), "base_url", None) if model is not None else None


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
        self,
        spec: Spec,
        tell: Tell,
        engine: Callable[[EvaluateConfig], Asked] = open_engine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec, self._tell, self._clock = spec, tell, clock
        self._how = spec.config.generation
        self._storage = Storage(spec.config.storage)
        self._pictures = Pictures(spec.config.imaging, every=spec.config.normalise)
        self._benchmarks: dict[str, Benchmark] = {}
        self._plans: dict[str, PlanReader] = {}
        self._at = ("", "")
        self._weighed: dict[str, Answers] = {}
        self._stretch = Stretch[Part]([], self._finish, clock)
        self._engine = engine(spec.config)

    def close(self) -> None:
        self._engine.close()
        self._pictures.close()
        for plan in self._plans.values():
            plan.close()

    def do(self, work: str, shard: str) -> None:
        """Answer a stretch, `benchmark/number+number`: what of it is not answered yet, or is to be asked again."""
        benchmark, _, names = shard.partition("/")
        self._at = (shard, work)
        self._tell(Progress(*self._at))
        opened = [self._open(work, benchmark, name) for name in names.split(AND)]
        parts = [one for one in opened if one is not None]
        requests = [request for _, asked in parts for request in asked]
        with Stretch([part for part, _ in parts], self._finish, self._clock) as self._stretch:
            self._tell(Progress(*self._at))
            self._ask(requests)

    def _open(self, work: str, benchmark: str, name: str) -> tuple[Part, list[Request]] | None:
        """A part with what is known of it, and what is to be asked; None where another worker has done it."""
        kept = self._spec.kept(self._storage, work, benchmark)
        images = self._spec.images(work, benchmark, name)
        before = kept.last(name)
        if before is not None and not before.again and before.images == images:
            return None
        items = {question.row_id: question for question in self._questions(benchmark, name)}
        number, at = (before.number + 1, set(before.at)) if before is not None else (1, set[str]())
        part = Part(name, kept, number, items, images, at=at)
        rows = kept.rows(before) if before is not None else []
        part.tried = {row.prediction.row_id: row.calls for row in rows if row.may_be_asked_again}
        old = {row.prediction.row_id: row for row in rows if not row.may_be_asked_again}
        if before is not None and before.images == images:
            part.done = dict(old)
        left = part.left
        pictures: list[Picture] = [None] * len(left)
        if work == ANSWER:
            pictures = self._benchmark(benchmark).images(left)
        return part, part.ask(self._requests(part, self._others(part, old, left, pictures)))

    def _others(
        self, part: Part, old: Mapping[str, Kept], left: Sequence[Question], pictures: Sequence[Picture]
    ) -> list[tuple[Question, Picture]]:
        """Those that were not asked about these very images; what was said of the same ones stays."""
        others = []
        for question, picture in zip(left, pictures, strict=True):
            shown = part.shown[question.row_id] = source(picture)
            was = old.get(question.row_id)
            if was is not None and was.image == shown and not isinstance(picture, Refusal):
                part.done[question.row_id] = was
            else:
                others.append((question, picture))
        return others

    def _requests(
        self, part: Part, others: Sequence[tuple[Question, Picture]]
    ) -> dict[str, tuple[Request, ...]]:
        """By row; a row whose image cannot be read is done."""
        seed, requests = self._spec.config.seed, dict[str, tuple[Request, ...]]()
        readable = self._pictures.readable([picture for _, picture in others])
        for (question, _), picture in zip(others, readable, strict=True):
            name = question.row_id
            row = refused(question, picture, part.shown[name])
            if row is not None:
                part.done[name] = replace(row, calls=part.tried.get(name, 0))
            elif not isinstance(picture, Refusal):
                requests[name] = (request_of(question, picture, self._how, seed),)
                self._weighed[requests[name][0].request_id] = weighed_answers(question, self._how)
        return requests

    def _finish(self, part: Part) -> None:
        """Commit a part whose replies are there."""
        for question in part.left:
            name = question.row_id
            (request,) = part.requests[name]
            row = row_of(question, part.replies[request.request_id], part.shown[name])
            part.done[name] = replace(row, calls=row.calls + part.tried.get(name, 0))
        part.commit()
        self._tell(Progress(*self._at, images=len(part.items)))

    def _ask(self, requests: Sequence[Request]) -> None:
        """The engine's replies, and how likely the answers are among each other, where it can tell and it is wanted."""
        if not requests:
            return
        generate_weighed: Any = getattr(self._engine, "generate_weighed", None)
        sets = list(dict.fromkeys(filter(None, (self._weighed[request.request_id] for request in requests))))
        if generate_weighed is None or not self._how.likelihoods:
            self._weighed, sets = {}, []
        if not sets:
            self._stretch.take(self._engine.generate(requests, self._hear))
        for answers in sets:
            # Questions without answers to compare go along with the first, so that they share images with those.
            some = [one for one in requests if (self._weighed[one.request_id] or sets[0]) == answers]
            said, shares = generate_weighed(some, answers, self._hear)
            told = zip(said, shares, strict=True)
            self._stretch.take(
                [self._with(reply, of if isinstance(of, tuple) else None) for reply, of in told]
            )
        self._weighed = {}

    def _with(self, reply: Reply, shares: tuple[float, ...] | None) -> Reply:
        """The reply with its answers' probabilities, if they were to be compared."""
        return replace(reply, shares=shares if self._weighed.get(reply.request_id) else None)

    def _hear(self, heard: Heard) -> None:
        """Keep what there is, but for replies whose probabilities are still to come."""
        weighed = self._weighed
        ready = [one for one in heard.ready if one.shares is not None or not weighed.get(one.request_id)]
        self._stretch.take([self._with(reply, reply.shares) for reply in ready])
        self._stretch.keep_up()
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
