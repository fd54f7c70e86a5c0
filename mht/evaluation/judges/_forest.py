"""A forest of regression trees in a text file that can be read: weights without a library.

A line `name<TAB>threshold` is a split: what follows is the branch for values up to the threshold, then the branch for
those above. A line `=<TAB>numbers` is a leaf. A tree ends where its root's two branches do; `#` opens a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LEAF = "="
OUTER = 0.2
"""The share of the trees that is left out at either end, of each score by itself."""


@dataclass(frozen=True, slots=True)
class Split:
    """`low` for values up to `threshold`, `high` above."""

    name: str
    threshold: float
    low: Node
    high: Node


Leaf = tuple[float, ...]
Node = Split | Leaf


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees whose leaves hold one number a target; `names` are the features that some split reads."""

    trees: tuple[Node, ...]
    names: frozenset[str]

    def predict(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """The mean of the middle of the trees' leaves. Raises KeyError for a feature that is not given."""
        leaves = [_leaf(tree, values) for tree in self.trees]
        cut = int(OUTER * len(leaves))
        middle = (sorted(column)[cut : len(leaves) - cut] for column in zip(*leaves, strict=True))
        return tuple(sum(column) / len(column) for column in middle)


def _leaf(node: Node, values: Mapping[str, float]) -> Leaf:
    while isinstance(node, Split):
        node = node.low if values[node.name] <= node.threshold else node.high
    return node


def read(text: str) -> Forest:
    """The forest of a text. Raises ValueError for one that is cut short or holds no tree."""
    lines = iter([line for line in text.splitlines() if line and line[0] != "#"])
    names: set[str] = set()
    trees = []
    for line in lines:
        trees.append(_node(line, lines, names))
    if not trees:
        raise ValueError("no tree in the text")
    return Forest(tuple(trees), frozenset(names))


def _node(line: str, rest: Iterator[str], names: set[str]) -> Node:
    name, _, value = line.partition("\t")
    if name == LEAF:
        return tuple(float(number) for number in value.split())
    names.add(name)
    try:
        return Split(name, float(value), _node(next(rest), rest, names), _node(next(rest), rest, names))
    except StopIteration:
        raise ValueError(f"the text ends below a split on {name}") from None


def write(trees: Sequence[Node], about: str) -> str:
    """The text of a forest, `about` as comments above it; `read` gives the same forest back."""
    lines = [f"# {line}" for line in about.splitlines()]
    for tree in trees:
        lines.extend(_lines(tree))
    return "\n".join(lines) + "\n"


def _lines(node: Node) -> Iterator[str]:
    if isinstance(node, Split):
        yield f"{node.name}\t{node.threshold:g}"
        yield from _lines(node.low)
        yield from _lines(node.high)
    else:
        yield f"{LEAF}\t{' '.join(f'{number:g}' for number in node)}"
