"""What the splits of a copy share: an image, or a patient, case or article, that stands in two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations

from mht.questions import ImageAt


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


def shared(
    splits: Mapping[str, Census], asked: Sequence[str], by: str = "by name", trains: bool = True
) -> list[str]:
    """A line for each split that is asked and each other one: the images (`by` what is said), the groups of both.

    Where no other one is here it says so, if the release has rows to train on (`trains`), and compares those asked.
    """
    pairs = [(s, other) for s in splits if s in asked for other in splits if other not in asked]
    if pairs:
        return _lines("leakage", splits, pairs, by)
    alone = f"leakage: no split but {', '.join(asked)} is here, so what it shares with training is not known"
    together = combinations([split for split in splits if split in asked], 2)
    return [*([alone] if trains else []), *_lines("shared", splits, together, by)]


def _lines(word: str, splits: Mapping[str, Census], pairs: Iterable[tuple[str, str]], by: str) -> list[str]:
    lines = []
    for split, other in pairs:
        one, two = splits[split], splits[other]
        lines.append(f"{word}: {_common(one.images.keys(), two.images.keys(), 'images', split, other)}, {by}")
        if one.groups and two.groups:
            lines.append(f"{word}: {_common(one.groups, two.groups, 'groups', split, other)}")
    return lines


def _common(mine: Set[str], theirs: Set[str], what: str, split: str, other: str) -> str:
    return f"{len(mine & theirs):,} of the {len(mine):,} {what} of {split} also stand in {other}"
