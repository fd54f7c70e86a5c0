"""A folder of phantoms: pictures, captions and truth that belong together."""

import json
from pathlib import Path

import pytest

from mht.errors import ConfigError
from mht.phantoms.caption import caption_rng, describe
from mht.phantoms.draw import encode, render
from mht.phantoms.save import main, write_folder
from mht.phantoms.scene import KINDS, draw_scene


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_pictures_captions_and_scenes_belong_together(tmp_path: Path) -> None:
    write_folder(tmp_path, KINDS, 8, 5, 64, 1)
    rows, truths = lines(tmp_path / "metadata.jsonl"), lines(tmp_path / "scenes.jsonl")
    assert [row["file_name"] for row in rows] == [truth["file_name"] for truth in truths]
    assert len({row["group"] for row in rows}) == 8
    for index, row in enumerate(rows):
        scene = draw_scene(KINDS[index % 4], index, 5)
        assert set(row) == {"file_name", "caption", "group"}
        assert row["caption"] == describe(scene, caption_rng(scene))
        assert (tmp_path / str(row["file_name"])).read_bytes() == encode(render(scene, 64))
        truth = truths[index]["scene"]
        assert isinstance(truth, dict)
        assert [one["finding"] for one in truth["present"]] == [entity.finding for entity in scene.present]


def test_more_workers_write_the_same_bytes(tmp_path: Path) -> None:
    write_folder(tmp_path / "one", ("head_ct", "fundus"), 5, 0, 48, 1)
    write_folder(tmp_path / "two", ("head_ct", "fundus"), 5, 0, 48, 2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_command_line_draws_what_is_asked_for(tmp_path: Path) -> None:
    main(["--out", str(tmp_path), "--count", "3", "--kinds", "chest_xray", "--side-px", "40", "--seed", "2"])
    assert len(list((tmp_path / "chest_xray").glob("*.jpg"))) == 3


def test_an_unknown_kind_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="knee"):
        write_folder(tmp_path / "out", ("knee",), 1, 0, 64, 1)
    assert not (tmp_path / "out").exists()
