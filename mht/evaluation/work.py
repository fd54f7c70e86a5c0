"""Parts worked off: those that nobody answered yet, in this process or on Ray, each committed as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from mht.config import EngineConfig
from mht.config_evaluate import EvaluateConfig
from mht.errors import ConfigError, MhtError
from mht.evaluation.answering import ANSWER, Spec, judging, sees_image
from mht.evaluation.elsewhere import Elsewhere
from mht.evaluation.kept import Commit
from mht.evaluation.part_in_hand import row_of
from mht.evaluation.plan import PlanReader
from mht.evaluation.probing import PART, PLANTED, state
from mht.evaluation.progress import ProgressLine
from mht.evaluation.stretch import stretches
from mht.evaluation.tables import Judged
from mht.judgements import Judgement
from mht.predictions import Prediction
from mht.storage import Storage
from mht.watch import Progress

if TYPE_CHECKING:
    from mht.fleet import FleetConfig

Pulse = Callable[[], None]


class Worker(Protocol):
    """What does one job after the other: a part to answer, a stretch of parts to judge."""

    def do(self, work: str, shard: str) -> Any: ...

    def close(self) -> None: ...


Open = Callable[[Spec, Callable[[Progress], None]], Worker]
"""Makes what works; a test gives another engine. On Ray it is sent to the actors."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the steps of one evaluation share."""

    config: EvaluateConfig
    storage: Storage
    progress: ProgressLine
    pulse: Pulse
    answerer: Open
    judging: Callable[..., Worker]
    """`Judging`, but for its judge."""


def left(site: Site, spec: Spec, work: str) -> list[tuple[str, str, Commit | None]]:
    """(benchmark, part, its last try) of every part without a commit, with rows that failed in passing, or with images
    that are not as they were listed then.
    """
    parts = []
    for name, plan in spec.plans.items():
        done = spec.kept(site.storage, work, name).commits()
        for part in plan.names():
            last = done.get(part)
            if last is None or last.again or last.images != spec.images(work, name, part):
                parts.append((name, part, last))
    return parts


def unjudged(site: Site, spec: Spec, judge: str) -> list[tuple[str, str]]:
    """(benchmark, part) of every part that has no judgements, or whose replies are others by now, or as `left` says."""
    parts = []
    for name, plan in spec.plans.items():
        answers = spec.kept(site.storage, ANSWER, name).commits()
        done = spec.judged(site.storage, judge, name).commits()
        parts += [
            (name, part)
            for part in plan.names()
            if part not in done
            or done[part].again
            or done[part].of != answers[part].file.sha256
            or done[part].images != spec.images(judging(judge), name, part)
        ]
    return parts


def ask(site: Site, spec: Spec, works: Sequence[str]) -> None:
    """Let the model answer what is left of some kinds of work. Raises the first error that a part met."""
    found = {work: left(site, spec, work) for work in works}
    if not any(found.values()):
        return
    todo = sum(_questions(spec, f"{name}/{part}") for of in found.values() for name, part, _ in of)
    size, model = site.config.part_questions, site.config.model
    jobs = [
        (work, stretch)
        for work, of in found.items()
        for stretch in stretches(model, work == ANSWER, size, [(name, part) for name, part, _ in of])
    ]
    total = len(works) * sum(plan.questions for plan in spec.plans.values())
    _say_others(site, spec, found[ANSWER])
    if todo < total:
        site.progress.say(
            f"{total - todo:,} of {total:,} questions are answered already and are not asked again"
        )
    site.progress.begin(total, total - todo)
    if site.config.run.ray:
        assert site.config.model is not None
        _on_ray(site, spec, jobs, site.answerer, "model", site.config.model)
    else:
        _here(site, spec, jobs, site.answerer)
    site.progress.clear()


def _say_others(site: Site, spec: Spec, found: Sequence[tuple[str, str, Commit | None]]) -> None:
    """That some images may be others than those that were asked about."""
    others = [name for name, part, last in found if last and last.images != spec.images(ANSWER, name, part)]
    if others:
        site.progress.say(
            f"images of {', '.join(dict.fromkeys(others))} are not listed as they were when they were asked about: "
            f"those of {len(others):,} parts are read again, and asked about again where their bytes are others"
        )


def unprobed(site: Site, spec: Spec, judge: str) -> bool:
    """Whether the judge's twenty planted instructions are still to be judged, or are of other judgements."""
    chosen = site.config.judges.get(judge)
    if chosen is None or not chosen.probes:
        return False
    last = spec.judged(site.storage, judge, PLANTED).last(PART)
    return last is None or bool(last.again) or last.of != state(spec, site.storage, judge)


def judge(site: Site, spec: Spec, name: str) -> None:
    """Let a judge judge what it has not judged. Raises the first error that a part met.

    On Ray only where its model wants cards or replicas: calls to an endpoint wait, and need no actor for that. What is
    planted comes last, since it stands in replies that are judged.
    """
    parts, chosen = unjudged(site, spec, name), site.config.judges[name]
    looks, size = sees_image(chosen), site.config.part_questions
    jobs = [(judging(name), stretch) for stretch in stretches(chosen.model, looks, size, parts)]
    planted = chosen.probes and (bool(jobs) or unprobed(site, spec, name))
    last = [(judging(name), f"{PLANTED}/{PART}")] if planted else []
    total = sum(plan.questions for plan in spec.plans.values())
    todo = sum(_questions(spec, "/".join(part)) for part in parts)
    site.progress.begin(total, total - todo, f"judged by {name}", "replies")
    model, make = chosen.model, partial(site.judging, judge=name)
    if site.config.run.ray and model is not None and (model.num_gpus or model.replicas > 1):
        for some in (jobs, last):
            if some:
                _on_ray(site, spec, some, make, f"judges.{name}.model", model)
    elif jobs or last:
        _here(site, spec, [*jobs, *last], make)
    site.progress.clear()


def _questions(spec: Spec, part: str) -> int:
    """How many questions a part has, as far as a progress line needs to know."""
    name, _, number = part.partition("/")
    plan = spec.plans[name]
    size = plan.questions / plan.parts
    return round(size * (int(number) + 1)) - round(size * int(number))


def _here(site: Site, spec: Spec, jobs: Sequence[tuple[str, str]], make: Open) -> None:
    """One after the other, in this process."""
    questions = tokens = 0

    def tell(progress: Progress) -> None:
        nonlocal questions, tokens
        questions, tokens = questions + progress.images, tokens + progress.tokens
        site.progress.show(questions, tokens, progress.waiting)
        site.pulse()

    worker = make(spec, tell)
    try:
        for work, part in jobs:
            worker.do(work, part)
    finally:
        worker.close()


def _on_ray(
    site: Site, spec: Spec, jobs: Sequence[tuple[str, str]], make: Open, key: str, model: EngineConfig
) -> None:
    """Ray Data actors that each hold the engine."""
    from mht import cluster, fleet

    config = site.config
    end = cluster.start(config.ray.address, config.ray.object_store_mib, config.ray.temp_dir)
    try:
        staff = _staffing(config, cluster.gpus(), key, model)
        crew = fleet.Fleet(spec, staff, make)

        def pulse() -> None:
            site.pulse()
            images, _, _, tokens, waiting = crew.totals
            site.progress.show(images, tokens, waiting)

        crashes = []
        for done in crew.run(jobs, pulse):
            if done.error is not None:
                raise done.error
            if done.crash is not None:
                crashes.append(f"{done.shard}:\n{done.crash}")
        if crashes:
            raise MhtError(
                f"{len(crashes)} of {len(jobs)} parts met a defect, the others are kept. First, {crashes[0]}"
                "The same command tries them again."
            )
    finally:
        end()


def _staffing(config: EvaluateConfig, gpus: float, key: str, model: EngineConfig) -> FleetConfig:
    """Raises ConfigError for more cards than a private Ray has."""
    from mht.fleet import FleetConfig

    run = config.run
    wanted = model.num_gpus * model.replicas
    if config.ray.address == "local" and wanted > gpus:
        raise ConfigError(
            f"{key}: num_gpus={model.num_gpus:g} times replicas={model.replicas} asks for {wanted:g} GPUs, and Ray "
            f"finds {gpus:g} here. Lower them, or set num_gpus=0 to run it on the CPU."
        )
    return FleetConfig(
        model.replicas, run.stall_s, run.stall_tries, model.max_replicas, model.num_cpus, model.num_gpus
    )


def take_over(site: Site, spec: Spec, elsewhere: Elsewhere) -> None:
    """Commit the rows of a file of predictions as the parts of its benchmarks, and what a judge said in it."""
    for name, plan in spec.plans.items():
        kept = spec.kept(site.storage, ANSWER, name)
        reader = PlanReader(site.storage, spec.root, plan)
        try:
            for part in plan.names():
                rows = elsewhere.rows(reader.read(part))
                if kept.last(part) is None:
                    kept.commit(part, 1, rows)
                site.pulse()
        finally:
            reader.close()
    if site.config.released is not None:
        take_judged(site, spec, site.config.released, elsewhere.judgement)


def take_judged(site: Site, spec: Spec, name: str, said: Callable[[Prediction], Judgement]) -> int:
    """Commit what was said elsewhere of answered rows as the work of a judge of this name; how many have scores."""
    scored = 0
    for benchmark, plan in spec.plans.items():
        answers, kept = spec.kept(site.storage, ANSWER, benchmark), spec.judged(site.storage, name, benchmark)
        commits = answers.commits()
        for part in plan.names():
            rows = [row.prediction for row in answers.rows(commits[part])]
            given = [Judged(row.row_id, said(row), row_of(row).digest) for row in rows]
            scored += sum(one.judgement.failure is None for one in given)
            of, last = commits[part].file.sha256, kept.last(part)
            if last is None or last.of != of:
                kept.commit(part, 1 if last is None else last.number + 1, given, of)
            site.pulse()
    return scored
