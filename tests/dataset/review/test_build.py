"""A build with a review changes exactly the rows that the review names, and says what became of each decision."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mht.artifacts import read_manifest, read_table
from mht.config import load
from mht.dataset.explain import explain
from mht.dataset.reading import Dataset, Selection
from mht.dataset.review.decisions import Decision, Review
from mht.dataset.review.tasks import export_tasks, import_review
from mht.dataset.verify import verify
from mht.errors import InputError, IntegrityError, RunConflict
from mht.storage import Storage, StorageParams
from tests.dataset.conftest import draw
from tests.dataset.oracle import build_here, common, rows_of

STORAGE = Storage(StorageParams())
Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("review") / "images", 60)


@pytest.fixture(scope="module")
def plain(ray_cluster: None, images: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The dataset without a review."""
    output = str(tmp_path_factory.mktemp("review-plain") / "out")
    build_here(*common(images, output, "build.gallery_images=0"))
    return output


@pytest.fixture
def rebuilt(images: Path, plain: str, tmp_path: Path) -> Callable[[Sequence[Decision]], str]:
    """A copy of the plain dataset, built anew with these decisions; says where it is."""
    import shutil

    def build(decisions: Sequence[Decision]) -> str:
        output = tmp_path / "out"
        shutil.copytree(plain, output)
        (tmp_path / "review.jsonl").write_bytes(Review.of(decisions).to_bytes())
        review = f"review={tmp_path / 'review.jsonl'}"
        build_here(*common(images, output, review, "new_run=true", "build.gallery_images=0"))
        return str(output)

    return build


def pairs_of(output: str) -> Rows:
    found = Dataset(STORAGE, output).pairs(Selection())
    return {pair["pair_id"]: pair for _, pairs in found for pair in pairs}


def outcomes_of(output: str) -> dict[str, list[tuple[str, str | None]]]:
    _, files = read_manifest(STORAGE, output)
    found: dict[str, list[tuple[str, str | None]]] = {}
    for record in files:
        if record.path.startswith("reviewed/"):
            for row in read_table(STORAGE, output, record).to_pylist():
                found.setdefault(row["pair_id"], []).append((row["outcome"], row["reason"]))
    return found


def about(pair: dict[str, Any], verdict: str, **more: str) -> Decision:
    return Decision.model_validate(
        {"pair_id": pair["pair_id"], "row_hash": pair["row_hash"], "verdict": verdict, **more}
    )


def test_ten_rejected_pairs_are_exactly_the_ten_rows_that_change(
    plain: str, rebuilt: Callable[[Sequence[Decision]], str]
) -> None:
    before, rows = pairs_of(plain), rows_of(plain)
    ten = random.Random(1).sample(sorted(before), 10)
    output = rebuilt([about(before[pair_id], "reject") for pair_id in ten])
    after = rows_of(output)
    assert rows.keys() - after.keys() == {f"pairs:{pair_id}" for pair_id in ten}
    assert after.items() <= rows.items()
    stats = json.loads((Path(output) / "stats.json").read_text())
    assert stats["books"]["review"] == {"foreign": 0, "rejected": 10}
    assert stats["books"]["total"]["pairs"] == len(before) - 10
    assert "books balanced" in verify(load(None, [f"output={output}"]))


def test_every_kind_of_decision_and_what_became_of_it(
    plain: str, rebuilt: Callable[[Sequence[Decision]], str]
) -> None:
    before = pairs_of(plain)
    yes = [p for p in before.values() if p["polarity"] == "yes"]
    good, bad, old, fine, lost = random.Random(2).sample(yes, 5)
    better = good["answer"].rstrip(".") + ", as the image shows."
    decisions = [
        about(good, "edit", answer=better, reviewer="7", note="said what is seen"),
        about(bad, "edit", answer="No, nothing of the kind."),
        about({**old, "row_hash": "0" * 32}, "reject"),
        about(fine, "accept"),
        about({**lost, "pair_id": lost["pair_id"][:-11] + "0" * 10 + "f"}, "reject"),
        about({**lost, "pair_id": "0" * 16 + lost["pair_id"][16:]}, "reject"),
    ]
    output = rebuilt(decisions)
    after = pairs_of(output)
    assert after[good["pair_id"]]["answer"] == better
    assert after[good["pair_id"]]["row_hash"] != good["row_hash"]
    changed = {pair_id for pair_id in before if before[pair_id] != after.get(pair_id)}
    assert changed == {good["pair_id"], bad["pair_id"]}
    assert bad["pair_id"] not in after
    assert outcomes_of(output) == {
        good["pair_id"]: [("edited", None)],
        bad["pair_id"]: [("edit_refused", "answer_contradicts")],
        old["pair_id"]: [("stale", None)],
        fine["pair_id"]: [("accepted", None)],
        decisions[4].pair_id: [("missing", None)],
    }
    stats = json.loads((Path(output) / "stats.json").read_text())
    told = {"accepted": 1, "edit_refused": 1, "edited": 1, "foreign": 1, "missing": 1, "stale": 1}
    assert stats["books"]["review"] == told
    config = load(None, [f"output={output}"])
    assert "books balanced" in verify(config)
    text, same = explain(config, good["pair_id"])
    assert same
    assert "review   edited by 7: said what is seen" in text


def test_the_review_is_part_of_the_run_by_its_content(
    images: Path, plain: str, rebuilt: Callable[[Sequence[Decision]], str], tmp_path: Path
) -> None:
    before = pairs_of(plain)
    first, second = sorted(before)[:2]
    output = rebuilt([about(before[first], "reject"), about(before[second], "accept")])
    words = (*common(images, output), "build.gallery_images=0")
    lines = (tmp_path / "review.jsonl").read_text().splitlines()
    (tmp_path / "turned.jsonl").write_text("\n".join(reversed(lines)) + "\n\n")
    _, report = build_here(*words, f"review={tmp_path / 'turned.jsonl'}")
    assert report.shards_built == 0
    (tmp_path / "turned.jsonl").write_text(lines[0] + "\n")
    with pytest.raises(RunConflict, match=r"review: .review/[0-9a-f]{16}\.jsonl. -> .review/"):
        build_here(*words, f"review={tmp_path / 'turned.jsonl'}")
    with pytest.raises(RunConflict, match=r"review: .* -> null"):
        build_here(*words)
    run = json.loads((Path(output) / "run.json").read_text())
    kept = Path(output) / run["config"]["review"]
    assert kept.read_text().splitlines() == sorted(lines)
    kept.write_text(lines[0] + "\n")
    with pytest.raises(IntegrityError, match=kept.name):
        verify(load(None, [f"output={output}"]))


def test_a_round_trip_through_label_studio(
    plain: str, images: Path, rebuilt: Callable[[Sequence[Decision]], str], tmp_path: Path
) -> None:
    tasks_file, exported, review = (str(tmp_path / name) for name in ("tasks.json", "ls.json", "r.jsonl"))
    export_tasks(plain, tasks_file, ["n=6"])
    tasks = json.loads(Path(tasks_file).read_text())
    for number, task in enumerate(tasks, 1):
        verdict = ("accept", "reject_both", "accept")[number % 3]
        choice = {
            "from_name": "verdict",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [verdict]},
        }
        task |= {
            "id": number,
            "annotations": [{"result": [choice], "completed_by": 1, "was_cancelled": False}],
        }
    Path(exported).write_text(json.dumps(tasks))
    line = import_review(exported, review, [])
    assert line.startswith(f"{review}: ")
    rejected = {t["data"][k] for t in tasks[::3] for k in ("pair_id", "twin_pair_id")}
    before = pairs_of(plain)
    output = rebuilt(list(Review.of(_read(review)).decisions.values()))
    assert before.keys() - pairs_of(output).keys() == rejected
    assert pairs_of(output).items() <= before.items()
    _, report = build_here(*common(images, output), f"review={exported}", "build.gallery_images=0")
    assert report.shards_built == 0


def _read(review: str) -> list[Decision]:
    return [Decision.model_validate_json(line) for line in Path(review).read_text().splitlines()]


def test_a_review_that_cannot_be_read_stops_the_build_before_anything(images: Path, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"pair_id": "ab-cdf", "row_hash": "0", "verdict": "maybe"}\n')
    with pytest.raises(InputError, match=r"r\.jsonl:1 at review: verdict"):
        build_here(*common(images, tmp_path / "out"), f"review={tmp_path / 'r.jsonl'}")
    assert not (tmp_path / "out").exists()
