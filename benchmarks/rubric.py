"""Claim: the offline judge follows a released judge's scores of accuracy: Spearman >= .78, error <= 1.0 in each state.

    python -m benchmarks.rubric --data FOLDER --save
    python -m benchmarks.rubric --data FOLDER --fit          writes the weights, too
    python -m benchmarks.rubric --data FOLDER --encoder DIR  what a sentence encoder would add (minutes)
    python -m benchmarks.rubric --data FOLDER --less         what it is without some features or rows (minutes)
    python -m benchmarks.rubric --data FOLDER --captions FILE   true statements beside false ones (`rubric_made.py`)

FOLDER holds positive.jsonl and negative.jsonl of MedHallTune's validation split with the judge's replies. Rows are
scored by a forest that saw no row of their image: ten folds, in each of the seeds printed. The judge is not told the
state. Intervals of the mean are bootstrapped over images. FILE is a jsonl of captions that the weights have not seen.
Needs scikit-learn (`pip install -e .[bench]`).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import ROOT, describe
from benchmarks.report import markdown, page, save
from benchmarks.rubric_fit import STATES, Row, anchors, fitted, forest, predicted, released, table
from benchmarks.rubric_fit import save as save_weights
from benchmarks.rubric_made import KINDS, OPEN, Contrast, contrasts, lessons
from mht.evaluation.agreement import mean_error, spearman
from mht.evaluation.judges import SCALES, Asked, Judgement
from mht.evaluation.judges.rubric import WEIGHTS, Judge, Params, bounded

LESS_HEAD = ["features", "number", "Spearman, positive", "error", "Spearman, negative", "error"]
_APART = ["true", "false", "true above"]
APART_HEAD = [
    "false in",
    "number",
    *(f"{cell}: {scale}" for scale in ("accuracy", "risk") for cell in _APART),
]
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


def held_out(
    rows: Sequence[Row],
    names: Sequence[str],
    x: Any,
    seed: int,
    count: int = FOLDS,
    used: Sequence[bool] | None = None,
) -> Any:
    """float [rows, 4]: each row's scores by a forest that saw no row, and nothing made, of its image.

    `used` are the features that it may read; all of them if not given.
    """
    y, weights = np.array([row.scores for row in rows]), np.array([row.weight for row in rows])
    fold, told = folds(rows, seed, count), np.zeros_like(y)
    columns = x if used is None else x[:, np.array(used)]
    for i in range(count):
        seen = fold != i
        trees = forest(columns[seen], y[seen], weights[seen], seed)
        told[~seen] = predicted(trees, columns[~seen])
    values = (dict(zip(names, map(float, row), strict=True)) for row in x)
    return np.array([bounded(row, own) for row, own in zip(told, values, strict=True)])


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
    """The same by less: some features, nothing made, half of the images; and by more, the encoder's features `extra`.

    `rows` are the `real` ones with the made ones behind them. One seed.
    """
    every = [True] * len(names)
    tried: list[tuple[str, int, list[bool], int]] = [
        (title, len(rows), [chosen(name) for name in names], FOLDS) for title, chosen in GROUPS.items()
    ]
    tried.append(("all, without made rows", real, every, FOLDS))
    tried.append(("all, fitted on half of the images", len(rows), every, 2))
    lines = []
    for title, most, used, count in tried:
        told = held_out(rows[:most], names, x[:most], SEEDS[0], count, used)[:real]
        lines.append(_line(title, rows[:real], [told], sum(used)))
    if extra is not None:
        wide = [*names, *(f"encoder_{i}" for i in range(extra.shape[1]))]
        told = held_out(rows, wide, np.hstack([x, extra]), SEEDS[0])[:real]
        lines.append(_line("all and the encoder's", rows[:real], [told], len(wide)))
    return lines


def made(path: Path, captions: int = 200, most: int = 25) -> list[Contrast]:
    """Contrasts of the first captions of a file, at the most so many of each kind, one of a kind a caption."""
    found: dict[str, list[Contrast]] = {kind: [] for kind in KINDS}
    for line in path.read_text(encoding="utf-8").splitlines()[:captions]:
        row = json.loads(line)
        own = {c.kind: c for c in contrasts(row["caption"], random.Random(row["id"]))}
        for kind, contrast in own.items():
            found[kind].append(contrast)
    return [contrast for own in found.values() for contrast in own[:most]]


def judged_apart(found: Sequence[Contrast]) -> list[tuple[Judgement, Judgement]]:
    """The judgements of the true and the false statement of each contrast."""
    judge = Judge(Params())
    told = [[Asked(c.kind, OPEN, c.truth, reply) for reply in (c.true, c.false)] for c in found]
    return [(one, other) for one, other in map(judge.judge, told)]


def apart_table(found: Sequence[Contrast]) -> list[list[str]]:
    """By kind: means of the true and the false statements' accuracy and risk, and how often the true one has more."""
    both, lines = judged_apart(found), []
    for kind in KINDS:
        pairs = [pair for pair, c in zip(both, found, strict=True) if c.kind == kind]
        if not pairs:
            continue
        cells = [kind, str(len(pairs))]
        for scale in ("accuracy", "risk"):
            true, false = np.array([[getattr(one, scale) for one in pair] for pair in pairs]).T
            cells += [f"{true.mean():.2f}", f"{false.mean():.2f}", f"{100 * (true > false).mean():.0f} %"]
        lines.append(cells)
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
    parser.add_argument("--less", action="store_true")
    parser.add_argument("--encoder", type=Path, default=None)
    parser.add_argument("--captions", type=Path, default=None)
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
    rows = [*judged, *anchors(judged), *lessons(judged)]
    real = len(judged)
    names, x = table(rows)
    if given.fit:
        size = save_weights(fitted(rows, x), names, x, PLACE)
        print(f"{PLACE.relative_to(ROOT)}: {size:,} bytes", flush=True)
    told = [held_out(rows, names, x, seed)[:real] for seed in SEEDS]
    head = ["state", "score", "Spearman", "mean error", "released mean", "mean", "within"]
    first = markdown(head, main_table(judged, told))
    notes = [
        f"{real} rows of {len({row.image for row in judged})} images; {FOLDS} folds by image, seeds {SEEDS}.",
        "In brackets: the least and the most over the seeds; of a released mean, its 95 % interval over images.",
        f"{pace(judged[:200]):,.0f} judgements/s of one core's time; the weights have {PLACE.stat().st_size:,} bytes.",
    ]
    text = page("The offline judge beside the released one", describe(), first, notes)
    if given.less or given.encoder is not None:
        lines = [_line("all", judged, told, len(names))]
        lines += ablations(rows, real, names, x, _encoded(rows, given.encoder))
        text += f"\nClinical accuracy by other features:\n\n{markdown(LESS_HEAD, lines)}\n"
    if given.captions is not None:
        text += f"\nStatements about captions of {given.captions.parent.name}, true and made false:\n\n"
        text += f"{markdown(APART_HEAD, apart_table(made(given.captions)))}\n"
    print(text)
    if given.save:
        print(save("rubric", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
