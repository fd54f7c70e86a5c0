"""A judge's work on parts that are answered, in this process: replies read, judged, and kept beside the predictions.

A stretch is so many parts that an engine with many requests in flight never waits for a part's last ones. A part is
committed when its last reply is there, and replies before that are kept as they come, so that what was paid for is not
paid for again, whenever the process ends. No Ray here: the fleet makes one of these in each actor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mht import catalog
from mht.config_evaluate import EvaluateConfig
from mht.config_judges import JUDGES
from mht.errors import EngineStopped, MhtError
from mht.evaluation.answering import ANSWER, Asked, Spec, Tell, judging, open_benchmark
from mht.evaluation.kept import KeptParts
from mht.evaluation.part_in_hand import PartInHand, row_of, with_cost
from mht.evaluation.pictures import Pictures
from mht.evaluation.plan import PlanReader
from mht.evaluation.probing import PART, PLANTED, Target, state, targets
from mht.evaluation.tables import Judged
from mht.generation import TRANSIENT, Heard, Reply, Request
from mht.judgements import NO_REPLY, Judgement
from mht.judgements import Asked as Row
from mht.predictions import Prediction
from mht.storage import Storage
from mht.watch import Progress

AND = "+"
"""Between the parts of a stretch, in its name."""
_KEEPING_SHARE = 0.1
"""Of the time at the most goes into keeping replies as they come: from a slow store less often than on a disk."""
_NOT_ASKED = Judgement("", failure=NO_REPLY)


def open_judge(config: EvaluateConfig, judge: str) -> Asked:
    """The engine that a judge asks, its model loaded."""
    model = config.judges[judge].model
    assert model is not None
    engine: Asked = catalog.load("engines", model.kind).Engine(model.params())
    return engine


class Judging:
    """Judges parts with one judge. Holds its engine, where it has one, so close it; `engine` opens another."""

    def __init__(
        self,
        spec: Spec,
        tell: Tell,
        judge: str,
        engine: Callable[[EvaluateConfig, str], Asked] = open_judge,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        chosen = spec.config.judges[judge]
        self._spec, self._tell, self._judge, self._clock = spec, tell, judge, clock
        self._module: Any = catalog.load(JUDGES, chosen.kind)
        self._params: Any = chosen.params()
        self._called = chosen.called(judge)
        self._storage = Storage(spec.config.storage)
        self._pictures = Pictures(spec.config.imaging, every=spec.config.normalise)
        self._at = ("", "")
        self._heard = 0
        self._stretch: dict[str, PartInHand] = {}
        self._changed: dict[str, PartInHand] = {}
        self._keep_at = 0.0
        self._engine = engine(spec.config, judge) if chosen.asks else None

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
        self._pictures.close()

    def do(self, work: str, shard: str) -> None:
        """Judge a stretch, `benchmark/number+number`: what of it is not judged yet, or failed in passing before."""
        benchmark, _, names = shard.partition("/")
        self._at, self._heard = (shard, work), 0
        self._tell(Progress(*self._at))
        if benchmark == PLANTED:
            self._plant()
            return
        parts = [self._open(benchmark, name) for name in names.split(AND)]
        if self._engine is None:
            self._by_itself(parts)
        else:
            self._by_asking(benchmark, parts, self._engine)
        total = sum(len(part.predictions) for part in parts)
        self._tell(Progress(*self._at, images=total - self._told))

    def _plant(self) -> None:
        """Judge rows again, an instruction planted in each; those that were judged so before stay."""
        spec, storage = self._spec, self._storage
        kept, of = spec.judged(storage, self._judge, PLANTED), state(spec, storage, self._judge)
        before = kept.last(PART)
        old = {row.row_id: row for row in kept.rows(before)} if before is not None else {}
        found = {target.key: target for target in targets(spec, storage, self._judge)}
        rows = {key: target.planted(row_of(target.prediction)) for key, target in found.items()}
        done = {
            key: old[key]
            for key, row in rows.items()
            if key in old and old[key].of == row.digest and not old[key].may_be_asked_again
        }
        left = [key for key in rows if key not in done]
        again = self._again([found[key] for key in left], [rows[key] for key in left], kept)
        for key, (given, replies) in zip(left, again, strict=True):
            done[key] = with_cost(key, given.by(self._called), rows[key], replies)
        kept.commit(PART, before.number + 1 if before else 1, [done[key] for key in rows], of)
        kept.drop_ready(PART)

    def _again(
        self, found: Sequence[Target], rows: Sequence[Row], kept: KeptParts[Judged]
    ) -> list[tuple[Judgement, Sequence[Reply]]]:
        """What the judge says of each row, and by which replies."""
        if self._engine is None:
            return [(given, ()) for given in self._module.Judge(self._params).judge(rows)]
        asked: list[tuple[Request, ...]] = []
        for target, row in zip(found, rows, strict=True):
            (image,) = self._images(target.benchmark, target.part, [target.prediction])
            asked.append(self._module.ask(row, image, self._params, self._spec.config.seed))
        known = kept.ready(PART)
        new = [one for of in asked for one in of if one.request_id not in known]
        try:
            known |= {
                reply.request_id: reply for reply in (self._engine.generate(new, self._hear) if new else ())
            }
        except EngineStopped as stopped:
            known |= {reply.request_id: reply for reply in stopped.replies if reply.failure not in TRANSIENT}
            kept.keep_ready(PART, list(known.values()))
            stopped.replies = ()
            raise
        said = [[known[one.request_id] for one in of] for of in asked]
        return [(self._module.read(row, of, self._params), of) for row, of in zip(rows, said, strict=True)]

    @property
    def _told(self) -> int:
        """Rows that were told as they came."""
        return self._heard // max(1, getattr(self._params, "samples", 1))

    def _open(self, benchmark: str, name: str) -> PartInHand:
        """A part with what is known of it. Judgements of the very same replies stay."""
        answered = self._spec.kept(self._storage, ANSWER, benchmark)
        answers = answered.last(name)
        assert answers is not None
        predictions = [row.prediction for row in answered.rows(answers)]
        kept = self._spec.judged(self._storage, self._judge, benchmark)
        before = kept.last(name)
        old = {row.row_id: row for row in kept.rows(before)} if before is not None else {}
        done, tried = dict[str, Judged](), dict[str, int]()
        for row in predictions:
            was = old.get(row.row_id)
            if row.reply is None:
                done[row.row_id] = Judged(row.row_id, _NOT_ASKED.by(self._called), "")
            elif was is not None and was.of == row_of(row).digest and not was.may_be_asked_again:
                done[row.row_id] = was
            elif was is not None and was.may_be_asked_again:
                tried[row.row_id] = was.calls
        number = 1 + (before.number if before is not None else 0)
        return PartInHand(name, kept, number, answers.file.sha256, predictions, done, tried)

    def _by_itself(self, parts: Sequence[PartInHand]) -> None:
        judge = self._module.Judge(self._params)
        for part in parts:
            left = part.left
            rows = [row_of(row) for row in left]
            for row, asked, given in zip(left, rows, judge.judge(rows), strict=True):
                part.done[row.row_id] = Judged(row.row_id, given.by(self._called), asked.digest)
            part.commit()
            self._tell(Progress(*self._at))

    def _by_asking(self, benchmark: str, parts: Sequence[PartInHand], engine: Asked) -> None:
        self._stretch, self._changed = {}, {}
        asked = [request for part in parts for request in self._requests(benchmark, part)]
        try:
            self._take(engine.generate(asked, self._hear) if asked else ())
        except MhtError as error:  # the engine stopped, or somebody asked to stop
            if isinstance(error, EngineStopped):
                self._take(error.replies)
                error.replies = ()
            self._changed = {part.name: part for part in parts}
            self._keep()
            raise
        self._changed = {part.name: part for part in parts}
        self._commit_whole()

    def _requests(self, benchmark: str, part: PartInHand) -> list[Request]:
        """Those that are not answered yet by what was kept of the part."""
        left = part.left
        seed, params = self._spec.config.seed, self._params
        for row, image in zip(left, self._images(benchmark, part.name, left), strict=True):
            part.requests[row.row_id] = self._module.ask(row_of(row), image, params, seed)
        wanted = {request.request_id: request for of in part.requests.values() for request in of}
        known = part.kept.ready(part.name)
        part.replies = {name: reply for name, reply in known.items() if name in wanted}
        self._stretch.update(dict.fromkeys(wanted, part))
        return [request for name, request in wanted.items() if name not in part.replies]

    def _images(self, benchmark: str, part: str, left: Sequence[Prediction]) -> list[bytes | None]:
        """What can be read of the images, where the judge looks at them; it judges by the texts where none can."""
        if not self._module.sees_image(self._params):
            return [None] * len(left)
        reader = PlanReader(self._storage, self._spec.root, self._spec.plans[benchmark])
        questions = {question.row_id: question for question in reader.read(part)}
        reader.close()
        images = open_benchmark(self._spec.config, benchmark, self._storage).images(
            [questions[row.row_id] for row in left]
        )
        return [one if isinstance(one, bytes) else None for one in self._pictures.readable(images)]

    def _hear(self, heard: Heard) -> None:
        before = self._told
        self._heard += heard.replies
        self._take(heard.ready)
        self._commit_whole()
        began = self._clock()
        if self._changed and began >= self._keep_at:
            self._keep()
            self._keep_at = self._clock() + (self._clock() - began) / _KEEPING_SHARE
        self._tell(
            Progress(*self._at, images=self._told - before, tokens=heard.tokens, waiting=heard.waiting)
        )

    def _take(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            part = self._stretch.get(reply.request_id)
            if part is None:  # one with something planted in it
                continue
            self._changed[part.name] = part
            part.replies[reply.request_id] = reply

    def _commit_whole(self) -> None:
        """The parts of which every reply is there by now."""
        for part in [part for part in self._changed.values() if part.is_whole]:
            del self._changed[part.name]
            if not part.committed:
                self._read(part)
                part.commit()

    def _keep(self) -> None:
        """The replies of the others, for whoever opens their parts next."""
        self._commit_whole()
        for part in self._changed.values():
            part.keep()
        self._changed = {}

    def _read(self, part: PartInHand) -> None:
        for row in part.left:
            replies = [part.replies[request.request_id] for request in part.requests[row.row_id]]
            asked = row_of(row)
            given: Judgement = self._module.read(asked, replies, self._params)
            found = with_cost(row.row_id, given.by(self._called), asked, replies)
            part.done[row.row_id] = replace(found, calls=found.calls + part.tried.get(row.row_id, 0))


def stretches(config: EvaluateConfig, judge: str, left: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """(work, stretch) of (benchmark, part) that are left: parts together for an engine with requests in flight.

    Enough for sixteen times as many as it has at once, of images no more than twice; a part by itself for any other.
    """
    chosen = config.judges[judge]
    at_once = getattr(chosen.model.params(), "concurrency", 0) if chosen.model is not None else 0
    times = 2 if getattr(chosen.params(), "image", False) else 16
    size = max(1, at_once * times // config.part_questions)
    made = []
    for benchmark in dict.fromkeys(name for name, _ in left):
        parts = [part for name, part in left if name == benchmark]
        made += [
            f"{benchmark}/{AND.join(parts[begin : begin + size])}" for begin in range(0, len(parts), size)
        ]
    return [(judging(judge), stretch) for stretch in made]
