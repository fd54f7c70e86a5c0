"""A dataset of our own by its manifest: one example an image, one exchange a pair.

A pair that is learnt k times in an epoch is one exchange of weight k: the same gradient for the tokens of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from mht.errors import InputError
from mht.model.examples import Example, Exchange, Turn
from mht.reading import Dataset, Selection, split_of
from mht.storage import Storage
from mht.training.sampling import SamplingParams, Weights, expected, times
from mht.training.shards import HeldOut, Shard, place, spread

_KINDS = ["state", "type", "form", "risk"]


class Params(Selection):
    """Where the dataset is and which of its pairs are learnt; state=faithful alone is the control."""

    path: str = Field(min_length=1)
    split: tuple[str, ...] | None = ("train",)
    sampling: SamplingParams = SamplingParams()


class Source:
    """Lists and reads the images of the chosen splits that have a chosen pair."""

    def __init__(self, params: Params, storage: Storage) -> None:
        self._params = params
        self._storage = storage

    @property
    def digest(self) -> str:
        """The dataset's: what was chosen of it is no part of it."""
        return self._dataset.digest

    @property
    def left_out(self) -> str:
        """Nothing: a dataset holds what was checked when it was built."""
        return ""

    def shards(self) -> list[Shard]:
        """The shards with a pair that may be learnt. Reads the pairs' columns, and no image.

        Raises ConfigError for a split, state, type or form that the dataset does not have, InputError when no pair
        is left.
        """
        self._dataset.check(self._params)
        weights = self._params.sampling.weights
        listed = (self._listed(shard, self._params, weights) for shard in self._dataset.names(self._params))
        found = [shard for shard in listed if shard.example_ids]
        if not found:
            raise InputError(
                f"{self._params.path!r}: no pair is chosen. Choose fewer states, types and forms away, or give "
                "what is chosen a weight above 0."
            )
        return found

    def read(self, shard: str, example_ids: Sequence[str], epoch: int | None) -> list[Example]:
        """Reads the shard's two files, each once: ask for all that is needed of a shard together."""
        if shard not in self._dataset.names(self._params):
            raise InputError(f"{self._params.path!r}: no shard {shard!r} of split {self._params.split}.")
        sampling = self._params.sampling
        exchanges: dict[str, list[Exchange]] = {image_id: [] for image_id in example_ids}
        for pair in self._dataset.pairs_of(shard, self._params):
            found = exchanges.get(pair["image_id"])
            if found is not None and (count := times(pair, sampling, epoch)):
                found.append(_exchange(pair, float(count)))
        images = self._dataset.images(shard, set(exchanges))
        return [
            Example(image_id, images[image_id]["image"]["bytes"], tuple(exchanges[image_id]))
            for image_id in example_ids
        ]

    def held_out(self, n: int, split: str) -> list[HeldOut]:
        """Whole twins of every state, type and form, whatever is chosen to be trained on."""
        everything = Selection(split=(split,))
        self._dataset.check(everything)
        shards = [self._listed(shard, everything, Weights()) for shard in self._dataset.names(everything)]
        chosen = spread(shards, n)
        found = {image_id: rows for shard, ids in chosen.items() for image_id, rows in self._rows(shard, ids)}
        kept: list[HeldOut] = []
        for image_id in sorted(found, key=place):
            for twins in found[image_id]:
                if len(kept) + len(twins) > n:
                    return kept
                kept += twins
        return kept

    @cached_property
    def _dataset(self) -> Dataset:
        return Dataset(self._storage, self._params.path)

    def _listed(self, shard: str, selection: Selection, weights: Weights) -> Shard:
        """The shard's images with a pair that may be learnt, in the dataset's order."""
        table = self._dataset.columns(shard, ["image_id", *_KINDS])
        kinds, kind_of = _distinct(table)
        shares = np.array(
            [expected(weights.of(k["state"], k["type"], k["risk"])) * selection.takes(k) for k in kinds]
        )
        image_of, image_ids = _encoded(table, "image_id")
        counts = np.bincount(image_of, shares[kind_of], len(image_ids)).tolist()
        listed = [found for found in zip(image_ids, counts, strict=True) if found[1] > 0]
        return Shard(shard, split_of(shard), tuple(i for i, _ in listed), tuple(c for _, c in listed))

    def _rows(self, shard: str, image_ids: set[str]) -> Iterator[tuple[str, list[list[HeldOut]]]]:
        """(image, its rows twin by twin)."""
        images = self._dataset.images(shard, image_ids)
        twins: dict[str, dict[str, list[HeldOut]]] = {image_id: {} for image_id in image_ids}
        for pair in self._dataset.pairs_of(shard, Selection()):
            if pair["image_id"] in twins:
                row = _held_out(pair, images[pair["image_id"]]["image"]["bytes"])
                twins[pair["image_id"]].setdefault(pair["twin_id"], []).append(row)
        yield from ((image_id, list(found.values())) for image_id, found in twins.items())


def _encoded(table: pa.Table, column: str) -> tuple[NDArray[np.int64], list[str]]:
    """(the number of each row's value, the values in the order they first come)."""
    encoded = table.column(column).combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _distinct(table: pa.Table) -> tuple[list[dict[str, Any]], NDArray[np.int64]]:
    """(the kinds of pairs that there are, the number of each row's kind): a few, in however many rows."""
    codes = np.zeros(table.num_rows, np.int64)
    for column in _KINDS:
        of_column, values = _encoded(table, column)
        codes = codes * len(values) + of_column
    _, first, kind_of = np.unique(codes, return_index=True, return_inverse=True)
    return table.select(_KINDS).take(first).to_pylist(), kind_of


def _exchange(pair: dict[str, Any], weight: float) -> Exchange:
    """A wrong answer that is missing, or the right one, is none."""
    rejected = pair.get("rejected")
    return Exchange(
        exchange_id=pair["pair_id"],
        turns=(Turn(pair["question"], pair["answer"]),),
        rejected=rejected if rejected and rejected != pair["answer"] else None,
        weight=weight,
    )


def _held_out(pair: dict[str, Any], image: bytes) -> HeldOut:
    return HeldOut(
        pair["image_id"],
        image,
        _exchange(pair, 1.0),
        state=pair["state"],
        type=pair["type"],
        form=pair["form"],
        risk=pair["risk"],
        polarity=pair["polarity"],
        premise=pair["premise"],
        twin_id=pair["twin_id"],
    )
