"""An evaluation's identity: run.json says what is asked here, and of whom; another is refused in the same output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import mht
from mht import catalog
from mht.artifacts import MANIFEST, RUN, SUCCESS, dump_json
from mht.code_digest import code_digest
from mht.config_evaluate import FREE_KEYS, EvaluateConfig
from mht.config_identity import differing, identity
from mht.config_judges import JUDGES
from mht.errors import IntegrityError, RunConflict, StorageMissing
from mht.evaluation.answering import ANSWER, QUESTION_ONLY, judging
from mht.evaluation.plan import Planned
from mht.seeds import digest
from mht.storage import Storage, join

_ROOMS = ("evaluation/asking.py",)
"""The code that decides what a model is asked. What it is made of is paid for, and hangs on nothing else of ours."""
_ASKED_BY = ("seed", "generation", "part_questions", "imaging", "normalise")
"""What of the configuration decides a reply, beside the model and the question."""
_NOT_OF_REPLIES = ("path", "judgement", "judge")
"""Of a file of predictions: where it lies, and what a judge said in it. The other settings say which replies it has."""


@dataclass(frozen=True, slots=True)
class Run:
    """What run.json holds. `run` is 12 hex digits over all that decides the predictions; `name` is for people.

    `model` is the kind of engine with its model's identity, or `file` with the digest of the predictions. Of each
    benchmark `digests` is what its files hold, `asked` what is asked of it, and `questions` how many there are.
    """

    run: str
    name: str
    model: dict[str, Any]
    digests: dict[str, str]
    asked: dict[str, str]
    questions: dict[str, int]
    code: str
    config: dict[str, Any]

    def to_json(self) -> bytes:
        return dump_json({"mht_version": mht.__version__, **asdict(self)})


def model_of(config: EvaluateConfig, predictions: str | None) -> dict[str, Any]:
    """Who replies: the engine's kind and its model's identity, or the digest of a file of predictions."""
    if config.model is None:
        return {"kind": "file", "digest": predictions}
    module = catalog.load("engines", config.model.kind)
    return {"kind": config.model.kind, **module.identity(config.model.params())}


def describe(
    config: EvaluateConfig, model: Mapping[str, Any], plans: Mapping[str, Planned], digests: Mapping[str, str]
) -> Run:
    """The run of a configuration on benchmarks that were read."""
    resolved, code = config.resolved(), code_digest(_ROOMS)
    asked = {name: plan.asked for name, plan in plans.items()}
    run = digest(json.dumps([_deciding(resolved), model, asked, code], sort_keys=True), size=6).hex()
    questions = {name: plan.questions for name, plan in plans.items()}
    return Run(run, config.called, dict(model), dict(digests), asked, questions, code, resolved)


def fingerprints(run: Run) -> dict[tuple[str, str], str]:
    """What each benchmark's parts stand under, asked with images and without.

    Not the whole run's name: replies to a benchmark are reused where another one was added beside it.
    """
    how = {key: run.config[key] for key in _ASKED_BY}
    if (file := run.config["predictions"]) is not None:
        how["predictions"] = {key: value for key, value in file.items() if key not in _NOT_OF_REPLIES}
    return {
        (work, name): digest(
            json.dumps([how, run.model, name, asked, run.code, work], sort_keys=True), size=8
        ).hex()
        for work in (ANSWER, QUESTION_ONLY)
        for name, asked in run.asked.items()
    }


def judge_identity(config: EvaluateConfig, name: str) -> dict[str, Any]:
    """What decides a judge's scores beside the row: its kind, its settings, its prompt, and who is asked."""
    chosen = config.judges[name]
    found = {"kind": chosen.kind, **catalog.load(JUDGES, chosen.kind).identity(chosen.params())}
    if chosen.model is not None:
        engine = catalog.load("engines", chosen.model.kind)
        found["model"] = {"kind": chosen.model.kind, **engine.identity(chosen.model.params())}
    return found


def judge_fingerprints(
    judges: Mapping[str, Mapping[str, Any]], asked: Mapping[tuple[str, str], str]
) -> dict[tuple[str, str], str]:
    """What each judge's parts stand under, by (kind of work, benchmark): who judges, and what the replies stand under.

    `judges` are identities by name, `asked` what `fingerprints` gives. Each row says beside what was judged, so that
    one that was answered anew is judged anew.
    """
    return {
        (judging(judge), benchmark): digest(json.dumps([who, under], sort_keys=True), size=8).hex()
        for judge, who in judges.items()
        for (work, benchmark), under in asked.items()
        if work == ANSWER
    }


def take_up(storage: Storage, config: EvaluateConfig, old: Run | None, run: Run) -> None:
    """Write run.json over the old one's. Raises RunConflict naming the differing keys where it is another run.

    With new_run=true the replies of the other one are reused where they are the same.
    """
    if old is not None and old.run != run.run and not config.new_run:
        raise RunConflict(
            f"{join(config.output, RUN)}: this output holds run {old.run}, which differs in\n  "
            + "\n  ".join(_differences(old, run))
            + "\nGive new_run=true to go on here (what did not change is reused), or another output."
        )
    # The old claim to be whole goes first: nobody reads a half of two runs.
    for name in (SUCCESS, MANIFEST):
        storage.delete(join(config.output, name))
    storage.write(join(config.output, RUN), run.to_json())


def read(storage: Storage, root: str) -> Run | None:
    """The run that this output holds, or None. Raises IntegrityError for a run.json that is not an evaluation's."""
    uri = join(root, RUN)
    try:
        plain = json.loads(storage.read(uri))
        return Run(**{name: plain[name] for name in Run.__dataclass_fields__})
    except StorageMissing:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise IntegrityError(f"{uri}: not an evaluation's record ({error}). Choose another output.") from None


def _deciding(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Where model and benchmarks lie is no matter: their digests say what they are."""
    places = [f"benchmarks.{name}.{key}" for name in resolved["benchmarks"] for key in ("path", "images")]
    return identity(resolved, (*FREE_KEYS, "model", "predictions.path", *places))


def _differences(old: Run, now: Run) -> list[str]:
    lines = differing(_deciding(old.config), _deciding(now.config))
    lines += differing(
        {f"model ({key})": value for key, value in old.model.items()},
        {f"model ({key})": value for key, value in now.model.items()},
    )
    lines += differing({"limit": old.config.get("limit")}, {"limit": now.config.get("limit")})
    lines += differing(
        {f"questions of {name}": value for name, value in old.asked.items()},
        {f"questions of {name}": value for name, value in now.asked.items()},
    )
    if old.code != now.code:
        lines.append(f"code of the questions: {old.code} -> {now.code}")
    return lines
