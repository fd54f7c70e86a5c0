"""Label Studio: tasks and a configuration that fit each other, annotations that come back as decisions."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mht.cli import main
from mht.dataset.review.files import read_review
from mht.dataset.review.label_studio import CONFIG, decisions_of
from mht.dataset.review.tasks import export_tasks, import_review
from mht.errors import ConfigError, InputError, RunConflict
from mht.storage import Storage, StorageParams
from tests.dataset.small import picture, write_dataset

STORAGE = Storage(StorageParams())


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, dict[str, Any]]]:
    root = str(tmp_path_factory.mktemp("ls") / "dataset")
    return root, {pair["pair_id"]: pair for pair in write_dataset(root)}


def tasks_of(dataset: tuple[str, Any], folder: Path, *words: str) -> list[dict[str, Any]]:
    file = folder / f"tasks-{'-'.join(words) or 'all'}.json".replace("/", "_")
    export_tasks(dataset[0], str(file), words)
    assert file.with_suffix(".xml").read_text() == CONFIG
    tasks: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return tasks


def annotated(task: dict[str, Any], verdict: str | None, number: int = 1, **texts: str) -> dict[str, Any]:
    """The task as Label Studio exports it once a reviewer has submitted it."""
    chosen = [
        {"from_name": "verdict", "to_name": "image", "type": "choices", "value": {"choices": [verdict]}}
    ]
    written = [
        {"from_name": name, "to_name": "image", "type": "textarea", "value": {"text": [text]}}
        for name, text in texts.items()
    ]
    result = (chosen if verdict else []) + written
    annotation = {
        "id": number,
        "result": result,
        "completed_by": {"id": 4, "email": "someone@example.org"},
        "was_cancelled": False,
    }
    return {**task, "id": number, "annotations": [annotation]}


def test_a_task_holds_the_pair_its_twin_and_its_image(dataset: tuple[str, Any], tmp_path: Path) -> None:
    pairs = dataset[1]
    tasks = tasks_of(dataset, tmp_path)
    assert {task["data"]["pair_id"] for task in tasks} == set(pairs)
    for task in tasks:
        data, pair = task["data"], pairs[task["data"]["pair_id"]]
        twin = pairs[data["twin_pair_id"]]
        assert {
            name: data[name] for name in ("question", "answer", "rejected", "row_hash")
        }.items() <= pair.items()
        assert (twin["twin_id"], twin["image_id"]) == (pair["twin_id"], pair["image_id"])
        assert twin["state"] != pair["state"]
        assert data["twin_row_hash"] == twin["row_hash"]
        assert twin["question"] in data["twin"]
        kind, _, encoded = data["image"].partition(";base64,")
        suffix, image = picture(int(pair["image_id"], 16))
        assert kind == {"jpg": "data:image/jpeg", "png": "data:image/png"}[suffix]
        assert base64.b64decode(encoded) == image


def test_the_configuration_and_the_tasks_fit(dataset: tuple[str, Any], tmp_path: Path) -> None:
    tree = ElementTree.fromstring(CONFIG)
    objects = {e.get("name") for e in tree.iter() if e.tag in ("Image", "Text")}
    controls = {e.get("name"): e for e in tree.iter() if e.tag in ("Choices", "TextArea")}
    assert all(control.get("toName") in objects for control in controls.values())
    assert {c.get("value") for c in tree.iter("Choice")} == {"accept", "reject", "reject_both", "edit"}
    wanted = set(re.findall(r'"\$(\w+)"', CONFIG))
    for task in tasks_of(dataset, tmp_path, "n=8"):
        assert wanted <= task["data"].keys()
        for prediction in task["predictions"]:
            assert prediction["model_version"] == "mht abcdef012345"
            for result in prediction["result"]:
                assert result["from_name"] in controls
                assert result["to_name"] in objects
                assert result["value"] == {
                    "text": [task["data"][result["from_name"].removeprefix("edited_")]]
                }


def test_label_studio_s_own_interface_takes_them(dataset: tuple[str, Any], tmp_path: Path) -> None:
    interface = pytest.importorskip(
        "label_studio_sdk.label_interface", reason="label-studio-sdk is not installed"
    )
    label = interface.LabelInterface(CONFIG)
    label.validate()
    for task in tasks_of(dataset, tmp_path, "n=8"):
        assert label.validate_task({"data": task["data"]})
        assert all(label.validate_prediction(prediction) for prediction in task["predictions"])
        assert all(label.validate_annotation(a) for a in annotated(task, "reject_both")["annotations"])
        assert not label.validate_annotation(annotated(task, "perhaps")["annotations"][0])


def test_the_choice_is_the_same_each_time_twins_stay_together_and_types_take_turns(
    dataset: tuple[str, Any], tmp_path: Path
) -> None:
    tasks = tasks_of(dataset, tmp_path, "n=12")
    (tmp_path / "again").mkdir()
    assert tasks == tasks_of(dataset, tmp_path / "again", "n=12")
    chosen = [task["data"]["pair_id"] for task in tasks]
    assert len(chosen) == 12
    assert {task["data"]["twin_pair_id"] for task in tasks} == set(chosen)
    assert Counter(dataset[1][pair_id]["type"] for pair_id in chosen) == {"existence": 6, "laterality": 6}
    others = tasks_of(dataset, tmp_path, "n=12", "seed=1")
    assert {task["data"]["pair_id"] for task in others} != set(chosen)
    assert len(tasks_of(dataset, tmp_path, "n=5", "type=laterality", "split=test")) == 4
    only = tasks_of(dataset, tmp_path, "n=5", "state=faithful")
    assert [task["data"]["pair_id"][-1] for task in only] == ["f"] * 5
    assert all(task["data"]["twin_pair_id"] for task in only)


def test_images_can_be_named_instead(dataset: tuple[str, Any], tmp_path: Path) -> None:
    (task, _) = tasks_of(dataset, tmp_path, "n=2", "split=test", "image_prefix=/data/local-files/?d=out")
    assert re.fullmatch(
        r"/data/local-files/\?d=outimages/test-00000/[0-9a-f]{16}\.jpg", task["data"]["image"]
    )


def test_annotations_come_back_as_decisions(dataset: tuple[str, Any], tmp_path: Path) -> None:
    one, two, three, four, five = tasks_of(dataset, tmp_path, "n=10", "state=faithful", "split=train")[:5]
    edited = {"edited_question": two["data"]["question"], "edited_answer": " Yes, but small. "}
    exported = [
        annotated(one, "accept", 1, note="clear"),
        annotated(two, "edit", 2, **edited, edited_rejected=""),
        annotated(three, "reject_both", 3),
        annotated(four, "reject", 4),
        {**five, "id": 5, "annotations": []},
    ]
    exported[3]["annotations"][0]["was_cancelled"] = True
    (tmp_path / "ls.json").write_text(json.dumps(exported))
    review = read_review(STORAGE, str(tmp_path / "ls.json"))
    found = {d.pair_id: d for d in review.decisions.values()}
    first, second, third = (task["data"]["pair_id"] for task in (one, two, three))
    assert found.keys() == {first, second, third, three["data"]["twin_pair_id"]}
    assert (found[first].verdict, found[first].note, found[first].reviewer) == ("accept", "clear", "4")
    assert found[second].changes() == {"answer": "Yes, but small."}
    assert [found[p].verdict for p in (third, three["data"]["twin_pair_id"])] == ["reject", "reject"]
    assert b"example.org" not in review.to_bytes()
    line = import_review(str(tmp_path / "ls.json"), str(tmp_path / "review.jsonl"), [])
    assert "4 decisions, 4 of them" in line
    assert read_review(STORAGE, str(tmp_path / "review.jsonl")) == review
    exported[0]["annotations"][0]["result"][0]["value"]["choices"] = ["reject"]
    (tmp_path / "ls.json").write_text(json.dumps(exported[:1]))
    assert "4 decisions, 1 of them" in import_review(
        str(tmp_path / "ls.json"), str(tmp_path / "review.jsonl"), []
    )
    later = read_review(STORAGE, str(tmp_path / "review.jsonl"))
    assert next(d for d in later.decisions.values() if d.pair_id == first).verdict == "reject"


def test_an_export_that_is_not_ours_is_told(dataset: tuple[str, Any], tmp_path: Path) -> None:
    (task, _) = tasks_of(dataset, tmp_path, "n=2")
    bare = {"id": 9, "pair_id": task["data"]["pair_id"], "verdict": "accept"}  # JSON-MIN
    for broken, clue in (
        (bare, "task 9 at review: no annotated task"),
        (3, "task 1 at review: no annotated task"),
        (annotated(task, None, 7), "task 7 at review: an annotation without a verdict"),
        (
            annotated(task, "edit", 7, edited_answer=task["data"]["answer"]),
            "task 7 at review: .* nothing else",
        ),
        (annotated(task, "perhaps", 7), "task 7 at review: verdict"),
    ):
        with pytest.raises(InputError, match=clue):
            list(decisions_of([broken], "ls.json"))


def test_what_cannot_be_written_is_refused(dataset: tuple[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends with \.json"):
        export_tasks(dataset[0], str(tmp_path / "tasks.txt"), [])
    with pytest.raises(ConfigError, match="did you mean 'laterality'"):
        export_tasks(dataset[0], str(tmp_path / "t.json"), ["type=lateralty"])
    export_tasks(dataset[0], str(tmp_path / "t.json"), ["n=2"])
    with pytest.raises(RunConflict, match="there already"):
        export_tasks(dataset[0], str(tmp_path / "t.json"), ["n=2"])
    (tmp_path / "empty.json").write_text("[]")
    with pytest.raises(InputError, match="no task is annotated"):
        import_review(str(tmp_path / "empty.json"), str(tmp_path / "r.jsonl"), [])


def test_the_command_writes_tasks_and_reads_annotations(
    dataset: tuple[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks, exported, review = (str(tmp_path / name) for name in ("t.json", "ls.json", "r.jsonl"))
    assert main(["review", "export", dataset[0], tasks, "n=2", "split=test"]) == 0
    both = [annotated(task, "accept", n) for n, task in enumerate(json.loads(Path(tasks).read_text()))]
    Path(exported).write_text(json.dumps(both))
    assert main(["review", "import", exported, review]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tasks}: 2 tasks; the labelling configuration is {tmp_path / 't.xml'}",
        f"{review}: 2 decisions, 2 of them from {exported} (accept 2)",
    ]
