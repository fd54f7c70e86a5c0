"""The `mht` command. Each subcommand loads its configuration, calls one function and says where the result is."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import mht
from mht.errors import MhtError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns its exit code (see mht.errors)."""
    arguments = _parser().parse_args(argv)
    # A thread of Ray's that looks for its cluster once more after the end must not start another one.
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    try:
        code: int = arguments.run(arguments)
        return code
    except MhtError as error:
        print(f"mht: {error}", file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mht",
        description="Datasets that teach medical vision-language models not to hallucinate. A research tool.",
    )
    parser.add_argument("--version", action="version", version=f"mht {mht.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    build = commands.add_parser(
        "build", help="images in a folder or bucket to a dataset (resumes what it finds)"
    )
    _takes_config(build)
    build.set_defaults(run=_build)
    train = commands.add_parser("train", help="a dataset and a model to a model (resumes what it finds)")
    _takes_config(train)
    train.set_defaults(run=_train)
    evaluate = commands.add_parser(
        "evaluate", help="a model on benchmarks to predictions, scores and a report (resumes what it finds)"
    )
    _takes_config(evaluate)
    evaluate.set_defaults(run=_evaluate)
    preview = commands.add_parser("preview", help="a few pairs in about a second, no Ray, nothing written")
    preview.add_argument("-n", type=int, default=3, help="how many twins to print (3)")
    _takes_config(preview)
    preview.set_defaults(run=_preview)
    explain = commands.add_parser("explain", help="every step that made a pair, and make it again")
    explain.add_argument("pair_id", metavar="PAIR_ID")
    explain.add_argument("output", metavar="OUTPUT", help="the dataset: a folder, s3:// or gs://")
    explain.add_argument("settings", nargs="*", metavar="storage.key=value")
    explain.set_defaults(run=_explain)
    verify = commands.add_parser("verify", help="check every file, row and balance of a dataset")
    verify.add_argument("output", metavar="OUTPUT", help="the dataset: a folder, s3:// or gs://")
    verify.add_argument("settings", nargs="*", metavar="storage.key=value")
    verify.set_defaults(run=_verify)
    export = commands.add_parser("export", help="a dataset in the files that a trainer reads")
    export.add_argument("dataset", metavar="DATASET", help="the dataset: a folder, s3:// or gs://")
    export.add_argument("output", metavar="OUTPUT", help="where the files go: a folder, s3:// or gs://")
    export.add_argument("settings", nargs="*", metavar="key=value", help="format=…, split=…, state=…, type=…")
    export.set_defaults(run=_export)
    compared = commands.add_parser(
        "compare", help="evaluations of models against each other, in pairs, on the same rows"
    )
    compared.add_argument(
        "words",
        nargs="+",
        metavar="RUN RUN … | key=value",
        help="folders of evaluations, the first is what the others are compared with; rows=shared, output=FOLDER",
    )
    compared.set_defaults(run=_compare)
    model = commands.add_parser(
        "export-model", help="a run's final model, or its adapter merged into its base"
    )
    model.add_argument("training", metavar="RUN", help="a training run: a folder, s3:// or gs://")
    model.add_argument("output", metavar="OUT", help="where the model goes: a folder, s3:// or gs://")
    model.add_argument("settings", nargs="*", metavar="key=value", help="merge=true, base=PATH, …")
    model.set_defaults(run=_export_model)
    convert = commands.add_parser(
        "convert", help="a LLaVA of its own layout, LLaVA-Med v1.5, as a transformers model, and back"
    )
    convert.add_argument(
        "source", metavar="SOURCE", help="the checkpoint: a folder, or a hub id with revision=…"
    )
    convert.add_argument("output", metavar="OUTPUT", help="a folder that is not there yet")
    convert.add_argument(
        "settings",
        nargs="*",
        metavar="key=value",
        help="layout=original, vision_tower=FOLDER, max_shard_size=5GB",
    )
    convert.set_defaults(run=_convert)
    _takes_reviews(commands.add_parser("review", help="pairs to Label Studio, and its decisions back"))
    return parser


def _takes_reviews(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_subparsers(metavar="WAY", required=True)
    tasks = ways.add_parser("export", help="pairs as Label Studio tasks, with the labelling configuration")
    tasks.add_argument("dataset", metavar="DATASET", help="the dataset: a folder, s3:// or gs://")
    tasks.add_argument(
        "file", metavar="TASKS.json", help="where the tasks go; the configuration goes beside it"
    )
    tasks.add_argument("settings", nargs="*", metavar="key=value", help="n=100, split=…, state=…, type=…")
    tasks.set_defaults(run=_review_export)
    decided = ways.add_parser("import", help="Label Studio's JSON export as a file for `mht build review=…`")
    decided.add_argument("exported", metavar="EXPORT.json", help="Label Studio's export, as JSON")
    decided.add_argument("file", metavar="REVIEW.jsonl", help="the decisions; added to those there already")
    decided.add_argument("settings", nargs="*", metavar="storage.key=value")
    decided.set_defaults(run=_review_import)


def _takes_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="CONFIG.yaml | key=value",
        help="a YAML file, then settings that win over it",
    )


def split_words(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """(the YAML file or None, the settings) of a command line's words."""
    if words and "=" not in words[0]:
        return words[0], list(words[1:])
    return None, list(words)


def _build(arguments: argparse.Namespace) -> int:
    from mht.config import load

    config = load(*split_words(arguments.words))
    if config.plan:
        from mht.dataset.predict import plan_build

        return plan_build(config)
    from mht.dataset.command import run_build

    return run_build(config)


def _train(arguments: argparse.Namespace) -> int:
    from mht.config_train import load

    config = load(*split_words(arguments.words))
    if config.plan:
        from mht.training.plan import plan_train

        return plan_train(config)
    from mht.training.command import run_train

    return run_train(config)


def _evaluate(arguments: argparse.Namespace) -> int:
    from mht.config_evaluate import load

    config = load(*split_words(arguments.words))
    from mht.evaluation.command import run_evaluate

    return run_evaluate(config)


def _preview(arguments: argparse.Namespace) -> int:
    from mht.config import load
    from mht.dataset.preview import preview

    print(preview(load(*split_words(arguments.words)), arguments.n))
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from mht.config import load
    from mht.dataset.explain import explain

    config = load(None, [f"output={arguments.output}", *arguments.settings])
    text, same = explain(config, arguments.pair_id)
    print(text)
    return 0 if same else 65


def _verify(arguments: argparse.Namespace) -> int:
    from mht.config import load
    from mht.dataset.verify import verify

    config = load(None, [f"output={arguments.output}", *arguments.settings])
    print(verify(config))
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from mht.dataset.exporter import export

    print(export(arguments.dataset, arguments.output, arguments.settings))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from mht.evaluation.compare_command import compare_runs

    print(compare_runs(arguments.words))
    return 0


def _export_model(arguments: argparse.Namespace) -> int:
    from mht.model.export_command import export_run

    print(export_run(arguments.training, arguments.output, arguments.settings))
    return 0


def _convert(arguments: argparse.Namespace) -> int:
    from mht.model.convert import convert

    print(convert(arguments.source, arguments.output, arguments.settings))
    return 0


def _review_export(arguments: argparse.Namespace) -> int:
    from mht.dataset.review.tasks import export_tasks

    print(export_tasks(arguments.dataset, arguments.file, arguments.settings))
    return 0


def _review_import(arguments: argparse.Namespace) -> int:
    from mht.dataset.review.tasks import import_review

    print(import_review(arguments.exported, arguments.file, arguments.settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
