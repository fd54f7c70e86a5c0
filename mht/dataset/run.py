"""A run's identity: run.json, which says what is being built here, and refuses to mix two runs in one output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import mht
from mht.artifacts import MANIFEST, RUN, SUCCESS, dump_json
from mht.config import BuildConfig
from mht.config_identity import differing, identity
from mht.dataset.plan import Plan
from mht.dataset.stages import Fingerprints, fingerprints
from mht.errors import IntegrityError, RunConflict, StorageMissing
from mht.seeds import digest
from mht.storage import Storage, join


@dataclass(frozen=True, slots=True)
class Run:
    """What run.json holds. `name` is 12 hex digits over the identity and the plan's content."""

    name: str
    resolved: dict[str, Any]
    fingerprints: Fingerprints
    plan: Plan

    def to_json(self) -> bytes:
        return dump_json(
            {
                "name": self.name,
                "mht_version": mht.__version__,
                "config": self.resolved,
                "fingerprints": asdict(self.fingerprints),
                "plan": asdict(self.plan),
            }
        )


def read_run(storage: Storage, root: str) -> Run | None:
    """The run that this output holds, or None. Raises IntegrityError for a run.json that is not one."""
    uri = join(root, RUN)
    try:
        plain = json.loads(storage.read(uri))
        return Run(
            plain["name"],
            plain["config"],
            Fingerprints(**plain["fingerprints"]),
            Plan.from_plain(plain["plan"]),
        )
    except StorageMissing:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError(
            f"{uri}: not a run's record ({error}). Give new_run=true to start over here."
        ) from None


def name_run(resolved: Mapping[str, Any], prints: Fingerprints, plan: Plan) -> str:
    parts = json.dumps([identity(resolved), asdict(prints)], sort_keys=True)
    return digest(parts, plan.file.sha256, size=6).hex()


def differences(old: Run, resolved: Mapping[str, Any], prints: Fingerprints) -> list[str]:
    """What decides the rows and is not as it was: `key: old -> new`, one line each."""
    lines = differing(identity(old.resolved), identity(resolved))
    if lines:
        return lines
    old_prints, new_prints = asdict(old.fingerprints), asdict(prints)
    return [
        f"code of the {stage} stage: {old_prints[stage]} -> {new_prints[stage]}"
        for stage in new_prints
        if old_prints[stage] != new_prints[stage]
    ]


def resume(storage: Storage, config: BuildConfig) -> Run | None:
    """The run to go on with, or None to begin. Raises RunConflict when the output holds another one."""
    root, resolved = config.output, config.resolved()
    if config.new_run:
        same = _unchanged_unfinished(storage, root, resolved)
        if same is None:
            _clear(storage, root)
        return same
    old = read_run(storage, root)
    if old is None:
        return None
    changed = differences(old, resolved, fingerprints(resolved))
    if changed:
        raise RunConflict(
            f"{join(root, RUN)}: this output holds run {old.name}, which differs in\n  "
            + "\n  ".join(changed)
            + "\nGive new_run=true to start over here (what did not change is reused), or another output."
        )
    return old


def _unchanged_unfinished(storage: Storage, root: str, resolved: Mapping[str, Any]) -> Run | None:
    """An unfinished run of this very configuration: new_run=true given again resumes what it began."""
    try:
        old = read_run(storage, root)
    except IntegrityError:
        return None
    if old is None or storage.exists(join(root, SUCCESS)):
        return None
    return None if differences(old, resolved, fingerprints(resolved)) else old


def _clear(storage: Storage, root: str) -> None:
    """Take the old run's claim away, the manifest first: nobody reads a half of two runs."""
    for name in (SUCCESS, MANIFEST, RUN):
        storage.delete(join(root, name))
