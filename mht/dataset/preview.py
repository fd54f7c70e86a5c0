"""`mht preview`: the build's own stages on a few images in this process; no Ray, nothing written."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice

from mht.config import BuildConfig
from mht.dataset.asked.here import Asking
from mht.dataset.asked.stages import check_engines, cleaner
from mht.dataset.captions import count_premises, read_captions
from mht.dataset.pixels import PixelStage
from mht.dataset.plan import assign
from mht.dataset.shard import make_source
from mht.dataset.stages import pairing_context
from mht.errors import InputError
from mht.imaging.guard import Decoded
from mht.pairing.twins import make_pairs
from mht.records import Pair, PlannedImage, Refusal
from mht.storage import Storage

SAMPLE_IMAGES = 64
ASKED_IMAGES = 8
"""Of which a model is asked, for each twin that is wanted at most: a look must not cost a minute."""


def preview(config: BuildConfig, twins: int) -> str:
    """`twins` pairs of pairs from the first images, in words. Raises InputError when no image gives any."""
    check_engines(config)
    resolved = config.resolved()
    source = make_source(resolved, Storage(config.storage))
    source.check()
    sample = (
        SAMPLE_IMAGES if config.engine_of("captioner") is None else min(SAMPLE_IMAGES, ASKED_IMAGES * twins)
    )
    shards = assign(islice(source.items(), sample), config.seed, config.splits, sample)
    rows = [row for shard in shards for row in shard]
    with closing(PixelStage(source, config.imaging)) as stage, Asking(config) as asking:
        known: dict[str, Decoded] = {}
        raw = source.captions([row.item for row in rows])
        if asking.captioner is not None:
            known = dict(zip((row.image_id for row in rows), next(stage.decode([rows], {})), strict=True))
            raw = asking.describe(rows, raw, list(known.values()))
        read = read_captions(rows, raw, cleaner(resolved))
        # The corpus-wide table is not there yet; the sample's own stands in for it.
        context = replace(pairing_context(resolved), table=count_premises(read))
        shown: list[str] = []
        refused: list[str] = []
        for row, caption in zip(rows, read, strict=True):
            if len(shown) >= twins:
                break
            if caption.refusal is not None:
                refused.append(f"{row.item.name}: {caption.refusal.reason}")
                continue
            pairs = make_pairs(row.image_id, row.split, caption.known(), context).pairs[:2]
            decoded = next(next(stage.decode([[row]], known)))
            if isinstance(decoded.result, Refusal):
                refused.append(f"{row.item.name}: {decoded.result.reason}: {decoded.result.detail}")
                continue
            known_pairs = [(caption.known(), decoded.result.data, pairs)]
            [(kept, fallen)] = asking.settle(known_pairs, context.checks)
            refused += [f"{row.item.name}: {pair.stage}: {pair.reason}: {pair.detail}" for pair in fallen]
            if kept:
                shown.append(_face(row, decoded, caption.known().caption, kept))
    if not shown:
        raise InputError(
            f"none of the first {len(rows)} images gave a pair: {'; '.join(refused[:5]) or 'no facts'}. "
            "Check that captions are found (source.*) and that they name findings."
        )
    notes = [f"refused here: {line}" for line in refused[:5]]
    return "\n\n".join(shown + (["\n".join(notes)] if notes else []))


def _face(row: PlannedImage, decoded: Decoded, caption: str, pairs: Sequence[Pair]) -> str:
    image = decoded.result
    assert not isinstance(image, Refusal)
    head = f"{row.item.name}  {image.source_width_px} x {image.source_height_px} {image.source_format}"
    return "\n".join([head, *_wrap("caption", caption), *pair_lines(pairs)])


def pair_lines(pairs: Sequence[Pair]) -> list[str]:
    """Pairs in words, the edited span in brackets."""
    lines = []
    for pair in pairs:
        start, end = pair.span_start, pair.span_end
        question = f"{pair.question[:start]}[{pair.question[start:end]}]{pair.question[end:]}"
        lines += [f"  {pair.state}, {pair.type}, {pair.form}, risk {pair.risk}   {pair.pair_id}"]
        lines += [*_wrap("Q", question, 4), *_wrap("A", pair.answer, 4)]
    return lines


def _wrap(label: str, text: str, indent: int = 2) -> list[str]:
    first = " " * indent + label + ": "
    return textwrap.wrap(text, 100, initial_indent=first, subsequent_indent=" " * len(first)) or [first]
