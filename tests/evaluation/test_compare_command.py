"""`mht compare` on folders of finished runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.artifacts import MANIFEST, dump_json, manifest_bytes, parquet_bytes, write_content, write_named
from mht.cli import main
from mht.errors import ConfigError
from mht.evaluation.compare_command import compare_runs
from mht.evaluation.run import FORMAT, EvaluationRun, scores_bytes
from mht.evaluation.tables import kept, prediction_table
from mht.generation import Reply
from mht.storage import Storage, StorageParams
from tests.evaluation.report.runs import run_of
from tests.evaluation.test_compare import asked


def finished(folder: Path, run: EvaluationRun) -> str:
    """The run as it lies on disk."""
    storage, root = Storage(StorageParams()), str(folder)
    about = {
        "name": run.name, "run": run.run, "model": run.model, "digests": run.digests, "config": run.config,
        "code": run.code,
    }  # fmt: skip
    files = [
        write_named(storage, root, "run.json", dump_json(about)),
        write_named(storage, root, "scores.json", scores_bytes(run)),
    ]
    for name, rows in run.benchmarks.items():
        table = prediction_table([kept(row, Reply(row.row_id, row.reply), None) for row in rows])
        files.append(
            write_content(storage, root, f"predictions/{name}/00000", parquet_bytes(table), len(rows))
        )
    write_named(storage, root, MANIFEST, manifest_bytes(run.run, files, {}, FORMAT))
    return root


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("runs")
    weak = run_of({"b": asked(25)}, "weak", blind=False)
    strong = run_of({"b": asked(5)[:-2]}, "strong", blind=False)
    return finished(folder / "weak", weak), finished(folder / "a=strong", strong)


def test_it_prints_a_table_and_writes_the_page(
    roots: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *roots, "rows=shared", "intervals.draws=200", f"output={tmp_path}"]) == 0
    printed = capsys.readouterr().out
    assert "2 rows that not every run was asked are left out" in printed
    assert "better" in printed
    assert printed.rstrip().endswith("compare.html")
    assert (tmp_path / "compare.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "compare.json").stat().st_size > 1000


def test_other_rows_are_refused_with_the_remedy(
    roots: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *roots]) == 66
    assert "rows=shared" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "said"), [([], "Name two or more"), (["rows=some"], "rows")])
def test_a_wrong_command_line_is_told(roots: tuple[str, str], words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        compare_runs([roots[0], *words])
