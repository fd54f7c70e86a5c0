"""Parts worked off: those that nobody answered yet, in this process or on Ray, each committed as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mht.config_evaluate import EvaluateConfig
from mht.errors import ConfigError, MhtError
from mht.evaluation.answering import ANSWER, Answerer, Spec
from mht.evaluation.elsewhere import Elsewhere
from mht.evaluation.plan import PlanReader
from mht.evaluation.progress import ProgressLine
from mht.storage import Storage
from mht.watch import Progress

if TYPE_CHECKING:
    from mht.fleet import FleetConfig

Pulse = Callable[[], None]
Open = Callable[[Spec, Callable[[Progress], None]], Answerer]
"""Makes what answers parts; a test gives another engine. On Ray it is sent to the actors."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the steps of one evaluation share."""

    config: EvaluateConfig
    storage: Storage
    progress: ProgressLine
    pulse: Pulse
    answerer: Open


def left(site: Site, spec: Spec, work: str) -> list[str]:
    """`benchmark/part` of every part without a commit, or with rows that failed in passing."""
    parts = []
    for name, plan in spec.plans.items():
        done = spec.kept(site.storage, work, name).commits()
        parts += [f"{name}/{part}" for part in plan.names() if part not in done or done[part].again]
    return parts


def ask(site: Site, spec: Spec, works: Sequence[str]) -> None:
    """Let the model answer what is left of some kinds of work. Raises the first error that a part met."""
    jobs = [(work, part) for work in works for part in left(site, spec, work)]
    if not jobs:
        return
    total = len(works) * sum(plan.questions for plan in spec.plans.values())
    todo = sum(_questions(spec, part) for _, part in jobs)
    if todo < total:
        site.progress.say(
            f"{total - todo:,} of {total:,} questions are answered already and are not asked again"
        )
    site.progress.begin(total, total - todo)
    if site.config.run.ray:
        _on_ray(site, spec, jobs)
    else:
        _here(site, spec, jobs)
    site.progress.clear()


def _questions(spec: Spec, part: str) -> int:
    """How many questions a part has, as far as a progress line needs to know."""
    name, _, number = part.partition("/")
    plan = spec.plans[name]
    size = plan.questions / plan.parts
    return round(size * (int(number) + 1)) - round(size * int(number))


def _here(site: Site, spec: Spec, jobs: Sequence[tuple[str, str]]) -> None:
    """One after the other, in this process."""
    questions = tokens = 0

    def tell(progress: Progress) -> None:
        nonlocal questions, tokens
        questions, tokens = questions + progress.images, tokens + progress.tokens
        site.progress.show(questions, tokens, progress.waiting)
        site.pulse()

    answerer = site.answerer(spec, tell)
    try:
        for work, part in jobs:
            answerer.do(work, part)
    finally:
        answerer.close()


def _on_ray(site: Site, spec: Spec, jobs: Sequence[tuple[str, str]]) -> None:
    """Ray Data actors that each hold the engine."""
    from mht import cluster, fleet

    config = site.config
    end = cluster.start(config.ray.address, config.ray.object_store_mib, config.ray.temp_dir)
    try:
        staff = _staffing(config, cluster.gpus())
        crew = fleet.Fleet(spec, staff, site.answerer)

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


def _staffing(config: EvaluateConfig, gpus: float) -> FleetConfig:
    """Raises ConfigError for more cards than a private Ray has."""
    from mht.fleet import FleetConfig

    model, run = config.model, config.run
    assert model is not None
    wanted = model.num_gpus * model.replicas
    if config.ray.address == "local" and wanted > gpus:
        raise ConfigError(
            f"model: num_gpus={model.num_gpus:g} times replicas={model.replicas} asks for {wanted:g} GPUs, and Ray "
            f"finds {gpus:g} here. Lower them, or set num_gpus=0 to run it on the CPU."
        )
    return FleetConfig(
        model.replicas, run.stall_s, run.stall_tries, model.max_replicas, model.num_cpus, model.num_gpus
    )


def take_over(site: Site, spec: Spec, elsewhere: Elsewhere) -> None:
    """Commit the rows of a file of predictions as the parts of its benchmarks."""
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
