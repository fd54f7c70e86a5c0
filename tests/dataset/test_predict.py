"""`mht build plan=true`: a probe says what a build will take, and the build's last table says what it took."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mht.config import load
from mht.dataset.command import summary
from mht.dataset.predict import PREDICTION, compare, plan_build, predict, table_bytes
from mht.errors import InputError
from tests.dataset.oracle import build_here, common, rows_of


@pytest.mark.timeout(600)
def test_a_plan_is_kept_and_held_against_the_build(
    ray_cluster: None, phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    words = common(phantoms, output)
    assert plan_build(load(None, [*words, "plan=true"])) == 0
    assert [path.name for path in output.iterdir()] == [PREDICTION]
    said = json.loads((output / PREDICTION).read_text())
    assert (said["images"], said["workers"], said["probe_images"]) == (
        600,
        2,
        180,
    )  # of 240, a quarter warms the two processes up
    printed = dict(re.findall(r"^  (\w+) +(.+)$", capsys.readouterr().out, re.MULTILINE))
    assert printed.keys() == {"images", "pairs", "workers", "time", "bytes", "memory", "from"}
    assert printed["from"] == "a probe of 180 images"
    config, report = build_here(*words)
    rows = rows_of(str(output))
    pairs = sum(key.startswith("pairs:") for key in rows)
    # What a probe cannot know from 180 of 600: a wide margin, but neither a tenth nor ten times as much.
    assert 0.5 < said["pairs"] / pairs < 2
    assert 0.7 < said["bytes"] / report.books.bytes < 1.4
    assert 0.05 < said["work_s"] / report.work_s < 20
    closing = summary(config, report)
    print("SHOW", closing.replace("\n", " | "))
    for name in ("time", "bytes", "memory"):
        assert re.search(rf"^  {name} +.+ -> .+ \([+-]\d+%\)$", closing, re.MULTILINE), closing


def test_a_prediction_is_compared_with_the_build_it_was_made_for_alone(
    ray_cluster: None, phantoms: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    lines = (phantoms / "metadata.jsonl").read_text().splitlines()[:60]
    for line in lines:
        name = json.loads(line)["file_name"]
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((phantoms / name).read_bytes())
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    words = common(folder, tmp_path / "out")
    config, report = build_here(*words)
    assert compare(config, report) is None  # nothing was predicted
    plan_build(load(None, [*words, "plan=true"]))
    assert "predicted" in str(compare(config, report))
    assert compare(load(None, [*words, "seed=5"]), report) is None  # another build's
    assert compare(config, replace(report, images_built=20)) is None  # a part of it was there before


def test_a_source_with_few_images_is_enough_for_a_probe(phantoms: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    lines = [json.loads(line) for line in (phantoms / "metadata.jsonl").read_text().splitlines()][:3]
    for number, line in enumerate(lines):
        (tmp_path / "images" / f"{number}.jpg").write_bytes((phantoms / line["file_name"]).read_bytes())
        (tmp_path / "images" / f"{number}.txt").write_text(line["caption"])
    prediction = predict(load(None, common(tmp_path / "images", tmp_path / "out")))
    assert prediction.images == 3
    assert 1 <= prediction.probe_images <= 3
    assert prediction.work_s > 0


def test_a_source_without_images_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "readme.txt").write_text("no image here")
    with pytest.raises(InputError, match="none of them an image candidate"):
        predict(load(None, common(tmp_path / "images", tmp_path / "out")))


def test_a_table_grows_as_a_power_of_the_images_and_never_faster_than_they_do() -> None:
    assert table_bytes([(60, 1000), (240, 2000)], 960) == pytest.approx(4000)
    assert table_bytes([(60, 1000), (240, 1000)], 100_000) == 1000  # all was met
    assert table_bytes([(60, 1000), (240, 5000)], 480) == pytest.approx(10_000)
    assert table_bytes([(3, 700)], 3) == 700
