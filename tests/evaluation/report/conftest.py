"""One scored run and one browser for the tests of the report."""

from collections.abc import Iterator

import pytest

from mht.evaluation.report.chapter import Chapter, chapter
from mht.evaluation.report.files import report_files
from mht.evaluation.run import EvaluationRun
from tests.browser import CHROMIUM, Browser
from tests.evaluation.report.runs import INTERVALS, pairs, phantom_pictures, plain_rows, run_of


@pytest.fixture(scope="session")
def scored() -> EvaluationRun:
    """Pairs with failed, undecided, hostile replies; a benchmark without any of our columns; one without rows."""
    return run_of({"pairs": pairs(), "open": plain_rows(), "empty": []})


@pytest.fixture(scope="session")
def told(scored: EvaluationRun) -> Chapter:
    return chapter(scored, "pairs", INTERVALS)


@pytest.fixture(scope="session")
def files(scored: EvaluationRun) -> dict[str, bytes]:
    return report_files(scored, INTERVALS, phantom_pictures())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    with Browser() as started:
        yield started
