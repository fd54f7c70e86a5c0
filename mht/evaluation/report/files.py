"""The three files of a report, as bytes to be written into the run's folder."""

from __future__ import annotations

from collections.abc import Sequence

from mht.evaluation.intervals import IntervalParams
from mht.evaluation.report.cards import Pictures
from mht.evaluation.report.chapter import chapter
from mht.evaluation.report.page import page
from mht.evaluation.report.plain import report_json, report_md
from mht.evaluation.run import EvaluationRun
from mht.predictions import Prediction

HTML, JSON, MARKDOWN = "report.html", "report.json", "report.md"


def without_pictures(benchmark: str, rows: Sequence[Prediction]) -> list[bytes | None]:
    """For a run whose images are not at hand."""
    return [None] * len(rows)


def report_files(
    run: EvaluationRun, intervals: IntervalParams, pictures: Pictures = without_pictures
) -> dict[str, bytes]:
    """By file name. `pictures` is asked once a benchmark, for the rows of the worst errors alone (24 at the most)."""
    chapters = [chapter(run, name, intervals) for name in run.benchmarks]
    return {
        HTML: page(run, chapters, pictures, intervals),
        JSON: report_json(run, chapters, intervals),
        MARKDOWN: report_md(run, chapters, intervals),
    }
