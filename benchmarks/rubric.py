"""Claim: the offline judge follows a released judge's scores: Spearman >= .78, error <= 1.0 points in each state.

    python -m benchmarks.rubric --data FOLDER --save
    python -m benchmarks.rubric --data FOLDER --fit          writes the weights, too
    python -m benchmarks.rubric --data FOLDER --encoder DIR  what a sentence encoder would add (minutes)

FOLDER holds positive.jsonl and negative.jsonl of MedHallTune's validation split with the judge's replies. Rows are
scored by a forest that saw no row of their image: ten folds, in each of the seeds printed. The judge is not told the
state. Intervals of the mean are bootstrapped over images. Needs scikit-learn (`pip install -e .[bench]`).
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
from benchmarks.rubric_fit import STATES, Row, anchors, forest, released, table
from benchmarks.rubric_fit import save as save_weights
from mht.evaluation.agreement import mean_error, spearman
from mht.evaluation.judges import SCALES
from mht.evaluation.judges.rubric import WEIGHTS, Judge, Params

SEEDS = (1, 2, 3, 4, 5)
FOLDS = 10
RESAMPLES = 2_000
PLACE = ROOT / "mht" / "evaluation" / "judges" / WEIGHTS


def folds(rows: Sequence[Row], seed: int, count: int = FOLDS) -> Any:
    """int [rows]: the fold of each row; the rows of an image share theirs."""
    images = sorted({row.image for row in rows})
    np.random.default_rng(seed).shuffle(images)
    place = {image: i % count for i, image in enumerate(images)}
    return np.array([place[row.image] for row in rows])


def held_out(rows: Sequence[Row], x: Any, seed: int, count: int = FOLDS) -> Any:
    """float [rows, 4]: each row's scores by a forest that saw no row, and no anchor, of its image."""
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


def main_table(rows: Sequence[Row], told: Sequence[Any]) -> list[list[str]]:
    lines = []
    for state in STATES:
        here = [i for i, row in enumerate(rows) if row.state == state]
        for k, scale in enumerate(SCALES):
            truth = np.array([rows[i].scores[k] for i in here])
            ranks = [spearman(one[here, k], truth) or 0.0 for one in told]
            errors = [mean_error(one[here, k], truth) for one in told]
            means = [float(one[here, k].mean()) for one in told]
            low, high = interval([rows[i] for i in here], truth)
            inside = sum(low <= mean <= high for mean in means)
            lines.append([state, scale, _spread(ranks, 3), _spread(errors, 2)])
            lines[-1] += [f"{truth.mean():.2f} ({low:.2f} to {high:.2f})", _spread(means, 2)]
            lines[-1] += [f"{inside} of {len(means)}"]
    return lines


def _spread(values: Sequence[float], digits: int) -> str:
    return f"{np.mean(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _line(name: str, rows: Sequence[Row], told: Sequence[Any], width: int) -> list[str]:
    """Accuracy alone, by state."""
    cells = []
    for state in STATES:
        here = [i for i, row in enumerate(rows) if row.state == state]
        truth = [rows[i].scores[0] for i in here]
        cells.append(f"{np.mean([spearman(one[here, 0], truth) or 0.0 for one in told]):.3f}")
        cells.append(f"{np.mean([mean_error(one[here, 0], truth) for one in told]):.2f}")
    return [name, str(width), *cells]


_STAND = {"lead", "stance", "main", "graded", "pol", "denied", "found", "opposes", "keeps"}
GROUPS: dict[str, Callable[[str], bool]] = {
    "yes and no alone": lambda name: name in ("t_lead", "r_lead", "lead_product"),
    "the stands of the two alone": lambda name: not _STAND.isdisjoint(name.split("_")),
    "without the stands": lambda name: _STAND.isdisjoint(name.split("_")),
    "without terms and facts": lambda name: not name.startswith(("terms_", "facts_", "flat_")),
    "without the caption": lambda name: not name.startswith(("caption_", "added")),
    "without the question's own": lambda name: not name.startswith("q_"),
}


def ablations(
    rows: Sequence[Row], real: int, names: Sequence[str], x: Any, extra: Any | None
) -> list[list[str]]:
    """The same by less: some features, no anchors, half of the images; and by more, the encoder's features `extra`.

    `rows` are the `real` ones with the anchors behind them.
    """
    tried = []
    for title, chosen in GROUPS.items():
        tried.append((title, rows, x[:, [chosen(name) for name in names]], FOLDS))
    tried.append(("all, without anchors", rows[:real], x[:real], FOLDS))
    tried.append(("all, fitted on half of the images", rows, x, 2))
    if extra is not None:
        tried.append(("all and the encoder's", rows, np.hstack([x, extra]), FOLDS))
    lines = []
    for title, used, columns, count in tried:
        told = [held_out(used, columns, seed, count)[:real] for seed in SEEDS]
        lines.append(_line(title, rows[:real], told, columns.shape[1]))
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


def _encoded(rows: Sequence[Row], folder: Path | None) -> Any | None:
    if folder is None:
        return None
    from benchmarks.rubric_encoder import likenesses

    return likenesses([row.asked for row in rows], folder)


def main(argv: Sequence[str] | None = None) -> int:
    given = _options(argv)
    judged = released(given.data)
    rows = [*judged, *anchors(judged)]
    real = len(judged)
    names, x = table(rows)
    if given.fit:
        size = save_weights(forest(x, np.array([row.scores for row in rows])), names, x, PLACE)
        print(f"{PLACE.relative_to(ROOT)}: {size:,} bytes", flush=True)
    told = [held_out(rows, x, seed)[:real] for seed in SEEDS]
    head = ["state", "score", "Spearman", "mean error", "released mean", "mean", "within"]
    first = markdown(head, main_table(judged, told))
    head = ["features", "number", "Spearman, positive", "error", "Spearman, negative", "error"]
    lines = [_line("all", judged, told, len(names))]
    lines += ablations(rows, real, names, x, _encoded(rows, given.encoder))
    notes = [
        f"{real} rows of {len({row.image for row in judged})} images; {FOLDS} folds by image, seeds {SEEDS}.",
        "In brackets: the least and the most over the seeds; of a released mean, its 95 % interval over images.",
        f"{pace(judged):,.0f} judgements/s of one core's time; the weights have {PLACE.stat().st_size:,} bytes.",
    ]
    text = page("The offline judge beside the released one", describe(), first, notes)
    text += f"\nClinical accuracy by other features:\n\n{markdown(head, lines)}\n"
    print(text)
    if given.save:
        print(save("rubric", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
