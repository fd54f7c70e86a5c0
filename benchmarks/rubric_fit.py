"""The fit of the offline judge: rows with released scores to a forest that `mht/evaluation/judges/_forest.py` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mht.evaluation.judges import Asked
from mht.evaluation.judges._features import features
from mht.evaluation.judges._forest import OUTER, Forest, Node, Split, read, write

STATES = ("positive", "negative")
TREES, LEAF_ROWS, FEATURE_SHARE = 100, 6, 0.5
ANCHOR_EVERY = 40
OFF_TOPIC, VERBATIM = (1.0, 1.0, 2.0, 2.0), (10.0, 10.0, 8.0, 10.0)
SAME = 1e-9
ABOUT = f"""Weights of the offline judge, fitted by `python -m benchmarks.rubric --fit`: {TREES} trees.
A line `name number` is a split: the branch for values up to the number follows, then the branch for those above.
A line `= numbers` is a leaf: clinical accuracy, clinical relevance, level of detail, risk (10 is the safest)."""
_SCORES = re.compile(
    r"\s*(\d+(?:\.\d+)?)[ ,]+(\d+(?:\.\d+)?)[ ,]+(\d+(?:\.\d+)?)[ ,]+(\d+(?:\.\d+)?)(?![\d.])"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the release with the scores that its judge gave; `state` is positive or negative."""

    asked: Asked
    image: str
    state: str
    scores: tuple[float, ...]
    weight: float = 1.0


def released(folder: Path) -> list[Row]:
    """The rows of positive.jsonl and negative.jsonl. Raises ValueError for a reply without four scores."""
    rows = []
    for state in STATES:
        for line in (folder / f"{state}.jsonl").read_text(encoding="utf-8").splitlines():
            raw = json.loads(line)
            row_id = f"{state}/{raw['question_id']}"
            found = _SCORES.match(raw["result"])
            if found is None:
                raise ValueError(f"row {row_id}: the judge's reply does not open with four scores")
            asked = Asked(
                row_id,
                raw["text"].replace("\n<image>", ""),
                raw["gpt4_answer"],
                raw["answer"],
                raw["fig_caption"],
            )
            rows.append(Row(asked, raw["image"], state, tuple(map(float, found.groups()))))
    return rows


def anchors(rows: Sequence[Row], seed: int = 0) -> list[Row]:
    """Replies that no judge was asked about and whose scores are plain, one in forty of the rows of each kind: the
    reply to a question on another image (the least), and the reference itself (the most). Without them a forest that
    has seen one model's replies alone gives a reply about something else five points.
    """
    rng = np.random.default_rng(seed)
    made = []
    for i in rng.choice(len(rows), len(rows) // ANCHOR_EVERY, replace=False):
        row = rows[i]
        strangers = [other for other in rows if other.image != row.image]
        reply = strangers[rng.integers(len(strangers))].asked.reply
        made.append(replace(row, asked=replace(row.asked, reply=reply), scores=OFF_TOPIC))
    for i in rng.choice(len(rows), len(rows) // ANCHOR_EVERY, replace=False):
        made.append(
            replace(rows[i], asked=replace(rows[i].asked, reply=rows[i].asked.truth), scores=VERBATIM)
        )
    return made


def table(rows: Sequence[Row]) -> tuple[list[str], Any]:
    """The names of the features, and float32 [rows, features]."""
    told = [features(r.asked.question, r.asked.truth, r.asked.reply, r.asked.caption) for r in rows]
    names = sorted(told[0])
    return names, np.array([[one[name] for name in names] for one in told], dtype=np.float32)


def forest(x: Any, y: Any, weights: Any, seed: int = 0) -> Any:
    """scikit-learn's extremely randomised trees, all four scores in one leaf.

    A leaf holds the medians of its rows, nearer to most of them than the means are; thresholds have four digits.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    trees = ExtraTreesRegressor(
        TREES, min_samples_leaf=LEAF_ROWS, max_features=FEATURE_SHARE, random_state=seed
    ).fit(x, y, weights)
    for one in trees.estimators_:
        tree, leaves = one.tree_, one.apply(x)
        for k in range(y.shape[1]):
            places, medians = _medians(leaves, y[:, k], weights)
            tree.value[places, k, 0] = medians
        tree.threshold[:] = [float(f"{value:.4g}") for value in tree.threshold]
    return trees


def fitted(rows: Sequence[Row], x: Any) -> Any:
    """The forest of all rows."""
    return forest(x, np.array([row.scores for row in rows]), np.array([row.weight for row in rows]))


def predicted(trees: Any, x: Any) -> Any:
    """float [rows, 4]: what `mht.evaluation.judges._forest` makes of the trees' leaves."""
    told = [one.tree_.value[one.apply(x), :, 0] for one in trees.estimators_]
    cut = int(OUTER * len(told))
    return np.sort(told, axis=0)[cut : len(told) - cut].mean(axis=0)


def _medians(leaves: Any, y: Any, weights: Any) -> tuple[Any, Any]:
    """Each leaf and the weighted median of its rows, the mean of the two values between which half of them lies."""
    order = np.lexsort((y, leaves))
    places, first = np.unique(leaves[order], return_index=True)
    before = np.concatenate([[0.0], np.cumsum(weights[order])])
    edges = np.append(first, len(order))
    half = (before[edges[:-1]] + before[edges[1:]]) / 2
    low = np.searchsorted(before, half - SAME) - 1
    high = np.searchsorted(before, half + SAME) - 1
    values = y[order]
    return places, (values[low] + values[high]) / 2


def readable(trees: Any, names: Sequence[str]) -> Forest:
    """The same forest as our own."""
    own = tuple(_node(one.tree_, 0, names) for one in trees.estimators_)
    return Forest(own, frozenset(names))


def _node(tree: Any, at: int, names: Sequence[str]) -> Node:
    if tree.children_left[at] < 0:
        return tuple(float(value) for value in tree.value[at, :, 0])
    low, high = (_node(tree, side[at], names) for side in (tree.children_left, tree.children_right))
    return Split(names[tree.feature[at]], float(tree.threshold[at]), low, high)


def save(trees: Any, names: Sequence[str], x: Any, path: Path) -> int:
    """Write the weights and read them back: bytes. Raises ValueError where they predict otherwise than scikit-learn."""
    text = write(readable(trees, names).trees, ABOUT)
    ours = read(text)
    told = [ours.predict(dict(zip(names, map(float, row), strict=True))) for row in x]
    gap = float(np.abs(np.array(told) - predicted(trees, x)).max())
    if gap > SAME:
        raise ValueError(
            f"the weights as written predict otherwise than scikit-learn's trees, by {gap:g} points"
        )
    path.write_text(text, encoding="utf-8")
    return len(text.encode())
