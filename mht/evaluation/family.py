"""Many comparisons on one page: which of them may be called better or worse with all of them in view.

Holm, A Simple Sequentially Rejective Multiple Test Procedure (Scandinavian Journal of Statistics 6, 1979): it holds
however the figures hang together, as those of one set of replies do.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """Each p as it is among all of them, in their order: at most `a` where it holds with a chance of error of `a`
    for the whole family. None at all: nothing.
    """
    order = sorted(range(len(ps)), key=lambda at: ps[at])
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = highest
    return adjusted
