"""What a run's models will take, from asking them about a few images: seconds, GPU-hours, calls, tokens and money."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any

from mht.config import BuildConfig, EngineConfig
from mht.dataset.asked.here import Asking
from mht.dataset.asked.kept import Kept, Spent
from mht.dataset.asked.stages import cleaner
from mht.dataset.asked.texts import STAGE, text_row
from mht.dataset.captions import count_premises, read_captions
from mht.dataset.pixels import PixelStage
from mht.dataset.plan import Plan, PlanReader, assign
from mht.dataset.shard import make_source
from mht.dataset.stages import pairing_context
from mht.imaging.guard import Decoded
from mht.pairing.twins import make_pairs
from mht.records import PlannedImage, Refusal, SourceItem
from mht.schemas import TEXT_SCHEMA
from mht.storage import Storage

PROBE_IMAGES = 24
PASS_START_S = 4.0
"""Between two passes: one's actors end and the next one's start; a model's loading comes on top and is not known."""
WARM_IMAGES = 4
"""Of these, those before the clock starts: a model's first batch is no measure of the next."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the models of a run will take. `seconds` is of the passes in a row, on the replicas as configured.

    `money` is None where no engine has a price. `texts` is what the probe's images were called, for the rest of the
    probe to go on with.
    """

    seconds: float
    gpu_hours: float
    calls: int
    tokens: int
    money: float | None
    texts: tuple[str | Refusal, ...] = field(default=(), repr=False)


_NOBODY = Asked(0.0, 0.0, 0, 0, None)


def predict_asked(config: BuildConfig, items: Sequence[SourceItem]) -> Asked:
    """What the run's models will take; nothing where none is asked."""
    if not config.engines_asked():
        return _NOBODY
    few = (
        [items[i * len(items) // PROBE_IMAGES] for i in range(PROBE_IMAGES)]
        if len(items) > PROBE_IMAGES
        else items
    )
    shards = assign(few, config.seed, config.splits, PROBE_IMAGES)
    return _measured(config, [row for shard in shards for row in shard], len(items))


def _measured(config: BuildConfig, rows: Sequence[PlannedImage], images: int) -> Asked:
    """Ask about the rows, in this process, and scale it to so many images."""
    resolved = config.resolved()
    source = make_source(resolved, Storage(config.storage))
    warm, timed = rows[:WARM_IMAGES], rows[WARM_IMAGES:] or rows
    with closing(PixelStage(source, config.imaging)) as stage, Asking(config) as asking:
        _probe(config, source, stage, asking, warm)
        asking.clocks.clear()
        texts = _probe(config, source, stage, asking, timed)
        parts = [
            _part(config.engines[config.engine_of(section) or ""], took, spent, images / len(timed))
            for section, (took, spent) in asking.clocks.items()
        ]
    money = [part.money for part in parts if part.money is not None]
    # Those that word or judge wait for a pass that only reads captions.
    passes = len(parts) + (asking.writer is not None or asking.verifier is not None)
    return Asked(
        seconds=sum(part.seconds for part in parts) + passes * PASS_START_S,
        gpu_hours=sum(part.gpu_hours for part in parts),
        calls=sum(part.calls for part in parts),
        tokens=sum(part.tokens for part in parts),
        money=sum(money) if money else None,
        texts=tuple(texts),
    )


def _part(engine: EngineConfig, took_s: float, spent: Spent, scale: float) -> Asked:
    """One section's share, from what its probe took."""
    hours = took_s * scale * engine.num_gpus / 3600
    return Asked(
        seconds=took_s * scale / engine.replicas,
        gpu_hours=hours,
        calls=round(spent.calls * scale),
        tokens=round((spent.prompt_tokens + spent.tokens) * scale),
        money=_money(engine, hours, spent.prompt_tokens * scale, spent.tokens * scale),
    )


def _money(engine: EngineConfig, hours: float, tokens_in: float, tokens_out: float) -> float | None:
    """By the hour where the cards have a price, else by the token where the endpoint has one."""
    if engine.price_per_gpu_hour is not None:
        return engine.price_per_gpu_hour * hours
    params = engine.params()
    price_in, price_out = getattr(params, "price_in", None), getattr(params, "price_out", None)
    if price_in is None and price_out is None:
        return None
    return ((price_in or 0.0) * tokens_in + (price_out or 0.0) * tokens_out) / 1e6


def _probe(
    config: BuildConfig,
    source: Any,
    stage: PixelStage,
    asking: Asking,
    rows: Sequence[PlannedImage],
) -> list[str | Refusal]:
    """Everything that the run asks of these images; returns what their captions were."""
    resolved = config.resolved()
    decoded: list[Decoded] = list(next(stage.decode([rows], {})))
    raw: Sequence[str | Refusal | None] = source.captions([row.item for row in rows])
    if asking.captioner is not None:
        raw = asking.describe(rows, raw, decoded)
    read = read_captions(rows, raw, cleaner(resolved))
    context = replace(pairing_context(resolved), table=count_premises(read))
    made = [
        (
            caption.known(),
            image.result.data,
            make_pairs(row.image_id, row.split, caption.known(), context).pairs,
        )
        for row, caption, image in zip(rows, read, decoded, strict=True)
        if caption.refusal is None and not isinstance(image.result, Refusal)
    ]
    asking.settle(made, context.checks)
    return [text if isinstance(text, str | Refusal) else "" for text in raw]


def lend(storage: Storage, root: str, fingerprint: str, plan: Plan, texts: Sequence[str | Refusal]) -> None:
    """Give the probe's images texts of the few that were asked about, in turn."""
    kept = Kept(storage, root, STAGE, fingerprint, TEXT_SCHEMA)
    with PlanReader(storage, root) as reader:
        for shard, key in plan.stage_keys().items():
            lent = cycle(texts)
            kept.write(key, [text_row(row, "caption", next(lent), Spent()) for row in reader.read(shard)])
