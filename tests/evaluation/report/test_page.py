"""The page as text: nothing of the data is markup, nothing is fetched, every figure says of how many."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mht.evaluation.report import page as module
from mht.evaluation.report.chapter import chapter
from mht.evaluation.report.files import report_files
from mht.evaluation.report.page import page
from mht.evaluation.run import EvaluationRun
from mht.judgements import Judgement
from mht.predictions import Prediction
from tests.evaluation.metrics.cases import EVERY, NO, YES, twin
from tests.evaluation.report.runs import HOSTILE, INTERVALS, run_of

FETCHING = {"src", "srcset", "href", "data", "action", "poster", "background", "xlink:href", "formaction"}


class Reader(HTMLParser):
    """Every tag, every address, every inline handler or style."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in FETCHING]
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


@pytest.fixture(scope="module")
def text(files: dict[str, bytes]) -> str:
    return files["report.html"].decode()


def test_nothing_is_fetched_and_nothing_runs(text: str) -> None:
    reader = read(text)
    assert {address.partition(":")[0] for address in reader.addresses if address[0] != "#"} == {"data"}
    assert not reader.tags & {"script", "iframe", "object", "embed", "form", "link"} - {"link"}
    assert reader.inline == []
    assert "@import" not in text
    assert "url(" not in text


def test_the_policy_names_the_one_style_by_its_hash(text: str) -> None:
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    sha = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0]
    assert f"style-src 'sha256-{sha}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "script-src" not in policy


def test_a_hostile_reply_is_text(text: str) -> None:
    assert HOSTILE not in text
    assert "Yes. &lt;script&gt;alert(1)&lt;/script&gt; [U+001B][31mred" in text
    assert "[U+202E]gnorw" in text
    assert not set("\x1b\u202e\u202c") & set(text)


def test_names_of_files_and_configurations_are_text_too() -> None:
    bad = "<b onclick=x>\x1b"
    row = replace(
        twin(YES, False, bad, type=bad, modality=bad),
        row_id=bad,
        benchmark=bad,
        judgements=(Judgement(bad, 1, 1, 1, 1),),
    )
    run = replace(
        run_of({bad: [row, replace(row, row_id="2", type="x", reply=NO)]}, name=bad), model={"kind": bad}
    )
    run = replace(run, notes={bad: [bad]}, run=bad, code=bad)
    made = report_files(run, INTERVALS)["report.html"].decode()
    assert read(made).inline == []
    assert "\x1b" not in made
    assert made.count("&lt;b onclick") > 5


def test_what_cannot_be_encoded_does_not_stop_the_report() -> None:
    run = run_of({"b": [twin("Yes, \ud800.", False, "a")]}, blind=False)
    assert b"[U+D800]" in report_files(run, INTERVALS)["report.html"]


def test_an_incomplete_run_says_so_at_the_top(text: str, scored: EvaluationRun) -> None:
    answered, asked = scored.answered("pairs")
    assert asked > answered
    first = text.index("This run is incomplete.")
    assert f"{asked - answered} of {asked} questions have no reply" in text[first : first + 200]
    assert first < text.index("Worst errors")
    assert text.count("This run is incomplete.") == 2  # both benchmarks that have rows
    assert "No headline for “false premises accepted”" in text


def test_a_complete_run_says_nothing_of_the_kind() -> None:
    run = run_of({"b": [row for row in EVERY if row.reply is not None]}, blind=False)
    made = html.unescape(report_files(run, INTERVALS)["report.html"].decode())
    assert "incomplete" not in made
    assert "No headline" not in made
    assert "Accepts <b>50.0 %</b> of false premises" in made


def test_a_benchmark_without_rows_and_a_run_without_benchmarks_are_told(text: str) -> None:
    assert "Nothing was asked of this benchmark: it has no rows." in text
    assert b"the run names no benchmark" in page(run_of({}), [], lambda name, rows: [], INTERVALS)


def test_the_parts_come_by_how_far_they_can_be_trusted(text: str) -> None:
    first = text[text.index('id="b-pairs"') : text.index('id="b-open"')]
    parts = re.findall(r'<h3 data-part="(\w+)">', first)
    assert parts == [
        "worst", "trusted", "risk", "type", "cross", "other", "confidence", "judged", "lexical", "unscored", "notes",
    ]  # fmt: skip
    second = text[text.index('id="b-open"') : text.index('id="b-empty"')]
    assert re.findall(r'<h3 data-part="(\w+)">', second) == [
        "worst",
        "trusted",
        "lexical",
        "unscored",
        "notes",
    ]


def test_the_lexical_table_has_every_blind_baseline(text: str) -> None:
    table = text[text.index('class="forest lexical"') :]
    table = table[: table.index("</table>")]
    for name in ("echo yes", "echo no", "question only", "caption"):
        assert f'role="columnheader" class="blind">{name}</th>' in table
    assert table.count('<td role="cell" class="blind">') == 4 * table.count('scope="row"')


def test_blind_figures_have_their_intervals(text: str, files: dict[str, bytes]) -> None:
    """In the lexical table, and beside what is counted: of these baselines polarity and words were measured."""
    told = json.loads(files["report.json"])["benchmarks"]["pairs"]
    one = next(one for one in told["lexical"] if one["title"] == "ROUGE-L")
    for blind in one["blind"].values():
        bounds = f"{blind['low']:.3f} to {blind['high']:.3f}"
        assert f"</span> {blind['value']:.3f}<small>{bounds}</small>" in text
    polarity = next(one for one in told["figures"] if one["title"] == "Yes or no as in the reference")
    no = polarity["blind"]["echo_no"]
    written = f"echo no {100 * no['value']:.1f} % ({100 * no['low']:.1f} to {100 * no['high']:.1f})"
    assert f"<small>Blind: echo yes {100 * polarity['blind']['echo_yes']['value']:.1f} % (" in text
    assert written in text
    assert f", {written}" in files["report.md"].decode().replace("\\", "")
    # Polarity, the same of all, closed questions: of the pairs and of the open questions.
    assert text.count("<small>Blind: ") == 6
    assert "blind" not in next(one for one in told["figures"] if one["title"] == "Both twins right")


def test_what_does_not_beat_the_blind_is_called_so() -> None:
    rows = [twin(f"Yes, {row.question}", row.state == "faithful", row.image_id) for row in EVERY]
    made = report_files(run_of({"b": rows}), INTERVALS)["report.html"].decode()
    assert "Not above echo yes" in made


def test_for_the_judges_risk_it_is_said_that_10_is_safest(text: str) -> None:
    assert "for risk 10 is safest" in text
    assert "Risk, 10 is safest" in text


def test_two_judges_never_stand_in_one_table() -> None:
    rows = [
        replace(row, judgements=(Judgement("a" if at % 2 else "b", 5, 5, 5, at % 10 + 1),))
        for at, row in enumerate(EVERY)
    ]
    run = replace(run_of({"b": EVERY}, blind=False), benchmarks={"b": rows})
    made = chapter(run, "b", INTERVALS).judged
    assert [one.judge for one in made] == ["a", "b"]
    assert [(one.rows[0].score.n, one.rows[0].score.n_asked) for one in made] == [(4, 11), (6, 11)]
    text = report_files(run, INTERVALS)["report.html"].decode()
    assert [text.count(f"<caption>Judge: {name}. ") for name in "ab"] == [1, 1]


def test_true_and_false_premises_are_judged_apart_too() -> None:
    given = {"faithful": Judgement("a", 8, 7, 6, 9), "hallucinated": Judgement("a", 3, 5, 4, 2)}
    rows = [replace(row, judgements=(given[str(row.state)],)) for row in EVERY]
    run = replace(run_of({"b": EVERY}, blind=False), benchmarks={"b": rows})
    made = report_files(run, INTERVALS)
    told = json.loads(made["report.json"])["benchmarks"]["b"]["judged_by_state"]["a"]
    means = {state: {one["name"]: one["value"] for one in figures} for state, figures in told.items()}
    assert [means[state]["judged.accuracy"] for state in ("faithful", "hallucinated")] == [8, 3]
    assert [means[state]["judged.risk"] for state in ("faithful", "hallucinated")] == [9, 2]
    assert "<caption>Judge: a, false premises. " in made["report.html"].decode()
    assert "False premises, judged by a:" in made["report.md"].decode()
    alone = replace(run, benchmarks={"b": [row for row in rows if row.state == "faithful"]})
    assert (
        json.loads(report_files(alone, INTERVALS)["report.json"])["benchmarks"]["b"]["judged_by_state"] == {}
    )


def test_the_worst_errors_carry_image_premise_answer_and_risk(text: str) -> None:
    cards = re.findall(r'<li class="card.*?</dl>', text, re.DOTALL)
    assert cards
    [first] = [card for card in cards if "alert(1)" in card]
    assert 'src="data:image/jpeg;base64,' in first
    assert "<mark>" in first
    assert "risk critical" in first
    assert "<dt>Reference</dt>" in first


def test_images_past_the_limit_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 5)
    run = run_of({"b": [twin(YES, False, "a"), twin(YES, False, "c")]}, blind=False)

    def pictures(benchmark: str, rows: list[Prediction]) -> list[bytes | None]:
        return [b"\x89PNG" for _ in rows]

    made = page(run, [chapter(run, "b", INTERVALS)], pictures, INTERVALS).decode()  # type: ignore[arg-type]
    assert made.count("<img") == 1
    assert made.count("image not at hand") == 1


def test_pictures_are_asked_for_the_shown_errors_alone(scored: EvaluationRun) -> None:
    asked: list[tuple[str, int]] = []

    def pictures(benchmark: str, rows: list[Prediction]) -> list[bytes | None]:
        asked.append((benchmark, len(rows)))
        return [None] * len(rows)

    report_files(scored, INTERVALS, pictures)  # type: ignore[arg-type]
    assert [name for name, _ in asked] == ["pairs", "open"]
    assert max(n for _, n in asked) <= 24


def test_the_same_run_gives_the_same_page(scored: EvaluationRun) -> None:
    assert report_files(scored, INTERVALS) == report_files(scored, INTERVALS)


def test_a_digest_is_told_by_its_first_digits() -> None:
    digest = "92a722cc571f9987f7b8b3d72acc768312bf2c4b81ab91e5f4439bec4e590c1c"
    run = replace(
        run_of({"b": EVERY}, blind=False), model={"kind": "transformers", "model": digest, "adapter": digest}
    )
    header = page(run, [], lambda *_: [], INTERVALS).decode()
    assert "transformers, 92a722cc571f…, adapter 92a722cc571f…. Run" in header
    assert digest not in header
