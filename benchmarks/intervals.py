"""Do 95 % intervals hold what they aim at in 95 of 100 benchmarks? Simulated, with rows that come in images.

Each image draws a chance of its own from a beta distribution of the given mean and the given likeness of its rows (the
intraclass correlation), then a number of rows, and each row is an error or none. The mean over all images is known, so
an interval either holds it or not. Rows drawn as if they were independent stand beside it: what not to do.

    python -m benchmarks.intervals [--benchmarks 1000] [--save]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.machine import describe
from benchmarks.report import markdown, page, save
from mht.evaluation.intervals import IntervalParams, difference, with_interval
from mht.evaluation.metrics import pope
from mht.predictions import Measured, Unit, ratio

DRAWS = 1000
GOAL = (0.93, 0.97)


@dataclass(frozen=True, slots=True)
class Setting:
    """A kind of benchmark: images, rows of each from `fewest` to `most`, the true rate, and the rows' likeness."""

    images: int
    fewest: int
    most: int
    rate: float
    likeness: float


SETTINGS = (
    Setting(100, 10, 10, 0.35, 0.2),
    Setting(100, 1, 20, 0.35, 0.2),
    Setting(100, 1, 20, 0.1, 0.3),
    Setting(200, 1, 10, 0.05, 0.2),
    Setting(50, 5, 15, 0.35, 0.3),
    Setting(300, 1, 6, 0.5, 0.5),
)


def rates(setting: Setting, rng: np.random.Generator) -> np.ndarray:
    """The chance of an error of each image."""
    size = (1 - setting.likeness) / setting.likeness
    return rng.beta(setting.rate * size, (1 - setting.rate) * size, setting.images)


def drawn(setting: Setting, rng: np.random.Generator) -> list[list[float]]:
    """The rows of each image: 1 for an error."""
    sizes = rng.integers(setting.fewest, setting.most + 1, setting.images)
    return [list(map(float, rng.random(n) < p)) for n, p in zip(sizes, rates(setting, rng), strict=True)]


def as_share(images: Sequence[Sequence[float]], by_row: bool = False) -> Measured:
    """The images' rows as a metric's units; `by_row`: as if each row were an image of its own."""
    units = tuple(
        Unit(f"{i}-{k}", f"{i}-{k}" if by_row else str(i), (row, 1.0))
        for i, image in enumerate(images)
        for k, row in enumerate(image)
    )
    return Measured("share", units, ratio(0, 1))


def held(
    setting: Setting, benchmarks: int, params: IntervalParams, seed: int, by_row: bool = False
) -> tuple[float, float]:
    """How often the interval of the share holds the true rate, and its mean half width."""
    rng = np.random.default_rng(seed)
    inside, width = 0, 0.0
    for k in range(benchmarks):
        found = with_interval(as_share(drawn(setting, rng), by_row), replace_seed(params, k))
        inside += found.low is not None and found.low <= setting.rate <= (found.high or 0)
        width += ((found.high or 0) - (found.low or 0)) / 2
    return inside / benchmarks, width / benchmarks


def replace_seed(params: IntervalParams, seed: int) -> IntervalParams:
    return params.model_copy(update={"seed": seed})


def held_f1(setting: Setting, benchmarks: int, params: IntervalParams, seed: int) -> float:
    """The same of a ratio that is no share: F1 of replies wrong at the setting's rate, half of them due yes."""
    rng = np.random.default_rng(seed)
    wrong, right = setting.rate / 2, (1 - setting.rate) / 2
    true, inside = 2 * right / (2 * right + 2 * wrong), 0
    for k in range(benchmarks):
        images = drawn(setting, rng)
        units = tuple(
            Unit(f"{i}-{j}", str(i), _table(bool(rng.integers(2)), bool(error)))
            for i, image in enumerate(images)
            for j, error in enumerate(image)
        )
        found = with_interval(replace(as_share([]), units=units, of=pope.f1), replace_seed(params, k))
        inside += found.low is not None and found.low <= true <= (found.high or 0)
    return inside / benchmarks


def _table(due: bool, error: bool) -> tuple[float, ...]:
    said = due != error
    return float(due and said), float(not due and said), float(not due and not said), float(due and not said)


def held_difference(
    setting: Setting, benchmarks: int, params: IntervalParams, seed: int
) -> tuple[float, float]:
    """Two runs of one rate on the same images: how often the interval holds 0, and how often p is 0.05 or less."""
    rng = np.random.default_rng(seed)
    inside, significant = 0, 0
    for k in range(benchmarks):
        sizes = rng.integers(setting.fewest, setting.most + 1, setting.images)
        chance = rates(setting, rng)
        one, other = (
            [list(map(float, rng.random(n) < p)) for n, p in zip(sizes, chance, strict=True)]
            for _ in range(2)
        )
        found = difference(as_share(one), as_share(other), replace_seed(params, k))
        inside += found.low is not None and found.low <= 0 <= (found.high or 0)
        significant += found.p is not None and found.p <= 0.05
    return inside / benchmarks, significant / benchmarks


def line(number: int, benchmarks: int) -> list[str]:
    """The row of the table for one setting."""
    setting = SETTINGS[number]
    methods = {name: IntervalParams(method=name, draws=DRAWS) for name in ("percentile", "bca")}
    shares = {name: held(setting, benchmarks, params, number) for name, params in methods.items()}
    f1 = {name: held_f1(setting, benchmarks, params, number) for name, params in methods.items()}
    paired = held_difference(setting, benchmarks, methods["percentile"], number)
    by_row, _ = held(setting, benchmarks // 5, methods["percentile"], number, by_row=True)
    return [
        str(setting.images),
        f"{setting.fewest}-{setting.most}",
        f"{setting.rate:.2f}",
        f"{setting.likeness:.1f}",
        *(f"{covered:.1%}" for covered, _ in shares.values()),
        f"{shares['bca'][1]:.3f}",
        *(f"{covered:.1%}" for covered in f1.values()),
        f"{paired[0]:.1%}",
        f"{paired[1]:.1%}",
        f"{by_row:.1%}",
    ]


HEAD = (
    "images", "rows each", "rate", "likeness", "share: percentile", "share: BCa", "half width",
    "F1: percentile", "F1: BCa", "difference of equals", "p <= 0.05", "rows drawn alone",
)  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intervals", description=__doc__)
    parser.add_argument("--benchmarks", type=int, default=1000)
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    given = parser.parse_args(words)
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(line, range(len(SETTINGS)), [given.benchmarks] * len(SETTINGS)))
    table = markdown(HEAD, found)
    notes = [
        f"goal: {GOAL[0]:.0%} to {GOAL[1]:.0%}; {given.benchmarks} benchmarks a line, {DRAWS} draws each",
        "rows drawn alone: a fifth of the benchmarks",
    ]
    text = page("Coverage of 95 % intervals", describe(), table, notes)
    print("\n" + text)
    if given.save:
        print(f"kept in {save('intervals', text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
