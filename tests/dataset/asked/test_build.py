"""A build whose captions, words and verdicts come from a model behind a real endpoint."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mht.artifacts import read_manifest
from mht.config import load
from mht.dataset.command import run_build, summary
from mht.dataset.explain import explain
from mht.dataset.predict import plan_build
from mht.dataset.preview import preview
from mht.dataset.verify import verify
from mht.errors import BudgetSpent, ConfigError, InputError, TooManyQuarantined
from mht.storage import Storage, StorageParams
from tests.dataset.asked.model import Model, served
from tests.dataset.oracle import build_here, common, quarantine_of, rows_of

pytestmark = pytest.mark.usefixtures("ray_cluster")
ASKS = "engines.eye.kind=openai", "engines.eye.model=m", "captioner.kind=generated", "captioner.engine=eye"


@pytest.fixture
def model() -> Iterator[Model]:
    with served(Model()) as one:
        yield one


@pytest.fixture(scope="session")
def some_phantoms(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 of the phantoms, their captions with them."""
    return some_of(phantoms, tmp_path_factory.mktemp("some") / "images", 120)


def some_of(phantoms: Path, folder: Path, count: int) -> Path:
    """The first phantoms in a folder of their own."""
    folder.mkdir()
    kept = []
    for line in (phantoms / "metadata.jsonl").read_text().splitlines()[:count]:
        name = json.loads(line)["file_name"]
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((phantoms / name).read_bytes())
        kept.append(line)
    (folder / "metadata.jsonl").write_text("\n".join(kept) + "\n")
    return folder


def words(folder: Path, output: Path, model: Model, *more: str) -> list[str]:
    given = {word.partition("=")[0] for word in more}
    asks = [word for word in ASKS if word.partition("=")[0] not in given]
    return [*common(folder, output, *asks, f"engines.eye.base_url={model.url}", *more)]


def rows(output: Path, kind: str) -> list[dict[str, object]]:
    _, files = read_manifest(Storage(StorageParams()), str(output))
    return [
        row
        for record in files
        if record.path.startswith(f"{kind}/")
        for row in pq.read_table(output / record.path).to_pylist()
    ]


def test_captions_come_from_the_pixels_and_are_paid_for_once(
    some_phantoms: Path, tmp_path: Path, model: Model
) -> None:
    output = tmp_path / "out"
    _, report = build_here(*words(some_phantoms, output, model))
    assert model.calls == {"caption": 120}
    images = rows(output, "images")
    assert {row["caption"] for row in images} <= {model.caption(row["image"]["bytes"]) for row in images}
    for row in images:
        assert row["caption"] == model.caption(row["image"]["bytes"])
    spent = report.books.counts["spent"]
    assert (spent["texts/calls"], spent["texts/tokens"]) == (120, 120 * 20)
    before = rows_of(str(output))

    build_here(*words(some_phantoms, output, model))
    # What comes after the captions may change; they are not asked for again.
    build_here(*words(some_phantoms, output, model, "pairing.pairs_per_image=4", "new_run=true"))
    assert model.calls == {"caption": 120}
    build_here(*words(some_phantoms, output, model, "new_run=true"))
    assert model.calls == {"caption": 120}
    assert rows_of(str(output)) == before
    # Where the engine lies and how fast it is asked is nobody's matter; another revision is another model.
    build_here(*words(some_phantoms, output, model, "engines.eye.concurrency=3"))
    assert model.calls == {"caption": 120}
    build_here(*words(some_phantoms, output, model, "engines.eye.revision=v2", "new_run=true"))
    assert model.calls == {"caption": 240}
    assert "books balanced" in verify(load(None, [f"output={output}"]))


def test_a_reply_of_no_use_is_the_image_s_reason(some_phantoms: Path, tmp_path: Path, model: Model) -> None:
    usual = model.caption
    odd = {
        "reply_refused": "I'm sorry, but I cannot interpret medical images.",
        "reply_degenerate": "effusion effusion effusion effusion effusion effusion effusion effusion " * 8,
        "reply_empty": "​ ​",
        "reply_too_long": "A finding. " * 500,
        "no_facts": "A drawing of a house beside a lake with two trees.",
    }
    kinds = list(odd)

    def caption(image: bytes) -> str:
        lot = image[len(image) // 2] % 10
        return odd[kinds[lot]] if lot < len(kinds) else usual(image)

    model.caption = caption
    output = tmp_path / "out"
    (some_phantoms / "broken.jpg").write_bytes(b"<html>no such key</html>")
    try:
        build_here(*words(some_phantoms, output, model))
    finally:
        (some_phantoms / "broken.jpg").unlink()
    told = Counter(quarantine_of(str(output)).values())
    assert set(kinds) <= set(told)
    assert told["not_an_image"] == 1
    assert model.calls["caption"] == 120  # nobody is asked about what cannot be decoded
    (broken,) = [row for row in rows(output, "quarantine") if row["reason"] == "not_an_image"]
    assert broken["stage"] == "image"


def test_a_given_caption_is_corrected(some_phantoms: Path, tmp_path: Path, model: Model) -> None:
    output = tmp_path / "out"
    build_here(*words(some_phantoms, output, model, "captioner.kind=revised"))
    assert model.calls["revise"] == 120
    given = {
        json.loads(line)["caption"] for line in (some_phantoms / "metadata.jsonl").read_text().splitlines()
    }
    images = rows(output, "images")
    assert {str(row["caption"]) for row in images} <= given
    assert len(images) >= 114


def test_words_and_verdicts_of_a_model(some_phantoms: Path, tmp_path: Path, model: Model) -> None:
    output, plain = tmp_path / "out", tmp_path / "plain"
    build_here(*common(some_phantoms, plain))
    planned = {str(row["pair_id"]): row for row in rows(plain, "pairs")}
    states = {
        (caption, str(row["premise"])): row["state"]
        for row in planned.values()
        for caption in [_captions(plain)[str(row["image_id"])]]
    }
    doubted = sorted(states)[7]

    def premise(data: dict[str, str]) -> str:
        key = (data["known"], data["premise"])
        if key == doubted:
            return "open"
        return "true" if states[key] == "faithful" else "absent"

    model.premise = premise
    more = (
        "captioner.kind=given",
        "writer.kind=written",
        "writer.engine=eye",
        "verifier.kind=self_check",
        "verifier.engine=eye",
    )
    setup = [word for word in words(some_phantoms, output, model, *more) if word not in ASKS[2:]]
    _, report = build_here(*setup)
    made = {str(row["pair_id"]): row for row in rows(output, "pairs")}
    refused = rows(output, "refused_pairs")
    assert made.keys() | {row["pair_id"] for row in refused} == planned.keys()
    assert not made.keys() & {row["pair_id"] for row in refused}
    worded = [row for row in made.values() if row["form"] != "multiple_choice"]
    assert all(str(row["question"]).startswith("Looking at it once more: ") for row in worded)
    for pair_id, row in made.items():
        kept = ("premise", "span", "counterpart", "type", "risk", "evidence", "state", "twin_id")
        assert all(row[name] == planned[pair_id][name] for name in kept)
        assert str(row["question"])[row["span_start"] : row["span_end"]] == row["span"]
    by_reason = Counter(str(row["reason"]) for row in refused)
    assert by_reason["verifier_disagrees"] >= 2
    assert any("premise: open" in str(row["detail"]) for row in refused)
    assert model.calls["word"] == report.books.counts["spent"]["wordings/calls"]
    assert model.calls["premise"] == model.calls["answer"]
    calls = dict(model.calls)

    same = explain(load(None, [f"output={output}"]), min(made))
    assert same[1], same[0]
    assert "books balanced" in verify(load(None, [f"output={output}"]))
    build_here(*setup)
    assert dict(model.calls) == calls


def _captions(output: Path) -> dict[str, str]:
    return {str(row["image_id"]): str(row["caption"]) for row in rows(output, "images")}


def test_a_spent_budget_keeps_what_was_paid_for(some_phantoms: Path, tmp_path: Path, model: Model) -> None:
    output = tmp_path / "out"
    setup = words(some_phantoms, output, model)
    with pytest.raises(BudgetSpent, match="max_calls"):
        build_here(*setup, "engines.eye.max_calls=70")
    # One shard of 50 is whole, of the next 20 replies lie in its part; a larger budget is not another run.
    assert model.calls == {"caption": 70}
    assert len(list(output.glob("texts/*/*.parquet"))) >= 1
    assert list(output.glob("texts/*/*.part"))
    build_here(*setup, "engines.eye.max_calls=1000")
    assert model.calls == {"caption": 120}
    assert set(model.prompts.values()) == {1}
    assert not list(output.glob("texts/*/*.part"))


def test_a_model_that_answers_too_seldom_ends_with_3(
    some_phantoms: Path, tmp_path: Path, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = model.wording
    model.wording = lambda data: "I am sorry." if len(data["example"]) % 8 == 0 else usual(data)
    setup = [
        *common(some_phantoms, tmp_path / "out", "writer.kind=written", "writer.engine=eye"),
        *("engines.eye.kind=openai", "engines.eye.model=m", f"engines.eye.base_url={model.url}"),
    ]
    with pytest.raises(TooManyQuarantined, match=r"wordings: \d+ of \d+ requests had no usable reply"):
        run_build(load(None, setup))
    assert "tokens out" in capsys.readouterr().out
    reasons = Counter(str(row["reason"]) for row in rows(tmp_path / "out", "refused_pairs"))
    assert reasons["reply_prose"] >= 10
    assert run_build(load(None, [*setup, "build.max_unanswered=1"])) == 0


def test_an_engine_that_nobody_described_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    eye = ("engines.eye.kind=openai", "engines.eye.model=m", "engines.eye.base_url=http://127.0.0.1:1/v1")
    for more, says in (
        (
            ("captioner.kind=generated", "captioner.engine=eyes"),
            "no engine is called 'eyes'; did you mean 'eye'?",
        ),
        (("captioner.kind=generated",), "captioner.engine: required"),
        (("engines.eye.modle=m",), "did you mean 'model'?"),
        (("engines.eye.replicas=4", "engines.eye.max_replicas=2"), "max_replicas=2 is less than replicas=4"),
        (("engines.eye.num_gpus=-1",), "engines.eye.num_gpus"),
    ):
        with pytest.raises(ConfigError, match=re.escape(says)):
            load(None, [f"output={tmp_path}", *eye, *more])


def test_more_cards_than_there_are_is_told_before_a_worker_waits_for_them(
    some_phantoms: Path, tmp_path: Path, model: Model
) -> None:
    with pytest.raises(ConfigError, match="asks for 8 GPUs, and Ray finds 0 here"):
        build_here(*words(some_phantoms, tmp_path / "out", model, "engines.eye.num_gpus=8"))
    assert not model.calls


def test_a_plan_tells_calls_tokens_and_money(
    some_phantoms: Path, tmp_path: Path, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    model.delay_s = 0.02
    setup = [
        *words(some_phantoms, tmp_path / "out", model, "engines.eye.concurrency=1"),
        *("engines.eye.price_in=10", "engines.eye.price_out=30"),
    ]
    assert plan_build(load(None, [*setup, "plan=true"])) == 0
    told = dict(re.findall(r"^  ([\w-]+) +(.+)$", capsys.readouterr().out, re.MULTILINE))
    # 120 images at 100 tokens in and 20 out each.
    assert told["calls"] == "about 120, 14,400 tokens"
    assert told["money"] == "about 0.19"
    said = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert 120 * 0.02 < said["work_s"] < 60
    assert model.calls["caption"] == 24
    config, report = build_here(*setup)
    assert "calls   120 -> 120 (+0%)" in summary(config, report)


def test_a_preview_asks_and_shows(some_phantoms: Path, tmp_path: Path, model: Model) -> None:
    more = ("writer.kind=written", "writer.engine=eye", "verifier.kind=self_check", "verifier.engine=eye")
    states: dict[str, str] = {}
    usual = model.wording

    def wording(data: dict[str, dict[str, str]]) -> str:
        states[data["premise"]["true"]], states[data["premise"]["false"]] = "true", "absent"
        return usual(data)

    model.wording = wording
    model.premise = lambda data: states.get(data["premise"], "open")
    text = preview(load(None, words(some_phantoms, tmp_path / "out", model, *more)), 3)
    assert text.count("Q: Looking at it once more: ") == 6
    assert not (tmp_path / "out").exists()
    model.premise = lambda data: "true"
    with pytest.raises(
        InputError, match="verdicts: verifier_disagrees: its twin, premise: true; because it is so"
    ):
        preview(load(None, words(some_phantoms, tmp_path / "out", model, *more)), 2)
