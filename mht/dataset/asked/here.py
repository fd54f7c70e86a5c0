"""A run's models asked in this process, without a dataset: for a preview and for a plan's probe."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from types import TracebackType
from typing import Any

from mht.config import BuildConfig
from mht.dataset.asked.ask import Generate
from mht.dataset.asked.jobs import open_engine
from mht.dataset.asked.stages import Plugin, plugin
from mht.dataset.asked.texts import captions_from, describe
from mht.dataset.asked.verdicts import Case, judge, sift
from mht.dataset.asked.wordings import reword, word
from mht.imaging.guard import Decoded
from mht.pairing.context import Judge
from mht.records import Pair, PlannedImage, Reading, Refusal, RefusedPair


class Asking:
    """The captioner, the writer and the verifier of a configuration; None for those that ask no model.

    An engine is opened when it is first asked, and closed at the end of the block.
    """

    def __init__(self, config: BuildConfig) -> None:
        self._config = config
        self._resolved = config.resolved()
        self._engines: dict[str, Any] = {}
        self._stack = ExitStack()
        self.captioner, self.writer, self.verifier = (
            plugin(self._resolved, section) if config.engine_of(section) is not None else None
            for section in ("captioner", "writer", "verifier")
        )

    def __enter__(self) -> Asking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def describe(
        self, rows: Sequence[PlannedImage], raw: Sequence[str | Refusal | None], images: Sequence[Decoded]
    ) -> list[str | Refusal]:
        """What the captioner's model says of the images."""
        captioner = _chosen(self.captioner)
        texts = describe(rows, raw, images, captioner, self._config.seed, self._asks("captioner"))
        return captions_from([asdict(text) for text in texts])

    def settle(
        self, pairs: Sequence[Pair], reading: Reading, image: bytes, checks: Sequence[tuple[str, Judge]]
    ) -> tuple[Sequence[Pair], list[RefusedPair]]:
        """An image's pairs in their final words, and those that the writer or the verifier refused."""
        refused: list[RefusedPair] = []
        seed = self._config.seed
        if self.writer is not None:
            kept = word([(reading, pairs)], self.writer, seed, self._asks("writer"))
            pairs, refused = reword(
                pairs, reading, {row.twin_id: asdict(row) for row in kept}, self.writer, checks
            )
        if self.verifier is not None:
            cases = [Case(pair, reading.caption, image) for pair in pairs]
            judged: dict[str, list[dict[str, Any]]] = {}
            for row in judge(cases, self.verifier, seed, self._asks("verifier")):
                judged.setdefault(row.pair_id, []).append(asdict(row))
            pairs, more = sift(pairs, judged)
            refused += more
        return pairs, refused

    def _asks(self, section: str) -> Generate:
        name = self._config.engine_of(section)
        assert name is not None
        if name not in self._engines:
            self._engines[name] = open_engine(self._resolved, name)
            self._stack.callback(self._engines[name].close)
        generate: Generate = self._engines[name].generate
        return generate


def _chosen(plugin: Plugin | None) -> Plugin:
    if plugin is None:
        raise ValueError("no model is asked here")
    return plugin
