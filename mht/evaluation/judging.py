"""A judge's work on parts that are answered, in this process: replies read, judged, and kept beside the predictions.

Parts are asked about in stretches, and replies kept as they come (see `stretch`). No Ray here: the fleet makes one of
these in each actor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from mht import catalog
from mht.config_evaluate import EvaluateConfig
from mht.config_judges import JUDGES
from mht.evaluation.answering import ANSWER, Asked, Spec, Tell, judging, open_benchmark, sees_image
from mht.evaluation.kept import KeptParts
from mht.evaluation.part_in_hand import PartInHand, row_of, with_cost
from mht.evaluation.pictures import Pictures, source
from mht.evaluation.plan import PlanReader
from mht.evaluation.probing import PART, PLANTED, state, targets
from mht.evaluation.stretch import AND, Stretch
from mht.evaluation.tables import Judged
from mht.generation import Heard, Reply, Request
from mht.judgements import NO_REPLY, Judgement
from mht.judgements import Asked as Row
from mht.predictions import Prediction
from mht.storage import Storage
from mht.watch import Progress

Part: TypeAlias = PartInHand[Prediction, Judged]
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
        self._looks = sees_image(chosen)
        self._storage = Storage(spec.config.storage)
        self._pictures = Pictures(spec.config.imaging, every=spec.config.normalise)
        self._at = ("", "")
        self._heard = 0
        self._stretch: Stretch[Any] = Stretch[Part]([], self._finish, clock)
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
        total = sum(len(part.items) for part in parts)
        self._tell(Progress(*self._at, images=total - self._told))

    def _plant(self) -> None:
        """Judge rows again, an instruction planted in each; those that were judged so before stay."""
        spec, storage = self._spec, self._storage
        kept, of = spec.judged(storage, self._judge, PLANTED), state(spec, storage, self._judge)
        before = kept.last(PART)
        old = {row.row_id: row for row in kept.rows(before)} if before is not None else {}
        found = {target.key: target for target in targets(spec, storage, self._judge)}
        rows = {key: target.planted(row_of(target.prediction)) for key, target in found.items()}
        shown = {
            key: self._images(one.benchmark, one.part, [one.prediction])[0] for key, one in found.items()
        }
        done = {
            key: old[key]
            for key, row in rows.items()
            if key in old
            and (old[key].of, old[key].image) == (row.digest, shown[key][0])
            and not old[key].may_be_asked_again
        }
        left = [key for key in rows if key not in done]
        again, at = self._again([(rows[key], shown[key][1]) for key in left], kept)
        for key, (given, replies) in zip(left, again, strict=True):
            done[key] = with_cost(key, given.by(self._called), rows[key], replies, shown[key][0])
        number, before_at = (before.number + 1, before.at) if before is not None else (1, ())
        kept.commit(PART, number, [done[key] for key in rows], of, at={*before_at, *at})
        kept.journal(PART).drop()

    def _again(
        self, rows: Sequence[tuple[Row, bytes | None]], kept: KeptParts[Judged]
    ) -> tuple[list[tuple[Judgement, Sequence[Reply]]], set[str]]:
        """What the judge says of each row with its image, and by which replies; the addresses where they were given."""
        if self._engine is None:
            return [
                (given, ()) for given in self._module.Judge(self._params).judge([row for row, _ in rows])
            ], set()
        part = PartInHand[Row, Judged](PART, kept, 0, {row.row_id: row for row, _ in rows})
        requests = {
            row.row_id: self._module.ask(row, image, self._params, self._spec.config.seed)
            for row, image in rows
        }
        new = part.ask(requests)
        with Stretch([part], PartInHand.keep, self._clock) as self._stretch:
            self._stretch.take(self._engine.generate(new, self._hear) if new else ())
        said = [[part.replies[one.request_id] for one in requests[row.row_id]] for row, _ in rows]
        read: list[tuple[Judgement, Sequence[Reply]]] = [
            (self._module.read(row, of, self._params), of) for (row, _), of in zip(rows, said, strict=True)
        ]
        return read, part.at

    @property
    def _told(self) -> int:
        """Rows that were told as they came."""
        return self._heard // max(1, getattr(self._params, "samples", 1))

    def _open(self, benchmark: str, name: str) -> Part:
        """A part with what is known of it. Judgements of the very same replies, and images, stay."""
        answered = self._spec.kept(self._storage, ANSWER, benchmark)
        answers = answered.last(name)
        assert answers is not None
        items = {row.prediction.row_id: row.prediction for row in answered.rows(answers)}
        kept = self._spec.judged(self._storage, self._judge, benchmark)
        images = self._spec.images(judging(self._judge), benchmark, name)
        before = kept.last(name)
        number, at = (before.number + 1, set(before.at)) if before is not None else (1, set[str]())
        part = Part(name, kept, number, items, images, answers.file.sha256, at)
        same = list[Judged]()
        for was in kept.rows(before) if before is not None else ():
            row = items.get(was.row_id)
            if was.may_be_asked_again:
                part.tried[was.row_id] = was.calls
            elif row is not None and was.of == row_of(row).digest:
                same.append(was)
        if before is not None and before.images != images:
            shown = self._images(benchmark, name, [items[was.row_id] for was in same])
            same = [was for was, (image, _) in zip(same, shown, strict=True) if was.image == image]
        part.done = {was.row_id: was for was in same}
        for row in items.values():
            if row.reply is None:
                part.done[row.row_id] = Judged(row.row_id, _NOT_ASKED.by(self._called), "")
        return part

    def _by_itself(self, parts: Sequence[Part]) -> None:
        judge = self._module.Judge(self._params)
        for part in parts:
            left = part.left
            rows = [row_of(row) for row in left]
            for row, asked, given in zip(left, rows, judge.judge(rows), strict=True):
                part.done[row.row_id] = Judged(row.row_id, given.by(self._called), asked.digest)
            part.commit()
            self._tell(Progress(*self._at))

    def _by_asking(self, benchmark: str, parts: Sequence[Part], engine: Asked) -> None:
        asked = [request for part in parts for request in self._requests(benchmark, part)]
        with Stretch(parts, self._finish, self._clock) as self._stretch:
            self._stretch.take(engine.generate(asked, self._hear) if asked else ())

    def _requests(self, benchmark: str, part: Part) -> list[Request]:
        """Those that are not answered yet by what was kept of the part."""
        left, requests = part.left, dict[str, tuple[Request, ...]]()
        seed, params = self._spec.config.seed, self._params
        for row, (shown, image) in zip(left, self._images(benchmark, part.name, left), strict=True):
            part.shown[row.row_id] = shown
            requests[row.row_id] = self._module.ask(row_of(row), image, params, seed)
        return part.ask(requests)

    def _images(
        self, benchmark: str, part: str, left: Sequence[Prediction]
    ) -> list[tuple[str | None, bytes | None]]:
        """(digest of its file, what can be read of it) of each image, where the judge looks at them.

        It judges by the texts where none can be read.
        """
        if not self._looks or not left:
            return [(None, None)] * len(left)
        reader = PlanReader(self._storage, self._spec.root, self._spec.plans[benchmark])
        questions = {question.row_id: question for question in reader.read(part)}
        reader.close()
        images = open_benchmark(self._spec.config, benchmark, self._storage).images(
            [questions[row.row_id] for row in left]
        )
        readable = self._pictures.readable(images)
        return [
            (source(image), one if isinstance(one, bytes) else None)
            for image, one in zip(images, readable, strict=True)
        ]

    def _hear(self, heard: Heard) -> None:
        before = self._told
        self._heard += heard.replies
        self._stretch.take(heard.ready)
        self._stretch.keep_up()
        self._tell(
            Progress(*self._at, images=self._told - before, tokens=heard.tokens, waiting=heard.waiting)
        )

    def _finish(self, part: Part) -> None:
        """Read the replies of a part that has them all, and commit it."""
        for row in part.left:
            replies = [part.replies[request.request_id] for request in part.requests[row.row_id]]
            asked = row_of(row)
            given: Judgement = self._module.read(asked, replies, self._params)
            found = with_cost(row.row_id, given.by(self._called), asked, replies, part.shown[row.row_id])
            part.done[row.row_id] = replace(found, calls=found.calls + part.tried.get(row.row_id, 0))
        part.commit()
