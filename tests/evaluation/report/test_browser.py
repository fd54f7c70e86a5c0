"""The pages in a real browser: nothing asked of a network, nothing complained about, legible at every width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mht.evaluation.compare import CompareConfig, compare
from mht.evaluation.report.versus import comparison_page
from mht.evaluation.run import EvaluationRun
from tests.browser import Browser
from tests.dataset.gallery.test_browser import CONTRAST
from tests.evaluation.report.runs import INTERVALS, pairs, plain_rows, run_of

OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
# Of each row of a forest plot: where its point stands, by the axis above it, and what its cell says.
PLOTTED = """
[...document.querySelectorAll('table.forest:not(.two):not(.bars) tbody tr')].flatMap((row) => {
  const point = row.querySelector('td.chart circle');
  const ticks = [...row.closest('table').querySelectorAll('.axis text')];
  if (!point || !ticks.length) return [];
  const value = (text) => parseFloat(text.replace('−', '-'));
  const [low, high] = [ticks[0], ticks.at(-1)];
  const [from, to] = [low, high].map((tick) => parseFloat(tick.getAttribute('x')));
  const share = (parseFloat(point.getAttribute('cx')) - from) / (to - from);
  const drawn = value(low.textContent) + share * (value(high.textContent) - value(low.textContent));
  const said = row.querySelector('td.value').firstChild.textContent;
  const unit = said.includes('%') && !low.textContent.includes('%') ? 100 : 1;
  return [{ drawn: drawn * unit, said: value(said), width: (value(high.textContent) - value(low.textContent)) * unit }];
})
"""


@pytest.fixture(scope="module")
def report(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(files["report.html"])
    return path


@pytest.fixture(scope="module")
def comparison(scored: EvaluationRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    others = [
        run_of({"pairs": pairs(), "open": plain_rows(), "empty": []}, name, blind=False)
        for name in ("b", "c")
    ]
    found = compare([scored, *others], CompareConfig(intervals=INTERVALS))
    path = tmp_path_factory.mktemp("comparison") / "compare.html"
    path.write_bytes(comparison_page(found, INTERVALS))
    return path


def look(browser: Browser, page: Path, width_px: int = 1280, scheme: str = "light") -> None:
    browser.scheme(scheme)
    browser.size(width_px, 900, phone=width_px < 600)
    browser.open(page)
    browser.js(OPEN_ALL)


def test_it_opens_without_a_complaint_and_asks_nobody(browser: Browser, report: Path) -> None:
    look(browser, report)
    assert browser.complaints == []
    assert [one for one in browser.requests if not one.startswith(("file:", "data:"))] == []
    assert browser.js("document.title") == "mht evaluation, tiny-model"
    headings = browser.js("[...document.querySelectorAll('h1, h2, h3')].map((one) => one.textContent)")
    assert headings[:4] == [
        "tiny-model",
        "pairs: 160 questions about 16 images or patients",
        "Worst errors",
        "What can be counted",
    ]
    assert browser.js("document.querySelectorAll('script').length") == 0


def test_every_shown_image_is_there(browser: Browser, report: Path) -> None:
    look(browser, report)
    browser.js("document.querySelectorAll('img').forEach((one) => { one.loading = 'eager'; })")
    browser.wait("[...document.images].every((one) => one.complete)")
    assert browser.js("document.images.length") > 10
    assert browser.js("[...document.images].every((one) => one.naturalWidth > 0)")


@pytest.mark.parametrize("page", ["report", "comparison"])
@pytest.mark.parametrize("width_px", [400, 1280])
def test_nothing_runs_over_the_edge(
    browser: Browser, page: str, width_px: int, request: pytest.FixtureRequest
) -> None:
    look(browser, request.getfixturevalue(page), width_px)
    assert browser.js("document.documentElement.scrollWidth") <= width_px
    wide: list[Any] = browser.js(
        "[...document.querySelectorAll('.card, .sheet, figure, .headline, td, th')]"
        f".filter((one) => !one.closest('.scroll') && one.getBoundingClientRect().right > {width_px})"
        ".map((one) => one.outerHTML.slice(0, 120))"
    )
    assert wide == []


@pytest.mark.parametrize("page", ["report", "comparison"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(
    browser: Browser, page: str, scheme: str, request: pytest.FixtureRequest
) -> None:
    look(browser, request.getfixturevalue(page), scheme=scheme)
    found = browser.js(CONTRAST)
    assert found["seen"] > 300
    assert found["low"] == []


@pytest.mark.parametrize("page", ["report", "comparison"])
def test_charts_show_what_the_tables_say(browser: Browser, page: str, request: pytest.FixtureRequest) -> None:
    look(browser, request.getfixturevalue(page))
    plotted = browser.js(PLOTTED)
    assert len(plotted) > 25
    off = [one for one in plotted if abs(one["drawn"] - one["said"]) > 0.01 * one["width"]]
    assert off == []


def test_charts_and_pictures_have_names(browser: Browser, report: Path) -> None:
    look(browser, report)
    nameless = browser.js(
        "[...document.querySelectorAll('svg[role=img], img, [role=region]')]"
        ".filter((one) => !(one.getAttribute('aria-label') || one.alt)).length"
    )
    assert nameless == 0
    assert browser.js("[...document.querySelectorAll('table')].every((one) => one.caption)")
    assert browser.js("[...document.querySelectorAll('tr')].every((one) => one.querySelector('th'))")


def test_a_phone_stacks_a_row_and_keeps_its_numbers(browser: Browser, report: Path) -> None:
    look(browser, report, 400)
    stacked = browser.js(
        "(() => { const row = document.querySelector('.forest tbody tr'); "
        "const [name, chart, value] = ['th', '.chart', '.value'].map((one) => "
        "row.querySelector(one).getBoundingClientRect()); "
        "return [name.bottom <= chart.top + 1, chart.bottom <= value.top + 1, chart.width > 250]; })()"
    )
    assert stacked == [True, True, True]
