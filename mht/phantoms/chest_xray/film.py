"""The layers of a chest film before development; findings change them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mht.phantoms.canvas import Field
from mht.phantoms.chest_xray.anatomy import Anatomy


@dataclass(slots=True)
class Film:
    """Fields on the grid, each 0 to 1 unless said otherwise.

    `u` is the distance from the midline, `reach` the chest wall (a column), `dome` the diaphragm (a row), `air`
    how much air the lung holds (about 1), `haze` and `dense` brightness added inside the lung and everywhere.
    """

    anatomy: Anatomy
    u: Field
    reach: Field
    dome: Field
    lung: Field
    cardiac: Field
    body: Field
    vessels: Field
    bones: Field
    air: Field = field(init=False)
    haze: Field = field(init=False)
    dense: Field = field(init=False)

    def __post_init__(self) -> None:
        self.air = np.ones_like(self.lung)
        self.haze = np.zeros_like(self.lung)
        self.dense = np.zeros_like(self.lung)
