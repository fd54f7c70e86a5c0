"""A build with a review changes exactly the rows that the review names, and says what became of each decision."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mht.artifacts import read_manifest, read_table
from mht.config import load
from mht.dataset.explain import explain
from mht.dataset.review.decisions import Decision, Review
from mht.dataset.review.tasks import export_tasks, import_review
from mht.dataset.verify import verify
from mht.errors import InputError, IntegrityError, RunConflict
from mht.reading import Dataset, Selection
from mht.storage import Storage, StorageParams
from tests.dataset.conftest import draw
from tests.dataset.oracle import build_here, common, rows_of

STORAGE = Storage(StorageParams())
Rows = dict[str, dict[str, Any]]
Rebuilt = Callable[[], str]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("review") / "images", 30)


@pytest.fixture(scope="module")
def plain(ray_cluster: None, images: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The dataset without a review."""
    output = str(tmp_path_factory.mktemp("review-plain") / "out")
    build_here(*common(images, output, "build.gallery_images=0"))
    return output


@pytest.fixture
def rebuilt(images: Path, plain: str, tmp_path: Path) -> Rebuilt:
    """Builds a copy of the plain dataset anew with the test's review.jsonl; says where it is."""

    def build() -> str:
        output = tmp_path / "out"
        shutil.copytree(plain, output)
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


def test_ten_pairs_rejected_in_label_studio_are_exactly_the_ten_rows_that_change(
    images: Path, plain: str, rebuilt: Rebuilt, tmp_path: Path
) -> None:
    before, rows = pairs_of(plain), rows_of(plain)
    export_tasks(plain, str(tmp_path / "tasks.json"), ["n=30"])
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    for number, task in enumerate(tasks):
        verdict = "reject" if number < 8 else "reject_both" if number == 20 else "accept"
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
    (tmp_path / "ls.json").write_text(json.dumps(tasks))
    import_review(str(tmp_path / "ls.json"), str(tmp_path / "review.jsonl"), [])
    ten = {task["data"]["pair_id"] for task in tasks[:8]}
    ten |= {tasks[20]["data"][key] for key in ("pair_id", "twin_pair_id")}
    assert len(ten) == 10
    output = rebuilt()
    after = rows_of(output)
    assert rows.keys() - after.keys() == {f"pairs:{pair_id}" for pair_id in ten}
    assert after.items() <= rows.items()
    stats = json.loads((Path(output) / "stats.json").read_text())
    told = stats["books"]["review"]
    assert (told["rejected"], told["foreign"], told.get("stale", 0), told.get("missing", 0)) == (10, 0, 0, 0)
    assert stats["books"]["total"]["pairs"] == len(before) - 10
    assert "books balanced" in verify(load(None, [f"output={output}"]))
    # Label Studio's export itself is the same review, so there is nothing left to do.
    _, report = build_here(
        *common(images, output), f"review={tmp_path / 'ls.json'}", "build.gallery_images=0"
    )
    assert report.shards_built == 0


def test_every_kind_of_decision_and_what_became_of_it(plain: str, rebuilt: Rebuilt, tmp_path: Path) -> None:
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
    (tmp_path / "review.jsonl").write_bytes(Review.of(decisions).to_bytes())
    output = rebuilt()
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
    kept_by_its_content(output)


def kept_by_its_content(output: str) -> None:
    """The dataset holds the review; one that was altered, another one, or none is refused."""
    run = json.loads((Path(output) / "run.json").read_text())
    kept = Path(output) / run["config"]["review"]
    lines = kept.read_text().splitlines()
    assert len(lines) == 6
    words = ("source.kind=phantoms", f"output={output}")
    with pytest.raises(RunConflict, match=r"review: .review/[0-9a-f]{16}\.jsonl. -> null"):
        build_here(*words)
    other = kept.with_name("other.jsonl")
    other.write_text(lines[0] + "\n")
    with pytest.raises(
        RunConflict, match=r"review: .review/[0-9a-f]{16}\.jsonl. -> .review/[0-9a-f]{16}\.jsonl"
    ):
        build_here(*words, f"review={other}")
    other.replace(kept)
    with pytest.raises(IntegrityError, match=kept.name):
        verify(load(None, [f"output={output}"]))


def test_a_review_that_cannot_be_read_stops_the_build_before_anything(images: Path, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"pair_id": "ab-cdf", "row_hash": "0", "verdict": "maybe"}\n')
    with pytest.raises(InputError, match=r"r\.jsonl:1 at review: verdict"):
        build_here(*common(images, tmp_path / "out"), f"review={tmp_path / 'r.jsonl'}")
    assert not (tmp_path / "out").exists()
