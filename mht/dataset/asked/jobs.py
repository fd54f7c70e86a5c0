"""An engine's jobs on one shard, in this process: describe its images, word its twins, judge its pairs.

No Ray: the fleet calls this, and so do the tests. The model is loaded once, when this is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from mht import catalog
from mht.config import EngineConfig
from mht.dataset.asked import texts, verdicts, wordings
from mht.dataset.asked.kept import Kept
from mht.dataset.asked.stages import ROLES, AskedStages, plugin
from mht.dataset.captions import CaptionStore, PremiseStore
from mht.dataset.pixels import PixelStage
from mht.dataset.plan import PlanReader
from mht.dataset.shard import WorkSpec, make_source
from mht.dataset.stages import pairing_context
from mht.errors import EngineStopped, IntegrityError
from mht.generation import TRANSIENT, Heard, Reply, Request
from mht.imaging.guard import Decoded
from mht.imaging.params import ImagingParams
from mht.pairing.twins import make_pairs
from mht.records import Pair, PlannedImage, Reading, Refusal
from mht.storage import Storage, StorageParams
from mht.watch import Progress

CHUNK_IMAGES = 128
"""So many images go to the engine at a time, while the next ones are decoded: enough for its batches to be full."""

Tell = Callable[[Progress], None]


class EngineJobs:
    """The jobs of one engine of a run. Holds the model and a decoding child, so close it."""

    def __init__(self, spec: WorkSpec, tell: Tell, engine: str) -> None:
        resolved = spec.resolved
        self._spec = spec
        self._tell = tell
        self._shard, self._stage = "", ""
        self._known: dict[str, Reply] = {}
        self._storage = Storage(StorageParams(**resolved["storage"]))
        self._asked = AskedStages(self._storage, spec.root, resolved, spec.fingerprints)
        self._source = make_source(resolved, self._storage)
        self._pixels = PixelStage(self._source, ImagingParams(**resolved["imaging"]))
        self._plan: PlanReader | None = None
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._engine = open_engine(resolved, engine)

    def close(self) -> None:
        self._engine.close()
        self._ahead.shutdown(wait=False, cancel_futures=True)
        self._pixels.close()
        if self._plan is not None:
            self._plan.close()

    def do(self, work: str, shard: str) -> None:
        """`describe`, `word` or `judge` a shard, unless that is done."""
        self._shard, self._stage = shard, work
        kept = {"describe": self._asked.texts, "word": self._asked.wordings, "judge": self._asked.verdicts}[
            work
        ]
        if kept is None:
            raise ValueError(f"this run has no {work} stage")
        key = self._spec.stage_keys[shard]
        self._tell(Progress(shard, work))
        if kept.read(key) is not None:
            return
        self._known = kept.part(key)
        had = len(self._known)
        try:
            {"describe": self._describe, "word": self._word, "judge": self._judge}[work](shard, key, kept)
        except EngineStopped:
            # What failed in passing is asked again; what was answered, well or badly, is not.
            ready = [reply for reply in self._known.values() if reply.failure not in TRANSIENT]
            if ready:
                kept.write_part(key, ready)
            raise
        if had:
            kept.drop_part(key)

    def _describe(self, shard: str, key: str, kept: Kept) -> None:
        rows = self._planned(shard)
        captioner = self._plugin("describe")
        raw: Sequence[str | Refusal | None] = self._source.captions([row.item for row in rows])
        seed, done = self._spec.resolved["seed"], 0
        made: list[texts.Text] = []
        for part, images in self._decoded(rows):
            texts_raw = raw[done : done + len(part)]
            made += texts.describe(part, texts_raw, images, captioner, seed, self._generate)
            done += len(part)
            self._tell(Progress(shard, "describe", images=len(part)))
        kept.write(key, made)

    def _word(self, shard: str, key: str, kept: Kept) -> None:
        made = [(reading, pairs) for _, reading, pairs in self._pairs(shard, key)]
        seed = self._spec.resolved["seed"]
        rows = list(wordings.word(made, self._plugin("word"), seed, self._generate))
        kept.write(key, rows)
        self._tell(Progress(shard, "word", images=len(self._planned(shard))))

    def _judge(self, shard: str, key: str, kept: Kept) -> None:
        module, params = self._plugin("judge")
        checks = pairing_context(self._spec.resolved).checks
        worded = self._asked.read_wordings(key)
        made = [
            (row, reading, self._asked.worded(pairs, reading, worded, checks)[0])
            for row, reading, pairs in self._pairs(shard, key)
        ]
        images: dict[str, bytes] = {}
        if module.sees_image(params):
            wanted = [row for row, _, pairs in made if pairs]
            for part, decoded in self._decoded(wanted):
                for row, image in zip(part, decoded, strict=True):
                    if not isinstance(image.result, Refusal):
                        images[row.image_id] = image.result.data
        cases = [
            verdicts.Case(pair, reading.caption, images.get(row.image_id))
            for row, reading, pairs in made
            for pair in pairs
        ]
        seed = self._spec.resolved["seed"]
        kept.write(key, list(verdicts.judge(cases, (module, params), seed, self._generate)))
        self._tell(Progress(shard, "judge", images=len(self._planned(shard))))

    def _pairs(self, shard: str, key: str) -> Iterator[tuple[PlannedImage, Reading, Sequence[Pair]]]:
        """The planned pairs of each image with facts, as the build will make them."""
        spec = self._spec
        table = PremiseStore(self._storage, spec.root, spec.fingerprints.pair).table(spec.run)
        context = replace(pairing_context(spec.resolved), table=table)
        captions = CaptionStore(self._storage, spec.root, spec.fingerprints.caption).read(key)
        if captions is None:
            raise IntegrityError(f"shard {shard}: its captions are gone. Run the same command again.")
        for row, read in zip(self._planned(shard), captions, strict=True):
            if read.refusal is None:
                reading = read.known()
                yield row, reading, make_pairs(row.image_id, row.split, reading, context).pairs

    def _decoded(
        self, rows: Sequence[PlannedImage]
    ) -> Iterator[tuple[Sequence[PlannedImage], list[Decoded]]]:
        """Chunks of images with their pixels, the next chunk decoded while the caller uses this one."""
        chunks = [rows[i : i + CHUNK_IMAGES] for i in range(0, len(rows), CHUNK_IMAGES)]
        pixels = self._pixels.decode(chunks, {})

        def decode() -> list[Decoded]:
            return list(next(pixels))

        ahead = self._ahead.submit(decode) if chunks else None
        for number, chunk in enumerate(chunks):
            assert ahead is not None
            decoded = ahead.result()
            if number + 1 < len(chunks):
                ahead = self._ahead.submit(decode)
            yield chunk, decoded

    def _generate(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Replies to the requests; what an engine that stopped had said before is not asked again."""
        known = self._known
        new = [request for request in requests if request.request_id not in known]
        try:
            replies = self._engine.generate(new, self._hear) if new else ()
        except EngineStopped as stopped:
            known.update((reply.request_id, reply) for reply in stopped.replies)
            stopped.replies = ()
            raise
        known.update((reply.request_id, reply) for reply in replies)
        return [known[request.request_id] for request in requests]

    def _hear(self, heard: Heard) -> None:
        self._tell(Progress(self._shard, self._stage, tokens=heard.tokens, waiting=heard.waiting))

    def _plugin(self, work: str) -> Any:
        return plugin(self._spec.resolved, ROLES[work])

    def _planned(self, shard: str) -> list[PlannedImage]:
        if self._plan is None:
            self._plan = PlanReader(self._storage, self._spec.root)
        return self._plan.read(shard)


def open_engine(resolved: Any, name: str) -> Any:
    """The engine of this name, its model loaded."""
    settings = dict(resolved["engines"][name])
    for staffing in EngineConfig.model_fields.keys() - {"kind"}:
        settings.pop(staffing)
    module = catalog.load("engines", settings.pop("kind"))
    return module.Engine(module.Params(**settings))
