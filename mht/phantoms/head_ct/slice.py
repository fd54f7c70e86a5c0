"""The layers of a head CT before they are joined; findings change them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mht.phantoms.canvas import Field
from mht.phantoms.head_ct.anatomy import Anatomy


@dataclass(slots=True)
class Slice:
    """Fields on the grid.

    `r` is the distance from the middle, 1 on the skin; `flat` and `moved` the signed distance from the midline
    before and after a shift, `v` the distance behind the middle (a column). `brain` is brightness; `sulci`,
    `ventricles`, `inside`, `blood`, `contrast` are shares from 0 to 1; `crack` darkens the skull, `swelling` lifts
    the scalp.
    """

    anatomy: Anatomy
    r: Field
    flat: Field
    moved: Field
    v: Field
    brain: Field
    sulci: Field
    ventricles: Field
    inside: Field
    blood: Field = field(init=False)
    blood_level: Field = field(init=False)
    crack: Field = field(init=False)
    swelling: Field = field(init=False)
    contrast: Field = field(init=False)

    def __post_init__(self) -> None:
        self.blood = np.zeros_like(self.r)
        self.blood_level = np.full_like(self.r, 0.78)
        self.crack = np.zeros((1, 1), dtype=np.float32)
        self.swelling = np.zeros((1, 1), dtype=np.float32)
        self.contrast = np.zeros((1, 1), dtype=np.float32)

    def add_blood(self, share: Field, level: float | Field | None = None) -> None:
        """Blood where there was none, as bright as fresh blood or as `level`."""
        if level is not None:
            np.copyto(self.blood_level, level, where=share > 0, casting="same_kind")
        np.maximum(self.blood, share, out=self.blood)
