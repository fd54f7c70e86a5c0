"""The fit of the offline judge: rows with released scores to a forest that `mht/evaluation/judges/_forest.py` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mht.evaluation.judges import Asked
from mht.evaluation.judges._features import features
from mht.evaluation.judges._forest import Forest, Node, Split, write

STATES = ("positive", "negative")
TREES, LEAF_ROWS, FEATURE_SHARE = 40, 5, 0.5
_SCORES = re.compile(r"\s*(\d+(?:\.\d+)?)[ ,]+(\d+(?:\.\d+)?)[ ,]+(\d+(?:\.\d+)?)[ ,]+(\d+(?:\.\d+)?)(?![\d.])")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the release with the scores that its judge gave; `state` is positive or negative."""

    asked: Asked
    image: str
    state: str
    scores: tuple[float, ...]


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


def table(rows: Sequence[Row]) -> tuple[list[str], Any]:
    """The names of the features, and float32 [rows, features]."""
    told = [features(r.asked.question, r.asked.truth, r.asked.reply, r.asked.caption) for r in rows]
    names = sorted(told[0])
    return names, np.array([[one[name] for name in names] for one in told], dtype=np.float32)


def forest(x: Any, y: Any, seed: int = 0, trees: int = TREES) -> Any:
    """scikit-learn's extremely randomised trees, all four scores in one leaf, thresholds and leaves rounded."""
    from sklearn.ensemble import ExtraTreesRegressor

    fitted = ExtraTreesRegressor(
        trees, min_samples_leaf=LEAF_ROWS, max_features=FEATURE_SHARE, random_state=seed
    ).fit(x, y)
    for one in fitted.estimators_:
        one.tree_.threshold[:] = [float(f"{value:.4g}") for value in one.tree_.threshold]
        one.tree_.value[:] = np.round(one.tree_.value, 2)
    return fitted


def readable(fitted: Any, names: Sequence[str]) -> Forest:
    """The same forest as our own."""
    trees = tuple(_node(one.tree_, 0, names) for one in fitted.estimators_)
    return Forest(trees, frozenset(names))


def _node(tree: Any, at: int, names: Sequence[str]) -> Node:
    if tree.children_left[at] < 0:
        return tuple(float(value) for value in tree.value[at, :, 0])
    low, high = (_node(tree, side[at], names) for side in (tree.children_left, tree.children_right))
    return Split(names[tree.feature[at]], float(tree.threshold[at]), low, high)


def save(fitted: Any, names: Sequence[str], path: Path, about: str) -> None:
    path.write_text(write(readable(fitted, names).trees, about), encoding="utf-8")
