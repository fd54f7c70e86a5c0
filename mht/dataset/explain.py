"""`mht explain PAIR_ID`: every step that made a pair, done again, and whether the same row comes out."""

from __future__ import annotations

from dataclasses import replace

from mht.artifacts import Commit, commit_uri, read_table
from mht.config import BuildConfig
from mht.dataset.asked.stages import AskedStages
from mht.dataset.captions import CaptionStore, PremiseStore
from mht.dataset.pixels import PixelStage
from mht.dataset.plan import PlanReader
from mht.dataset.preview import pair_lines
from mht.dataset.review.files import adopted
from mht.dataset.review.settle import Reviewed, settle
from mht.dataset.run import Run, read_run
from mht.dataset.shard import make_source
from mht.dataset.stages import fingerprints, pairing_context
from mht.errors import InputError, IntegrityError
from mht.imaging.params import ImagingParams
from mht.pairing.twins import make_pairs
from mht.records import NormalisedImage, Pair, PlannedImage, Refusal
from mht.storage import Storage


def explain(config: BuildConfig, pair_id: str) -> tuple[str, bool]:
    """(the steps in words, whether the rebuilt row's hash is the stored one).

    Raises InputError for a pair that this dataset does not hold.
    """
    storage, root = Storage(config.storage), config.output
    run = read_run(storage, root)
    if run is None:
        raise InputError(
            f"{root}: no run.json, so no dataset of mht. Give the folder that `mht build` wrote."
        )
    with PlanReader(storage, root) as plan:
        row = plan.find(pair_id.partition("-")[0])
    if row is None:
        raise InputError(f"{pair_id}: no image {pair_id.partition('-')[0]!r} in the plan of {root}.")
    stored = _stored(storage, root, run, row, pair_id)
    lines = [
        f"pair     {pair_id}",
        f"run      {run.name}, seed {run.resolved['seed']}",
        f"image    {row.image_id} is {row.item.name!r} at {row.item.uri}",
        f"plan     group {row.group}, split {row.split}, shard {row.shard}",
        *_pixels(storage, run, row),
    ]
    trace, rebuilt = _rebuild(storage, root, run, row, pair_id)
    lines += trace
    lines += pair_lines([stored])
    same = rebuilt is not None and rebuilt.row_hash == stored.row_hash
    lines.append(f"stored   row hash {stored.row_hash}")
    lines.append(f"rebuilt  row hash {rebuilt.row_hash if rebuilt else 'none: the pair was not made again'}")
    lines.append("the same" if same else _why_not(run))
    return "\n".join(lines), same


def _why_not(run: Run) -> str:
    now = fingerprints(run.resolved)
    if now != run.fingerprints:
        return "NOT the same: the code or its tables changed since the dataset was built"
    return "NOT the same, under the same code: please report this"


def _stored(storage: Storage, root: str, run: Run, row: PlannedImage, pair_id: str) -> Pair:
    uri = commit_uri(root, run.name, row.shard)
    commit = Commit.from_json(storage.read(uri), uri)
    for plain in read_table(storage, root, commit.pairs).to_pylist():
        if plain["pair_id"] == pair_id:
            return Pair(**plain)
    raise InputError(f"{pair_id}: image {row.image_id} has no such pair in {commit.pairs.path}.")


def _pixels(storage: Storage, run: Run, row: PlannedImage) -> list[str]:
    """Decode the image again and say what it is; a source that is gone is told, not fatal."""
    stage = PixelStage(make_source(run.resolved, storage), ImagingParams(**run.resolved["imaging"]))
    try:
        result = next(next(stage.decode([[row]], {}))).result
    finally:
        stage.close()
    if isinstance(result, Refusal):
        return [f"pixels   cannot be read again: {result.reason}: {result.detail}"]
    return [f"pixels   {_image_face(result)}"]


def _image_face(image: NormalisedImage) -> str:
    before = f"{image.source_width_px} x {image.source_height_px} {image.source_format}"
    after = f"{image.width_px} x {image.height_px} {image.format}"
    return (
        f"{before} -> {after}, source sha256 {image.source_sha256[:16]}, hash {image.pixel_hash.hex()[:16]}"
    )


def _rebuild(
    storage: Storage, root: str, run: Run, row: PlannedImage, pair_id: str
) -> tuple[list[str], Pair | None]:
    captions = CaptionStore(storage, root, run.fingerprints.caption)
    key = run.plan.stage_key(row.shard)
    for read in captions.read(key) or []:
        if read.image_id == row.image_id:
            break
    else:
        raise IntegrityError(f"image {row.image_id}: not in the captions of shard {row.shard}.")
    reading = read.known()
    table = PremiseStore(storage, root, run.fingerprints.pair).table(run.name)
    context = replace(pairing_context(run.resolved), table=table)
    steps: list[str] = []
    made = make_pairs(row.image_id, row.split, reading, context, steps)
    review = adopted(storage, root, run.resolved)
    decisions = review.by_image().get(row.image_id, {}) if review else {}
    asked = AskedStages(storage, root, run.resolved, run.fingerprints)
    stay, refused = asked.settled(made.pairs, reading, asked.read(key), context.checks)
    pairs, reviewed = settle(stay, reading, decisions, context.checks)
    lines = [f"caption  {reading.caption}"]
    lines += [f"step     {step}" for step in steps]
    lines += [
        f"refused  at {told.stage}: {told.reason}: {told.detail}"
        for told in refused
        if told.pair_id == pair_id
    ]
    lines += [f"review   {_outcome_face(told)}" for told in reviewed if told.pair_id == pair_id]
    return lines, next((pair for pair in pairs if pair.pair_id == pair_id), None)


def _outcome_face(told: Reviewed) -> str:
    who = f" by {told.reviewer}" if told.reviewer else ""
    why = f": {told.note}" if told.note else ""
    return f"{told.outcome}{who}{why}"
