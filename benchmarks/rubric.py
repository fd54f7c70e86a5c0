"""Claim: the offline judge follows a released judge's scores: Spearman >= .78, error <= 1.0 points in each state.

    python -m benchmarks.rubric --data FOLDER --save
    python -m benchmarks.rubric --data FOLDER --fit          writes the weights, too
    python -m benchmarks.rubric --data FOLDER --encoder DIR  what a sentence encoder would add (minutes)

FOLDER holds positive.jsonl and negative.jsonl of MedHallTune's validation split with the judge's replies. Rows are
scored by a forest that saw no row of their image: ten folds, in each of the seeds printed. The judge is not told the
state. Intervals of the mean are bootstrapped over images. Needs scikit-learn and scipy (`pip install -e .[bench]`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import ROOT, describe
from benchmarks.report import markdown, page, save
from benchmarks.rubric_fit import STATES, Row, forest, released, table
from benchmarks.rubric_fit import save as save_weights
from mht.evaluation.judges import SCALES
from mht.evaluation.judges.rubric import WEIGHTS, Judge, Params

SEEDS = (1, 2, 3, 4, 5)
FOLDS = 10
RESAMPLES = 2_000
PLACE = ROOT / "mht" / "evaluation" / "judges" / WEIGHTS
Chosen = Callable[[str], bool]


def folds(rows: Sequence[Row], seed: int, count: int = FOLDS) -> Any:
    """int [rows]: the fold of each row; the rows of an image share theirs."""
    images = sorted({row.image for row in rows})
    np.random.default_rng(seed).shuffle(images)
    place = {image: i % count for i, image in enumerate(images)}
    return np.array([place[row.image] for row in rows])


def held_out(rows: Sequence[Row], x: Any, seed: int, count: int = FOLDS) -> Any:
    """float [rows, 4]: each row's scores by a forest that saw none of its image's rows."""
    y, fold = np.array([row.scores for row in rows]), folds(rows, seed, count)
    told = np.zeros_like(y)
    for i in range(count):
        told[fold == i] = forest(x[fold != i], y[fold != i], seed).predict(x[fold == i])
    return told


def interval(rows: Sequence[Row], values: Any, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean of one value a row, bootstrapped over images."""
    images = sorted({row.image for row in rows})
    at = {image: i for i, image in enumerate(images)}
    place = np.array([at[row.image] for row in rows])
    total, number = np.bincount(place, values), np.bincount(place)
    drawn = np.random.default_rng(seed).integers(len(images), size=(RESAMPLES, len(images)))
    low, high = np.percentile(total[drawn].sum(1) / number[drawn].sum(1), [2.5, 97.5])
    return float(low), float(high)


def rank(one: Any, other: Any) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(one, other)[0])


def main_table(rows: Sequence[Row], told: Sequence[Any]) -> list[list[str]]:
    lines = []
    for state in STATES:
        here = np.array([row.state == state for row in rows])
        kept = [row for row in rows if row.state == state]
        for k, scale in enumerate(SCALES):
            truth = np.array([row.scores[k] for row in kept])
            ranks = [rank(one[here, k], truth) for one in told]
            errors = [float(np.abs(one[here, k] - truth).mean()) for one in told]
            mean = float(np.mean([one[here, k].mean() for one in told]))
            low, high = interval(kept, truth)
            lines.append(
                [state, scale, f"{np.mean(ranks):.3f} ({min(ranks):.3f} to {max(ranks):.3f})"]
                + [f"{np.mean(errors):.2f} ({min(errors):.2f} to {max(errors):.2f})"]
                + [f"{truth.mean():.2f} ({low:.2f} to {high:.2f})", f"{mean:.2f}"]
                + ["yes" if low <= mean <= high else "no"]
            )
    return lines


def _line(name: str, rows: Sequence[Row], told: Sequence[Any], width: int) -> list[str]:
    """Accuracy alone, by state."""
    cells = []
    for state in STATES:
        here = np.array([row.state == state for row in rows])
        truth = np.array([row.scores[0] for row in rows if row.state == state])
        cells.append(f"{np.mean([rank(one[here, 0], truth) for one in told]):.3f}")
        cells.append(f"{np.mean([np.abs(one[here, 0] - truth).mean() for one in told]):.2f}")
    return [name, str(width), *cells]


def ablations(rows: Sequence[Row], names: Sequence[str], x: Any, extra: Any | None) -> list[list[str]]:
    """The same by less: some features, half of the rows; and by more, the encoder's features `extra`."""
    stand = ("lead", "stance", "main", "graded", "pol", "denied", "found", "opposes", "keeps")
    of_stand: Chosen = lambda name: any(part in name.split("_") for part in stand)  # noqa: E731
    groups: dict[str, Chosen] = {
        "yes and no alone": lambda name: name in ("t_lead", "r_lead", "lead_product"),
        "the stands of the two alone": of_stand,
        "without the stands": lambda name: not of_stand(name),
        "without terms and facts": lambda name: not name.startswith(("terms_", "facts_", "flat_")),
        "without the caption": lambda name: not name.startswith(("caption_", "added")),
        "without the question's own": lambda name: not name.startswith("q_"),
    }
    lines = []
    for title, chosen in groups.items():
        kept = [i for i, name in enumerate(names) if chosen(name)]
        lines.append(_line(title, rows, [held_out(rows, x[:, kept], seed) for seed in SEEDS[:2]], len(kept)))
    half = [held_out(rows, x, seed, 2) for seed in SEEDS]
    lines.append(_line("all, fitted on half of the images", rows, half, len(names)))
    if extra is not None:
        wide = np.hstack([x, extra])
        told = [held_out(rows, wide, seed) for seed in SEEDS]
        lines.append(_line("all and the encoder's", rows, told, wide.shape[1]))
    return lines


def pace(rows: Sequence[Row]) -> float:
    """Judgements a second of one core's time."""
    judge = Judge(Params())
    judge.judge([row.asked for row in rows[:5]])
    start = time.process_time()
    judge.judge([row.asked for row in rows])
    return len(rows) / (time.process_time() - start)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--encoder", type=Path, default=None)
    parser.add_argument("--save", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    given = _options(argv)
    rows = released(given.data)
    names, x = table(rows)
    if given.fit:
        size = save_weights(forest(x, np.array([row.scores for row in rows])), names, x, PLACE)
        print(f"{PLACE.relative_to(ROOT)}: {size:,} bytes")
    extra = None
    if given.encoder is not None:
        from benchmarks.rubric_encoder import likenesses

        extra = likenesses([row.asked for row in rows], given.encoder)
    told = [held_out(rows, x, seed) for seed in SEEDS]
    head = ["state", "score", "Spearman", "mean error", "released mean", "mean", "within"]
    first = markdown(head, main_table(rows, told))
    head = ["features", "number", "Spearman, positive", "error", "Spearman, negative", "error"]
    lines = [_line("all", rows, told, len(names)), *ablations(rows, names, x, extra)]
    notes = [
        f"{len(rows)} rows of {len({r.image for r in rows})} images; {FOLDS} folds by image, seeds {SEEDS}.",
        f"{pace(rows):,.0f} judgements/s of one core's time; the weights have {PLACE.stat().st_size:,} bytes.",
        "In brackets: the least and the most over the seeds; of a mean, its 95 % interval over images.",
    ]
    text = page("The offline judge beside the released one", describe(), first, notes)
    text += f"\nClinical accuracy by other features:\n\n{markdown(head, lines)}\n"
    print(text)
    if given.save:
        print(save("rubric", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
