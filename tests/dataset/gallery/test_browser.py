"""The gallery in a real browser: it shows twins, filters them, answers keys, asks nothing of any network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mht.artifacts import read_manifest, read_table
from mht.config import BuildConfig
from mht.storage import Storage
from tests.browser import Browser

SHOWN = "[...document.querySelectorAll('.half')].map((half) => half.dataset.pair)"
# Every text's colour against the first opaque ground behind it, as WCAG 2 reckons contrast; those under 4.5.
CONTRAST = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    throw new Error("no ground");
  };
  const low = [];
  let seen = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.checkVisibility() || node.closest("script")) continue;
    const style = getComputedStyle(node);
    const ink = rgba(node.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(ground(node))].sort((x, y) => y - x);
    seen += 1;
    if ((a + .05) / (b + .05) < 4.5) low.push(`${node.className.baseVal ?? node.className}: ${walk.currentNode.data}`);
  }
  return { seen, low };
})()
"""


@pytest.fixture(scope="module")
def page(finished: BuildConfig) -> Path:
    return Path(finished.output) / "gallery.html"


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.scheme("light")
    browser.size(1300, 900)
    browser.open(page)
    return browser


@pytest.fixture(scope="module")
def pairs(finished: BuildConfig) -> dict[str, dict[str, Any]]:
    """Every pair of the dataset by id; all of its images are in the gallery."""
    storage = Storage(finished.storage)
    _, files = read_manifest(storage, finished.output)
    tables = [read_table(storage, finished.output, f) for f in files if f.path.startswith("pairs/")]
    return {row["pair_id"]: row for table in tables for row in table.to_pylist()}


def show_all(browser: Browser) -> None:
    browser.js(
        "(() => { const more = document.getElementById('more'); while (!more.hidden) more.click(); })()"
    )


def tick(browser: Browser, kind: str, word: str) -> None:
    box = f'input[name="{kind}"][value="{word}"]'
    browser.js(f"document.querySelector({json.dumps(box)}).click()")


def test_it_shows_every_pair_with_its_span_marked(opened: Browser, pairs: dict[str, dict[str, Any]]) -> None:
    show_all(opened)
    halves = opened.js(
        "[...document.querySelectorAll('.half')].map((half) => [half.dataset.pair, "
        "half.querySelector('.question').textContent, half.querySelector('mark').textContent, "
        "half.querySelector('.answer').textContent])"
    )
    assert {pair_id for pair_id, *_ in halves} == pairs.keys()
    for pair_id, question, span, answer in halves:
        row = pairs[pair_id]
        assert (span, answer) == (row["span"] or "∅", row["answer"])
        assert question.replace("∅", "") == row["question"].replace("∅", "")


def test_it_asks_no_network_and_breaks_no_rule_of_its_own(opened: Browser, page: Path) -> None:
    show_all(opened)
    outside = [url for url in opened.requests if not url.startswith("data:")]
    assert outside == [page.as_uri()]
    assert opened.complaints == []
    assert opened.js("[...document.images].filter((image) => image.src && !image.naturalWidth).length") == 0


def test_a_hostile_caption_is_text(opened: Browser, page: Path) -> None:
    opened.open(page, "#q=onerror")
    caption = opened.js("document.querySelector('.caption p').textContent")
    assert '</script><img src="https://example.invalid/x.png" onerror="window.pwned=1">' in caption
    assert "{{data}}" in caption
    assert "\U0001d518" in caption
    assert opened.js("typeof window.pwned") == "undefined"
    assert opened.complaints == []


def test_its_policy_would_stop_a_script_and_a_request(opened: Browser) -> None:
    opened.js(
        "document.body.append(Object.assign(document.createElement('script'), { text: 'window.pwned = 1' })), "
        "document.body.append(Object.assign(new Image(), { src: 'https://example.invalid/x.png' })), 0"
    )
    opened.wait("true")
    assert opened.js("typeof window.pwned") == "undefined"
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)


@pytest.mark.parametrize("kind", ["type", "form", "risk", "state", "split"])
def test_a_filter_leaves_what_it_says(opened: Browser, pairs: dict[str, dict[str, Any]], kind: str) -> None:
    word = min(row[kind] for row in pairs.values())
    tick(opened, kind, word)
    show_all(opened)
    wanted = {pair_id for pair_id, row in pairs.items() if row[kind] == word}
    assert set(opened.js(SHOWN)) == wanted
    assert opened.js("document.getElementById('status').textContent").startswith(f"{len(wanted):,} pair")
    opened.js("document.getElementById('reset').click()")
    show_all(opened)
    assert set(opened.js(SHOWN)) == pairs.keys()


def test_filters_join_and_the_address_keeps_them(
    opened: Browser, page: Path, pairs: dict[str, dict[str, Any]]
) -> None:
    tick(opened, "state", "hallucinated")
    tick(opened, "risk", "critical")
    tick(opened, "risk", "high")
    show_all(opened)
    shown = set(opened.js(SHOWN))
    assert shown == {
        pair_id
        for pair_id, row in pairs.items()
        if row["state"] == "hallucinated" and row["risk"] in ("critical", "high")
    }
    fragment = opened.js("location.hash")
    opened.open(page, fragment)
    show_all(opened)
    assert set(opened.js(SHOWN)) == shown
    assert opened.js("document.querySelectorAll('.chip input:checked').length") == 3


def test_a_modality_is_that_of_the_image(opened: Browser) -> None:
    word = opened.js("document.querySelector('input[name=modality]').value")
    tick(opened, "modality", word)
    show_all(opened)
    said = opened.js("[...document.querySelectorAll('.about')].map((about) => about.textContent)")
    assert said
    assert all(("image" if word == "unsaid" else word.replace("_", " ")) in about for about in said)


def test_search_finds_words_and_ids_and_says_when_nothing_fits(
    opened: Browser, pairs: dict[str, dict[str, Any]]
) -> None:
    one = sorted(pairs)[0]
    opened.press("/")
    assert opened.js("document.activeElement.id") == "search"
    for letter in one:
        opened.press(letter)
    assert opened.js(SHOWN) == [one]
    opened.press("z")
    assert opened.js(SHOWN) == []
    assert "Reset" in opened.js("document.getElementById('status').textContent")
    opened.press("Escape")
    opened.press("r")
    assert len(opened.js(SHOWN)) > 1


def test_keys_walk_through_the_images_and_open_windows(opened: Browser) -> None:
    seen = []
    for key in ("j", "j", "k"):
        opened.press(key)
        seen.append(opened.js("[...document.querySelectorAll('.card')].indexOf(document.activeElement)"))
    assert seen == [0, 1, 0]
    assert opened.js("document.querySelector('.caption').open") is False
    opened.press("c")
    opened.wait("[...document.querySelectorAll('.caption')].every((caption) => caption.open)")
    opened.js("document.querySelector('.zoom').click()")
    opened.wait(
        "document.getElementById('picture').open && document.querySelector('#picture img').naturalWidth > 0"
    )
    opened.js("document.getElementById('picture').close()")
    opened.press("?")
    assert opened.js("document.getElementById('help').open") is True
    opened.js("document.getElementById('help').close()")


def test_a_key_past_the_last_card_draws_more(opened: Browser) -> None:
    count = "document.querySelectorAll('.card').length"
    first = opened.js(count)
    opened.js("[...document.querySelectorAll('.card')].at(-1).focus()")
    opened.press("j")
    assert opened.js(count) > first


def test_quarantine_opens_on_its_reasons(opened: Browser) -> None:
    reasons = opened.js("[...document.querySelectorAll('.reason')].map((reason) => reason.dataset.reason)")
    assert "not_an_image" in reasons
    opened.js(
        "(() => { const choice = document.getElementById('reason'); choice.value = 'not_an_image'; "
        "choice.dispatchEvent(new Event('change', { bubbles: true })); })()"
    )
    visible = opened.js(
        "[...document.querySelectorAll('.reason')].filter((one) => one.checkVisibility()).length"
    )
    assert visible == 1
    assert opened.js("document.querySelector('.reason[open] td').textContent.length") == 16


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(browser: Browser, page: Path, scheme: str) -> None:
    browser.scheme(scheme)
    browser.size(1300, 900)
    browser.open(page)
    browser.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tick(browser, "state", "faithful")
    tick(browser, "state", "hallucinated")
    found = browser.js(CONTRAST)
    assert found["seen"] > 300
    assert found["low"] == []


def test_controls_and_pictures_have_names(opened: Browser) -> None:
    nameless = opened.js(
        "[...document.querySelectorAll('button, input, select, img, svg[role=img], dialog')]"
        ".filter((node) => node.checkVisibility() && !(node.getAttribute('aria-label') || node.alt || "
        "node.textContent.trim() || node.labels?.length)).map((node) => node.outerHTML.slice(0, 200))"
    )
    assert nameless == []


def test_a_phone_of_400_px_needs_no_sideways_scrolling(browser: Browser, page: Path) -> None:
    browser.scheme("light")
    browser.size(400, 800, phone=True)
    browser.open(page)
    show_all(browser)
    browser.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.js("document.documentElement.scrollWidth") <= 400
    wide = browser.js(
        "[...document.querySelectorAll('.card, .half, figure, .reason, #filters')]"
        ".filter((node) => node.getBoundingClientRect().right > 400).length"
    )
    assert wide == 0
    stacked = browser.js(
        "(() => { const [a, b] = document.querySelectorAll('.half'); "
        "return b.getBoundingClientRect().top >= a.getBoundingClientRect().bottom; })()"
    )
    assert stacked is True
