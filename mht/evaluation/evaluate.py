"""An evaluation from its configuration to the scored run on disk; what is there already is not done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mht import catalog
from mht.artifacts import SUCCESS
from mht.config_evaluate import EvaluateConfig
from mht.errors import ConfigError, InputError
from mht.evaluation import probing
from mht.evaluation.answering import ANSWER, QUESTION_ONLY, Answerer, Spec, open_benchmark
from mht.evaluation.close import close
from mht.evaluation.elsewhere import Elsewhere
from mht.evaluation.identity import (
    Run,
    describe,
    fingerprints,
    judge_fingerprints,
    judge_identity,
    model_of,
    read,
    take_up,
)
from mht.evaluation.judging import Judging
from mht.evaluation.leak import between_splits
from mht.evaluation.people import People
from mht.evaluation.people import take_over as take_ratings
from mht.evaluation.plan import write_plan
from mht.evaluation.progress import ProgressLine
from mht.evaluation.run import EvaluationRun, load
from mht.evaluation.sample import limited
from mht.evaluation.scoring import Metrics, choose
from mht.evaluation.work import Open, Pulse, Site, Worker, ask, judge, left, take_over, unjudged, unprobed
from mht.lease import Lease, impatient
from mht.storage import Storage, join


def evaluate(
    config: EvaluateConfig,
    progress: ProgressLine,
    pulse: Pulse,
    answerer: Open = Answerer,
    judging: Callable[..., Worker] = Judging,
) -> EvaluationRun:
    """Ask what is not answered, judge, score all, write the run. Raises MhtError for everything that stops it."""
    storage = Storage(config.storage)
    config = config.model_copy(update={"output": storage.absolute(config.output)})
    metrics = choose(config)
    for model in (config.model, *(one.model for one in config.judges.values())):
        if model is not None:
            catalog.load("engines", model.kind).check(model.params())
    storage.check_writable(config.output)
    with Lease(impatient(config.storage), config.output):
        return _evaluate(Site(config, storage, progress, pulse, answerer, judging), metrics)


def _evaluate(site: Site, metrics: Metrics) -> EvaluationRun:
    config, storage = site.config, site.storage
    elsewhere = Elsewhere(config.predictions, storage) if config.predictions is not None else None
    plans, digests, notes = {}, {}, {}
    for name in config.benchmarks:
        benchmark = open_benchmark(config, name, storage)
        digests[name] = benchmark.digest
        questions, sampled = limited(benchmark.questions(), config.limit, config.seed, name)
        plans[name] = write_plan(
            storage, config.output, name, questions, config.part_questions, digests[name]
        )
        if not plans[name].questions:
            raise InputError(f"benchmarks.{name}: there is no question to ask. Choose more of it.")
        notes[name] = [*sampled, *benchmark.notes()]
        site.pulse()
    run = describe(config, model_of(config, elsewhere.digest if elsewhere else None), plans, digests)
    judges = {name: judge_identity(config, name) for name in config.judges}
    if elsewhere is not None and config.released is not None:
        judges[config.released] = elsewhere.released
    people = _people(site, judges)
    judges |= people.identities if people is not None else {}
    prints = fingerprints(run)
    prints |= judge_fingerprints(judges, prints) | probing.fingerprints(judges, prints)
    spec = Spec(config.output, config, plans, prints)
    old = read(storage, config.output)
    works = [ANSWER, QUESTION_ONLY] if config.baselines.question_only else [ANSWER]
    if _is_done(site, old, run) and not _is_left(site, spec, works, judges):
        return load(storage, config.output)
    take_up(storage, config, old, run)
    for name in config.benchmarks:
        opened = open_benchmark(config, name, storage)
        notes[name] += [str(shared) for shared in between_splits(opened, config.imaging, site.pulse)]
    remarks = []
    if elsewhere is not None:
        take_over(site, spec, elsewhere)
        remarks += [elsewhere.note()]
    else:
        ask(site, spec, works)
    for name in config.judges:
        judge(site, spec, name)
    if people is not None:
        remarks += [take_ratings(site, spec, people)]
    return close(site, spec, run, metrics, notes, [remark for remark in remarks if remark], judges)


def _people(site: Site, judges: Iterable[str]) -> People | None:
    given = site.config.people
    if given is None:
        return None
    found = People(given, site.storage)
    for name in set(found.names).intersection(judges):
        raise ConfigError(
            f"people: a rater and a judge are called {name!r} both; give the judge another name"
        )
    return found


def _is_left(site: Site, spec: Spec, works: Sequence[str], judges: Iterable[str]) -> bool:
    """Whether anything is still to be asked, or to be judged."""
    unanswered = any(left(site, spec, work) for work in works)
    return unanswered or any(unjudged(site, spec, name) or unprobed(site, spec, name) for name in judges)


def _is_done(site: Site, old: Run | None, run: Run) -> bool:
    """Whether the output holds this very run, scored as it is asked for now."""
    if old is None or old.to_json() != run.to_json():
        return False
    return site.storage.exists(join(site.config.output, SUCCESS))
