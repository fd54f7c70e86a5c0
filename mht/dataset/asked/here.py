"""A run's models asked in this process, without a dataset: for a preview and for a plan's probe."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from types import TracebackType
from typing import Any

from mht.config import BuildConfig
from mht.dataset.asked.ask import Generate
from mht.dataset.asked.jobs import open_engine
from mht.dataset.asked.kept import Spent
from mht.dataset.asked.stages import Plugin, plugin
from mht.dataset.asked.texts import captions_from, describe
from mht.dataset.asked.verdicts import Case, judge, sift
from mht.dataset.asked.wordings import reword, word
from mht.generation import Reply, Request
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
        self._wordings: dict[str, dict[str, Any]] = {}
        self.clocks: dict[str, tuple[float, Spent]] = {}
        """For each section that asked: the seconds that it waited for its model, and what that cost."""
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
        self, made: Sequence[tuple[Reading, bytes, Sequence[Pair]]], checks: Sequence[tuple[str, Judge]]
    ) -> list[tuple[Sequence[Pair], list[RefusedPair]]]:
        """For each reading, image and its pairs: those that stay, in their final words, and those that are refused."""
        worded = [self._reworded(reading, pairs, checks) for reading, pairs in self._words(made)]
        judged = self._verdicts(
            [
                Case(pair, reading.caption, image)
                for (reading, image, _), (pairs, _) in zip(made, worded, strict=True)
                for pair in pairs
            ]
        )
        settled = []
        for pairs, refused in worded:
            stay, more = (pairs, []) if self.verifier is None else sift(pairs, judged)
            settled.append((stay, refused + more))
        return settled

    def _words(
        self, made: Sequence[tuple[Reading, bytes, Sequence[Pair]]]
    ) -> list[tuple[Reading, Sequence[Pair]]]:
        """Ask the writer about all of them at once, as a build does about a shard."""
        plain = [(reading, pairs) for reading, _, pairs in made]
        if self.writer is not None:
            rows = word(plain, self.writer, self._config.seed, self._asks("writer"))
            self._wordings = {row.twin_id: asdict(row) for row in rows}
        return plain

    def _reworded(
        self, reading: Reading, pairs: Sequence[Pair], checks: Sequence[tuple[str, Judge]]
    ) -> tuple[Sequence[Pair], list[RefusedPair]]:
        if self.writer is None:
            return pairs, []
        return reword(pairs, reading, self._wordings, self.writer, checks)

    def _verdicts(self, cases: Sequence[Case]) -> dict[str, list[dict[str, Any]]]:
        judged: dict[str, list[dict[str, Any]]] = {}
        if self.verifier is not None:
            for row in judge(cases, self.verifier, self._config.seed, self._asks("verifier")):
                judged.setdefault(row.pair_id, []).append(asdict(row))
        return judged

    def _asks(self, section: str) -> Generate:
        name = self._config.engine_of(section)
        assert name is not None
        if name not in self._engines:
            self._engines[name] = open_engine(self._resolved, name)
            self._stack.callback(self._engines[name].close)

        def generate(requests: Sequence[Request]) -> Sequence[Reply]:
            began = time.monotonic()
            replies: Sequence[Reply] = self._engines[name].generate(requests) if requests else ()
            seconds, spent = self.clocks.get(section, (0.0, Spent()))
            self.clocks[section] = (seconds + time.monotonic() - began, spent + Spent.of(replies))
            return replies

        return generate


def _chosen(plugin: Plugin | None) -> Plugin:
    if plugin is None:
        raise ValueError("no model is asked here")
    return plugin
