"""One shard from its plan rows to its commit, in this process. No Ray: the fleet calls this, and so do the tests.

The order is: captions (kept from the stage before), then per batch of images: bytes, pixels in the guarded child
while this process makes the pairs, then the Parquet files, then the commit record, which alone makes the shard exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from mht import catalog
from mht.artifacts import Commit, FileRecord, make_commit, parquet_bytes, write_content
from mht.dataset.asked.stages import AskedStages, ShardAsked, cleaner
from mht.dataset.asked.texts import captions_from
from mht.dataset.captions import CaptionRead, CaptionStore, PremiseStore, count_premises, read_captions
from mht.dataset.leakage.gate import Gate
from mht.dataset.outcome import Outcome
from mht.dataset.pixels import (
    BATCH_IMAGES,
    ImageRow,
    PixelCache,
    PixelStage,
    StartGuard,
    hash_table,
    image_table,
)
from mht.dataset.plan import PlanReader
from mht.dataset.review.decisions import Decision, Key
from mht.dataset.review.files import adopted
from mht.dataset.review.settle import settle, unmatched
from mht.dataset.stages import Fingerprints, pairing_context
from mht.errors import IntegrityError
from mht.imaging.guard import Decoded, DecoderGuard
from mht.imaging.leakage import LeakageParams
from mht.imaging.params import ImagingParams
from mht.pairing.context import PairingContext, PairsMade
from mht.pairing.twins import make_pairs
from mht.records import PlannedImage, Reason, Refusal
from mht.schemas import (
    LEAK_SCHEMA,
    PAIR_SCHEMA,
    QUARANTINE_SCHEMA,
    REFUSED_PAIR_SCHEMA,
    REVIEWED_SCHEMA,
    to_table,
)
from mht.storage import Storage, StorageParams
from mht.watch import Progress


@dataclass(frozen=True, slots=True)
class WorkSpec:
    """What a worker must know: the dataset's root, the run's name, the resolved configuration, its stages.

    `stage_keys` names, for every shard of the plan, what its stages' outputs are kept under, `benchmarks` the name and
    the index file of each benchmark that images are compared with.
    """

    root: str
    run: str
    resolved: Mapping[str, Any]
    fingerprints: Fingerprints
    stage_keys: Mapping[str, str]
    benchmarks: tuple[tuple[str, str], ...] = ()


_TABLE_POLL_S = 0.25
_STEAL_AFTER_S = 30.0
_Wanted = tuple[PlannedImage, CaptionRead]


def make_source(resolved: Mapping[str, Any], storage: Storage) -> Any:
    """The configured source, opened on this process's storage."""
    settings = dict(resolved["source"])
    module = catalog.load("sources", settings.pop("kind"))
    return module.Source(module.Params(**settings), storage)


class ShardBuilder:
    """Builds shards of one run. Holds the decoding child, so close it; `guard` starts another kind of it in tests."""

    def __init__(
        self, spec: WorkSpec, tell: Callable[[Progress], None], guard: StartGuard = DecoderGuard
    ) -> None:
        resolved = spec.resolved
        self._spec = spec
        self._tell = tell
        # Waiting for the store is a sign of life: it has a limit of its own and is no stall.
        self._shard = ""
        self._storage = Storage(StorageParams(**resolved["storage"]), sleep=self._wait)
        self._source = make_source(resolved, self._storage)
        self._clean = cleaner(resolved)
        self._asked = AskedStages(self._storage, spec.root, resolved, spec.fingerprints)
        self._captions = CaptionStore(self._storage, spec.root, spec.fingerprints.caption)
        self._premises = PremiseStore(self._storage, spec.root, spec.fingerprints.pair)
        self._uncounted = pairing_context(resolved)
        self._pixel_cache = PixelCache(self._storage, spec.root, spec.fingerprints.image)
        gate_params = LeakageParams(**resolved["leakage"])
        self._gate = Gate(self._storage, spec.root, spec.benchmarks, gate_params)
        self._pixels = PixelStage(self._source, ImagingParams(**resolved["imaging"]), guard)
        self._plan: PlanReader | None = None
        self._context: PairingContext | None = None
        self._decisions: dict[str, dict[Key, Decision]] | None = None

    def do(self, work: str, shard: str) -> Commit | None:
        """One job: `caption` or `build`."""
        if work == "build":
            return self.build(shard)
        self.caption(shard)
        return None

    def caption(self, shard: str) -> None:
        """Read a shard's captions into facts, unless that is done, and count what pairs can be made of them."""
        self._shard = shard
        self._tell(Progress(shard, "captions"))
        rows = self._planned(shard)
        key = self._spec.stage_keys[shard]
        read = self._captions.read(key)
        if read is None:
            read = read_captions(rows, self._raw_captions(rows, key), self._clean)
            self._captions.write(key, read)
        self._premises.write(key, count_premises(read))
        self._tell(Progress(shard, "captions"))

    def _raw_captions(self, rows: Sequence[PlannedImage], key: str) -> Sequence[str | Refusal | None]:
        """What the source ships, or what a model said of the images."""
        if self._asked.texts is None:
            raw: Sequence[str | Refusal | None] = self._source.captions([row.item for row in rows])
            return raw
        kept = self._asked.texts.read(key)
        if kept is None:
            raise IntegrityError(
                f"shard {rows[0].shard}: its texts are gone. Run the same command to ask again."
            )
        return captions_from(kept)

    def build(self, shard: str) -> Commit:
        """Build and commit a shard; when another worker was first, its commit is returned."""
        began = time.monotonic()
        self._shard = shard
        self._tell(Progress(shard, "pairs"))
        rows = self._planned(shard)
        key = self._spec.stage_keys[shard]
        outcome = self._work(rows, key)
        self._tell(Progress(shard, "writing"))
        images = self._write(f"images/{shard}", image_table(outcome.images), stored=("image",))
        hashes = self._write(f"hashes/{shard}", hash_table(outcome.images, thumbnails=not self._gate.is_open))
        self._pixel_cache.write(key, images, hashes, outcome.refused_pixels)
        commit = Commit(
            run=self._spec.run,
            shard=shard,
            images=images,
            pairs=self._write(f"pairs/{shard}", to_table(outcome.pairs, PAIR_SCHEMA)),
            hashes=hashes,
            quarantine=self._write_any(f"quarantine/{shard}", outcome.quarantined, QUARANTINE_SCHEMA),
            reviewed=self._write_any(f"reviewed/{shard}", outcome.reviewed, REVIEWED_SCHEMA),
            leaks=self._write_any(f"leaks/{shard}", outcome.leaks, LEAK_SCHEMA),
            refused_pairs=self._write_any(
                f"refused_pairs/{shard}", outcome.refused_pairs, REFUSED_PAIR_SCHEMA
            ),
            counts=outcome.counts(len(rows)),
            seconds=round(time.monotonic() - began, 3),
        )
        return make_commit(self._storage, self._spec.root, commit)

    def close(self) -> None:
        self._pixels.close()
        if self._plan is not None:
            self._plan.close()

    def _planned(self, shard: str) -> list[PlannedImage]:
        """The shard's images. The plan is opened by the first job: a store that is gone fails a job, never a start."""
        if self._plan is None:
            self._plan = PlanReader(self._storage, self._spec.root)
        return self._plan.read(shard)

    def _wait(self, seconds: float) -> None:
        self._tell(Progress(self._shard, "waiting for storage"))
        time.sleep(seconds)

    def _write(self, stem: str, table: pa.Table, stored: tuple[str, ...] = ()) -> FileRecord:
        data = parquet_bytes(table, stored=stored)
        return write_content(self._storage, self._spec.root, stem, data, table.num_rows)

    def _write_any(self, stem: str, records: list[Any], schema: pa.Schema) -> FileRecord | None:
        return self._write(stem, to_table(records, schema)) if records else None

    def _work(self, rows: Sequence[PlannedImage], key: str) -> Outcome:
        outcome = Outcome()
        wanted: list[_Wanted] = []
        self._pairing()  # waits until every shard's captions are there, this one's among them
        captions = self._captions.read(key)
        if captions is None:
            raise IntegrityError(
                f"shard {rows[0].shard}: its captions are gone. Give new_run=true to read them again."
            )
        kept = self._asked.read(key)
        outcome.spent.update(kept.spent)
        for row, read in zip(rows, captions, strict=True):
            if read.refusal is None:
                wanted.append((row, read))
            else:
                stage = "image" if row.image_id in kept.undecoded else "caption"
                outcome.refuse(row, stage, read.refusal)
        batches = [wanted[i : i + BATCH_IMAGES] for i in range(0, len(wanted), BATCH_IMAGES)]
        known = self._pixel_cache.read(key, thumbnails=not self._gate.is_open)
        decoded = self._pixels.decode([[row for row, _ in batch] for batch in batches], known)
        self._report(rows[0].shard, outcome, images=len(rows) - len(wanted))
        for batch, pixels in zip(batches, decoded, strict=True):
            self._pair(batch, pixels, kept, outcome)
            self._report(rows[0].shard, outcome, images=len(batch))
        out = {image.planned.image_id for image in outcome.images}
        for row in rows:
            if row.image_id not in out:
                outcome.reviewed.extend(unmatched(self._decided(row.image_id)))
        return outcome

    def _report(self, shard: str, outcome: Outcome, images: int) -> None:
        pairs, refused = len(outcome.pairs), len(outcome.quarantined)
        new_pairs, new_refused = pairs - outcome.reported[0], refused - outcome.reported[1]
        outcome.reported = (pairs, refused)
        self._tell(Progress(shard, "pairs", images, new_pairs, new_refused))

    def _pair(
        self, batch: Sequence[_Wanted], pixels: Iterator[Decoded], kept: ShardAsked, outcome: Outcome
    ) -> None:
        # The pairs first: they need this process, while the child decodes the same batch.
        context = self._pairing()
        made = [self._make(row, read, kept, outcome) for row, read in batch]
        done = list(pixels)
        leaks = self._gate.find([row for row, _ in batch], done)
        for (row, read), pairs, decoded, leak in zip(batch, made, done, leaks, strict=True):
            outcome.dropped.update(pairs.dropped)
            outcome.backed_off += pairs.backed_off
            left_out = self._gate.refusal(leak)
            if leak is not None and (left_out or pairs.pairs):
                outcome.leaks.append(leak)
            if isinstance(decoded.result, Refusal):
                outcome.refused_pixels[row.image_id] = decoded
                outcome.refuse(row, "image", decoded.result, decoded.attempts)
            elif left_out is not None:
                outcome.refuse(row, "leakage", left_out)
            elif pairs.pairs:
                outcome.images.append(ImageRow(row, read.known(), decoded.result))
                decisions = self._decided(row.image_id)
                stay, reviewed = settle(pairs.pairs, read.known(), decisions, context.checks)
                outcome.pairs.extend(stay)
                outcome.reviewed.extend(reviewed)
            else:
                why = ", ".join(f"{name} {n}" for name, n in sorted(pairs.dropped.items()))
                outcome.refuse(row, "pair", Refusal(Reason.NO_PAIRS, f"no twin was accepted ({why})"))

    def _make(self, row: PlannedImage, read: CaptionRead, kept: ShardAsked, outcome: Outcome) -> PairsMade:
        """An image's pairs in their final words, less those that a writer or a verifier refused."""
        context = self._pairing()
        made = make_pairs(row.image_id, row.split, read.known(), context)
        stay, refused = self._asked.settled(made.pairs, read.known(), kept, context.checks)
        outcome.refused_pairs.extend(refused)
        made.dropped.update(pair.reason for pair in refused[::2])
        return replace(made, pairs=tuple(stay))

    def _decided(self, image_id: str) -> dict[Key, Decision]:
        """The review's decisions about an image's pairs."""
        if self._decisions is None:
            review = adopted(self._storage, self._spec.root, self._spec.resolved)
            self._decisions = review.by_image() if review else {}
        return self._decisions.get(image_id, {})

    def _pairing(self) -> PairingContext:
        if self._context is None:
            self._await_table()
            self._context = replace(self._uncounted, table=self._premises.table(self._spec.run))
        return self._context

    def _await_table(self) -> None:
        """Until the run's premise table is there, which the driver writes when every shard is counted.

        Should the last captions wait behind this very worker, it reads them itself: the work is the same
        whoever does it, and nobody waits for ever.
        """
        waited_s = 0.0
        while not self._premises.has_table(self._spec.run):
            self._tell(Progress(self._shard, "waiting for captions"))
            if waited_s >= _STEAL_AFTER_S:
                self._caption_missing()
                return
            time.sleep(_TABLE_POLL_S)
            waited_s += _TABLE_POLL_S

    def _caption_missing(self) -> None:
        waiting = self._shard
        for shard, key in sorted(self._spec.stage_keys.items()):
            if not self._premises.has(key):
                self.caption(shard)
        self._premises.add_up(list(self._spec.stage_keys.values()), self._spec.run)
        self._shard = waiting
