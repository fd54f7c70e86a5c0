"""What the splits of a copy share: an image, or a patient, case or article, that stands in two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations

from mht.questions import ImageAt


@dataclass(frozen=True, slots=True)
class SplitImage:
    """An image of a split; `image` is None where the copy does not hold it."""

    split: str
    image_id: str
    image: ImageAt | None


@dataclass(slots=True)
class Census:
    """Rows, images and groups of one split."""

    rows: int = 0
    images: dict[str, ImageAt | None] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)

    def add(self, image_id: str, image: ImageAt | None, group: str | None) -> None:
        self.rows += 1
        self.images.setdefault(image_id, image)
        if group is not None:
            self.groups.add(group)


def shared(splits: Mapping[str, Census], asked: Sequence[str]) -> list[str]:
    """A line for each split that is asked and each other one: the images, and the groups, that both have by name."""
    if not splits.keys() - set(asked):
        alone = (
            f"leakage: no split but {', '.join(asked)} is here, so what it shares with training is not known"
        )
        return [alone, *_lines(splits, combinations([s for s in splits if s in asked], 2))]
    pairs = [(s, other) for s in splits if s in asked for other in splits if other not in asked]
    return _lines(splits, pairs)


def _lines(splits: Mapping[str, Census], pairs: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for split, other in pairs:
        one, two = splits[split], splits[other]
        lines.append(
            f"leakage: {_common(one.images.keys(), two.images.keys(), 'images', split, other)}, by name"
        )
        if one.groups and two.groups:
            lines.append(f"leakage: {_common(one.groups, two.groups, 'groups', split, other)}")
    return lines


def _common(mine: Set[str], theirs: Set[str], what: str, split: str, other: str) -> str:
    return f"{len(mine & theirs):,} of the {len(mine):,} {what} of {split} also stand in {other}"
