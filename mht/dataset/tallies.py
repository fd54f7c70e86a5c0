"""What a shard counts of its own rows, so that closing the dataset need not read them again.

Each tally is a mapping from a word to a number, and they add up over shards. A joint tally joins its two words with
a slash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mht.dataset.licences import licence_id
from mht.dataset.pixels import ImageRow
from mht.records import Pair

OPEN = "open"
"""The polarity of an answer that is neither yes nor no."""
UNSAID = "unsaid"
"""The modality where neither the source nor the caption names one."""

_COLUMNS = ("state", "type", "form", "risk", "split")


def tally_rows(images: Sequence[ImageRow], pairs: Sequence[Pair]) -> dict[str, Counter[str]]:
    """Pairs by column, by modality and by two columns at once; images by licence and by their number of pairs."""
    modality = {row.planned.image_id: row.reading.modality or UNSAID for row in images}
    each_image = Counter(pair.image_id for pair in pairs)
    return {
        **{name: Counter(getattr(pair, name) for pair in pairs) for name in _COLUMNS},
        "polarity": Counter(pair.polarity or OPEN for pair in pairs),
        "strategy": Counter(pair.strategy for pair in pairs if pair.strategy is not None),
        "modality": Counter(modality[pair.image_id] for pair in pairs),
        "form_polarity": Counter(f"{pair.form}/{pair.polarity or OPEN}" for pair in pairs),
        "type_risk": Counter(f"{pair.type}/{pair.risk}" for pair in pairs),
        "pairs_an_image": Counter(str(each_image[image_id]) for image_id in modality),
        "licence": Counter(licence_id(row.planned.item.licence) for row in images),
    }
