"""The page as text: nothing of the data is markup, nothing is fetched, it keeps to its size."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mht.artifacts import read_commits
from mht.config import BuildConfig
from mht.dataset.books import Books, add_up
from mht.dataset.gallery.entries import caption_pieces, entry
from mht.dataset.gallery.page import MOST_BYTES, embedded, figures, page
from mht.dataset.gallery.plots import plain, stacked, svg
from mht.dataset.gallery.sample import Look, Refused
from mht.dataset.run import Run, read_run
from mht.storage import Storage
from tests.dataset.alone import HOSTILE


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self._at = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._at = tag

    def handle_data(self, data: str) -> None:
        if self._at in self.inside:
            self.inside[self._at].append(data)

    def handle_endtag(self, tag: str) -> None:
        self._at = ""


@pytest.fixture(scope="module")
def run(finished: BuildConfig) -> Run:
    found = read_run(Storage(finished.storage), finished.output)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def books(finished: BuildConfig, run: Run) -> Books:
    return add_up(read_commits(Storage(finished.storage), finished.output, run.name, sorted(run.plan.shards)))


@pytest.fixture(scope="module")
def text(finished: BuildConfig) -> str:
    return (Path(finished.output) / "gallery.html").read_text(encoding="utf-8")


def look(number: int = 0, data: bytes = b"\xff\xd8", **given: Any) -> Look:
    image = {
        "image_id": f"{number:016x}", "split": "train", "modality": None, "licence": HOSTILE, "width_px": 8,
        "height_px": 8, "caption": HOSTILE, "facts": [], "image": {"bytes": data},
    }  # fmt: skip
    pair = dict.fromkeys(
        ("type", "form", "risk", "risk_rule", "evidence", "answer", "counterpart", "pair_id"), HOSTILE
    )
    pair |= {
        "state": "faithful",
        "polarity": None,
        "twin_id": "t",
        "question": HOSTILE,
        "span_start": 2,
        "span_end": 5,
    }
    return Look(image, [pair | given])


def shown(text: str) -> Any:
    return json.loads(Elements(text).inside["script"][0])


def test_the_policy_names_the_very_script_and_style(text: str) -> None:
    elements = Elements(text)
    policy = next(
        a["content"] for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for kind, source in (
        ("script", elements.inside["script"][1]),
        ("style", "".join(elements.inside["style"])),
    ):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_nothing_is_fetched_and_nothing_runs_from_an_attribute(text: str) -> None:
    for tag, attributes in Elements(text).found:
        for name, value in attributes.items():
            assert name != "style", f"the policy would refuse {tag} style={value}"
            assert not name.startswith("on"), f"{tag} {name}"
            if name in ("src", "href"):
                assert str(value).startswith(("#", "data:")), f"{tag} {name}={value}"
    style = "".join(Elements(text).inside["style"])
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_texts_add_no_element(run: Run, books: Books) -> None:
    clean = page(
        run, "1", books, [], [Refused("corrupt", 1, [{"image_id": "i", "stage": "s", "detail": "d"}])]
    )
    hostile_row = {"image_id": HOSTILE, "stage": HOSTILE, "detail": HOSTILE}
    hostile = page(run, "1", books, [look()], [Refused(HOSTILE, 1, [hostile_row])])
    assert [tag for tag, _ in Elements(hostile.decode()).found] == [
        tag for tag, _ in Elements(clean.decode()).found
    ]
    pair = shown(hostile.decode())["images"][0]["twins"][0][0]
    assert "".join(pair["question"]) == pair["answer"] == HOSTILE


def test_json_ends_no_element_and_comes_back() -> None:
    assert "<" not in embedded([HOSTILE])
    assert json.loads(embedded([HOSTILE])) == [HOSTILE]


def test_spans_and_facts_are_cut_by_characters() -> None:
    told = entry(look(question="𝔘𝔘 the left lung 𝔘", span_start=7, span_end=11, counterpart="right"))
    assert told["twins"][0][0]["question"] == ["𝔘𝔘 the ", "left", " lung 𝔘"]
    facts = [
        {"start": 3, "end": 5, "presence": "absent"},
        {"start": 0, "end": 2, "presence": "present"},
        {"start": 4, "end": 6, "presence": "present"},
        {"start": 6, "end": 99, "presence": "present"},
    ]
    pieces = caption_pieces("𝔘bcdefg", facts)
    assert pieces == [["𝔘b", "present"], ["c", ""], ["de", "absent"], ["fg", ""]]


def test_a_pair_without_its_twin_stands_alone() -> None:
    assert [len(twin) for twin in entry(look())["twins"]] == [1]


def test_a_rejected_answer_is_shown_where_there_is_one() -> None:
    assert entry(look())["twins"][0][0]["rejected"] is None
    assert entry(look(rejected="Yes."))["twins"][0][0]["rejected"] == "Yes."


def test_it_keeps_under_its_size_and_says_what_it_left_out(run: Run, books: Books) -> None:
    noise = random.Random(1)
    looks = [look(number, noise.randbytes(150_000)) for number in range(60)]
    data = page(run, "1", books, looks, [])
    assert MOST_BYTES * 0.9 < len(data) <= MOST_BYTES
    left = 60 - len(shown(data.decode())["images"])
    assert left > 0
    assert f"{left} more were chosen and left out" in data.decode()


def test_a_large_picture_is_shown_smaller_and_a_small_one_as_it_is() -> None:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.effect_noise((700, 400), 80).save(buffer, "PNG")
    told = entry(look(data=buffer.getvalue()))
    small = Image.open(io.BytesIO(base64.b64decode(told["src"].partition(",")[2])))
    assert (told["smaller"], small.size) == (True, (512, 293))
    kept = entry(look(data=b"\x89PNG and so on"))
    assert (kept["smaller"], kept["src"]) == (False, "data:image/png;base64,iVBORyBhbmQgc28gb24=")


def test_figures_draw_every_pair(books: Books) -> None:
    totals = {bars.title: sum(sum(numbers) for _, numbers in bars.rows) for bars in figures(books)}
    pairs = books.total("pairs")
    assert totals.pop("Images by their number of pairs") == books.total("out")
    assert totals.pop("Pairs by strategy") == sum(books.counts["strategy"].values()) > 0
    assert set(totals) == {
        "Pairs by type", "Pairs by form", "Pairs by risk", "Pairs by modality", "Pairs by split", "Answer by form",
        "Risk by type",
    }  # fmt: skip
    assert set(totals.values()) == {pairs}


def test_an_older_run_without_tallies_gives_a_page_too(run: Run, books: Books) -> None:
    bare = Books({"total": books.counts["total"]})
    assert figures(bare) == []
    assert b"Nothing was quarantined" in page(run, "1", bare, [], [])


def test_bars_are_as_long_as_their_numbers_and_say_them() -> None:
    drawn = svg(plain("Title <b>", {"few": 10, "many": 40}))
    widths = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]
    assert widths[0] == pytest.approx(4 * widths[1])
    assert html.unescape(re.findall('aria-label="([^"]*)"', drawn)[0]) == "Title <b>: many 40; few 10"
    assert "<b>" not in drawn


def test_a_cut_bar_adds_up_in_the_given_order() -> None:
    bars = stacked("t", {"a/no": 1, "a/yes": 2, "b/yes": 7, "b/new": 1}, ("yes", "no"))
    assert (bars.parts, bars.rows) == (["yes", "no", "new"], [("b", [7, 0, 1]), ("a", [2, 1, 0])])


def test_many_words_end_in_all_others() -> None:
    cut = stacked("t", {f"word{n:02d}/{part}": 1 for n in range(40) for part in ("a", "b")}, ())
    assert cut.rows[-1] == ("all others", [23, 23])
    bars = plain("t", {f"word{n:02d}": 1 for n in range(40)})
    assert len(bars.rows) == 18
    assert (bars.rows[-1][0], sum(n for _, (n,) in bars.rows)) == ("all others", 40)
