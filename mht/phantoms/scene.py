"""What a phantom shows, exactly: the scene graph from which the picture and the caption are both made."""

from __future__ import annotations

import importlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from mht.errors import ConfigError
from mht.seeds import row_rng

KINDS = ("chest_xray", "head_ct", "blood_smear", "fundus")

# Raised whenever the same index and seed would give another picture or another caption.
VERSION = "2"

REFERENCE_PX = 512

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Entity:
    """One finding that is there.

    `side` is the patient's (left, right, bilateral); a chest film and an axial CT show the patient's left on the
    image's right. `severity` is the graded word. `size_mm` is the longest extent, of each where there are several.
    `box` is x0, y0, x1, y1 in pixels of a frame of 512 x 512 (`scaled_box` for another), None for what is
    everywhere. `attributes` are terms of `knowledge/attributes.tsv` (margin, density, colour, change …), at most one
    a scale; the number is `count`.
    """

    finding: str
    side: str | None = None
    site: str | None = None
    severity: str | None = None
    size_mm: float | None = None
    count: int | None = None
    box: Box | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture before it is drawn: what is there, and what a caption may truthfully deny.

    `attributes` are terms of the image itself: plane, projection, contrast.
    """

    kind: str
    modality: str
    view: str | None
    present: tuple[Entity, ...]
    absent: tuple[str, ...]
    index: int
    seed: int
    attributes: tuple[str, ...] = ()

    def rng(self, aspect: str) -> random.Random:
        """The generator of one aspect (the anatomy, one entity): taking an entity out leaves the rest as it is."""
        return aspect_rng(self.kind, self.index, self.seed, aspect)

    def entity_rng(self, entity: Entity) -> random.Random:
        """The generator of an entity's particulars; a scene holds a finding once a side and site."""
        return self.rng(f"{entity.finding}/{entity.side}/{entity.site}")


def aspect_rng(kind: str, index: int, seed: int, aspect: str) -> random.Random:
    """The generator of one aspect of phantom number `index`."""
    return row_rng(seed, f"phantoms.{aspect}", f"{kind}/{index}")


def kind_module(kind: str, part: str) -> ModuleType:
    """The `content`, `drawing` or `wording` module of a kind. Raises ConfigError for an unknown kind."""
    if kind not in KINDS:
        raise ConfigError(f"no phantom kind is called {kind!r}. There are: {', '.join(KINDS)}.")
    return importlib.import_module(f"mht.phantoms.{kind}.{part}")


def draw_scene(kind: str, index: int, seed: int) -> Scene:
    """The scene of phantom number `index`: the same arguments always give the same scene."""
    scene: Scene = kind_module(kind, "content").compose(index, seed)
    return scene


def findings(kind: str) -> tuple[str, ...]:
    """Every finding that a phantom of this kind can have."""
    names: tuple[str, ...] = kind_module(kind, "content").FINDINGS
    return names


def scaled_box(box: Box, side_px: int) -> Box:
    """A box of the 512-pixel frame in pixels of a square of `side_px`."""
    x0, y0, x1, y1 = (round(edge * side_px / REFERENCE_PX) for edge in box)
    return x0, y0, x1, y1


def unit_box(x0: float, y0: float, x1: float, y1: float) -> Box:
    """Edges as fractions of the frame, to whole pixels of it that contain them, cut to the frame."""
    low = (max(0, int(edge * REFERENCE_PX)) for edge in (x0, y0))
    high = (min(REFERENCE_PX, int(edge * REFERENCE_PX) + 1) for edge in (x1, y1))
    left, top = low
    right, bottom = high
    return left, top, right, bottom


def pick_weighted(rng: random.Random, weights: dict[str, float]) -> str:
    """One key, as often as its weight says."""
    return rng.choices(tuple(weights), weights=tuple(weights.values()))[0]


CHANGES = ("increased", "unchanged", "decreased")
# Of the scenes that hold something to follow, those with an earlier study: about one scene in four.
FOLLOWED = 0.36


def followed(
    present: Sequence[Entity], courses: Mapping[str, tuple[str, ...]], rng: random.Random
) -> tuple[Entity, ...]:
    """The entities, one of them perhaps with what became of it since an earlier study.

    `courses` gives the changes that a finding can show; what is counted needs more than one of it.
    """
    able = [e for e in present if e.finding in courses and (e.count != 1 or e.size_mm is not None)]
    if not able or rng.random() >= FOLLOWED:
        return tuple(present)
    chosen = rng.choice(able)
    changed = replace(chosen, attributes=(*chosen.attributes, rng.choice(courses[chosen.finding])))
    return tuple(changed if entity is chosen else entity for entity in present)
