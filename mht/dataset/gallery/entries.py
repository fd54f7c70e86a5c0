"""An image of the sample as the page's script reads it: plain JSON, every text cut where it is to be marked.

Texts are cut here, because a script counts UTF-16 units where Python and the Parquet files count characters.
"""

from __future__ import annotations

from typing import Any

from mht.dataset.gallery.picture import data_uri
from mht.dataset.gallery.sample import Look, Row
from mht.dataset.tallies import UNSAID

_FROM_PAIR = ("pair_id", "state", "type", "form", "risk", "risk_rule", "evidence", "polarity", "answer")


def entry(look: Look) -> dict[str, Any]:
    """What the page is told of one image, its picture included."""
    image = look.image
    uri, smaller = data_uri(image["image"]["bytes"])
    return {
        "id": image["image_id"],
        "split": image["split"],
        "modality": image["modality"] or UNSAID,
        "licence": image["licence"],
        "width": image["width_px"],
        "height": image["height_px"],
        "src": uri,
        "smaller": smaller,
        "caption": caption_pieces(image["caption"], image["facts"] or []),
        "twins": _twins(look.pairs),
    }


def _twins(pairs: list[Row]) -> list[list[dict[str, Any]]]:
    """The pairs by twin, faithful first; a pair whose twin was taken out by a reviewer stands alone."""
    twins: dict[str, list[dict[str, Any]]] = {}
    for pair in pairs:
        twins.setdefault(pair["twin_id"], []).append(_pair(pair))
    return [sorted(twin, key=lambda pair: str(pair["state"])) for twin in twins.values()]


def _pair(pair: Row) -> dict[str, Any]:
    start, end, question = pair["span_start"], pair["span_end"], pair["question"]
    plain = {name: pair[name] for name in _FROM_PAIR}
    return plain | {
        "question": [question[:start], question[start:end], question[end:]],
        "counterpart": pair["counterpart"],
        "rejected": pair.get("rejected"),
        "strategy": pair.get("strategy"),
    }


def caption_pieces(caption: str, facts: list[Row]) -> list[list[str]]:
    """The caption in pieces, [text, presence] with "" outside of facts; of facts that overlap the first is marked."""
    pieces: list[list[str]] = []
    at = 0
    for fact in sorted(facts, key=lambda fact: (fact["start"], -fact["end"])):
        start, end = fact["start"], fact["end"]
        if not at <= start < end <= len(caption):
            continue
        if start > at:
            pieces.append([caption[at:start], ""])
        pieces.append([caption[start:end], fact["presence"]])
        at = end
    if at < len(caption):
        pieces.append([caption[at:], ""])
    return pieces
