"""The stages of a run that ask models, opened: what is kept, who words and judges, and what a shard's pairs become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

from mht import catalog
from mht.captioners import given
from mht.config import SECTIONS, BuildConfig
from mht.dataset.asked import texts, verdicts, wordings
from mht.dataset.asked.kept import Kept, spent_on
from mht.dataset.captions import Clean
from mht.dataset.stages import Fingerprints
from mht.errors import IntegrityError, MhtError
from mht.pairing.context import Judge
from mht.records import Pair, Reading, Reason, RefusedPair
from mht.schemas import TEXT_SCHEMA, VERDICT_SCHEMA, WORDING_SCHEMA
from mht.storage import Storage

Plugin = tuple[ModuleType, Any]
ROLES = {"describe": "captioner", "word": "writer", "judge": "verifier"}
"""Jobs that an engine does, and the section of the configuration that says which."""


def plugin(resolved: Mapping[str, Any], section: str) -> Plugin:
    """The plug-in that a section chooses, with its settings; the default where an older run has no such section."""
    settings = dict(resolved.get(section) or {"kind": BuildConfig.model_fields[section].default.kind})
    module = catalog.load(SECTIONS[section], settings.pop("kind"))
    return module, module.Params(**settings)


def check_engines(config: BuildConfig) -> None:
    """What an engine lacks here, told before anything starts. Raises what its `check` does, with the engine's name."""
    for name in config.engines_asked():
        engine = config.engines[name]
        try:
            catalog.load("engines", engine.kind).check(engine.params())
        except MhtError as error:
            raise type(error)(f"engines.{name}: {error}") from None


def cleaner(resolved: Mapping[str, Any]) -> Clean:
    """How a raw caption is cleaned: by the captioner itself, or like a given one where a model wrote it."""
    module, params = plugin(resolved, "captioner")
    if hasattr(module, "caption"):
        return partial(module.caption, params=params)
    return partial(given.caption, params=given.Params())


@dataclass(frozen=True, slots=True)
class ShardAsked:
    """What was kept for one shard: wordings by twin, verdicts by pair, images that could not be decoded, the cost."""

    wordings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    verdicts: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    undecoded: frozenset[str] = frozenset()
    spent: Counter[str] = field(default_factory=Counter)


class AskedStages:
    """What a run keeps of its models' work; stages that the run does not have are None."""

    def __init__(
        self, storage: Storage, root: str, resolved: Mapping[str, Any], prints: Fingerprints
    ) -> None:
        self.texts = _open(storage, root, texts.STAGE, prints.text, TEXT_SCHEMA)
        self.wordings = _open(storage, root, wordings.STAGE, prints.wording, WORDING_SCHEMA)
        self.verdicts = _open(storage, root, verdicts.STAGE, prints.verdict, VERDICT_SCHEMA)
        self.writer = plugin(resolved, "writer")

    def read(self, key: str) -> ShardAsked:
        """Everything that is kept for a shard. Raises IntegrityError where a stage has not been run."""
        spent: Counter[str] = Counter()
        text = _rows(self.texts, key, texts.STAGE, spent)
        worded = _rows(self.wordings, key, wordings.STAGE, spent)
        judged: dict[str, list[Mapping[str, Any]]] = {}
        for row in _rows(self.verdicts, key, verdicts.STAGE, spent):
            judged.setdefault(row["pair_id"], []).append(row)
        return ShardAsked(
            wordings={row["twin_id"]: row for row in worded},
            verdicts=judged,
            undecoded=frozenset(row["image_id"] for row in text if row["stage"] == "image"),
            spent=spent,
        )

    def read_wordings(self, key: str) -> ShardAsked:
        """The wordings alone, while the verdicts on them are still to come."""
        rows = _rows(self.wordings, key, wordings.STAGE, Counter())
        return ShardAsked(wordings={row["twin_id"]: row for row in rows})

    def worded(
        self, pairs: Sequence[Pair], reading: Reading, kept: ShardAsked, checks: Sequence[tuple[str, Judge]]
    ) -> tuple[Sequence[Pair], list[RefusedPair]]:
        """The pairs as they are to be judged: in their models' words, where there are any."""
        if self.wordings is None:
            return pairs, []
        return wordings.reword(pairs, reading, kept.wordings, self.writer, checks)

    def settled(
        self, pairs: Sequence[Pair], reading: Reading, kept: ShardAsked, checks: Sequence[tuple[str, Judge]]
    ) -> tuple[Sequence[Pair], list[RefusedPair]]:
        """(the pairs that stay, in their final words, those that a writer or a verifier refused)."""
        done, refused = self.worded(pairs, reading, kept, checks)
        if self.verdicts is None:
            return done, refused
        stay, more = verdicts.sift(done, kept.verdicts)
        return stay, refused + more


def _open(storage: Storage, root: str, stage: str, fingerprint: str | None, schema: Any) -> Kept | None:
    return Kept(storage, root, stage, fingerprint, schema) if fingerprint is not None else None


def _rows(kept: Kept | None, key: str, stage: str, spent: Counter[str]) -> list[dict[str, Any]]:
    if kept is None:
        return []
    rows = kept.read(key)
    if rows is None:
        raise IntegrityError(
            f"shard {key}: its {stage} are gone. Run the same command again to ask for them."
        )
    cost = spent_on(rows)
    counts = {
        "calls": cost.calls,
        "prompt_tokens": cost.prompt_tokens,
        "tokens": cost.tokens,
        "asked": sum(row["calls"] > 0 for row in rows),
        "unanswered": sum(row["calls"] > 0 and _unanswered(row) for row in rows),
    }
    spent.update({f"{stage}/{name}": n for name, n in counts.items()})
    return rows


def _unanswered(row: Mapping[str, Any]) -> bool:
    """Whether a request came to nothing: it failed, or its reply was of no use. To disagree is an answer."""
    why = row["refusal"] if "refusal" in row else row["reason"]
    return why is not None and why.startswith(("engine_", "reply_", Reason.OUT_OF_MEMORY.value))
