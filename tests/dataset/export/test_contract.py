"""Every format: the same bytes each time, every file in EXPORT.json, which is written last; and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mht import catalog
from mht.artifacts import read_manifest
from mht.cli import main
from mht.dataset import sink
from mht.dataset.exporter import FORMATS, ExportConfig, export, read_settings
from mht.dataset.sink import EXPORT, Sink
from mht.errors import ConfigError, InputError, IntegrityError, RunConflict
from mht.storage import Storage, StorageParams
from tests.dataset.export.conftest import Export
from tests.dataset.small import write_dataset
from tests.s3_server import CREDENTIALS, S3Server, start_s3

NAMES = catalog.names(FORMATS)
WITH_DPO = [name for name in NAMES if "variant" in catalog.load(FORMATS, name).Params.model_fields]
EVERY = [(f"format={name}",) for name in NAMES] + [(f"format={n}", "variant=dpo") for n in WITH_DPO]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_there_are_the_six_formats() -> None:
    assert NAMES == ("hf", "llamafactory", "llava", "swift", "trl", "webdataset")
    assert WITH_DPO == ["llamafactory", "swift", "trl"]


@pytest.mark.parametrize("name", NAMES)
def test_a_format_s_settings_are_not_the_export_s(name: str) -> None:
    module = catalog.load(FORMATS, name)
    assert not set(module.Params.model_fields) & set(ExportConfig.model_fields)
    assert read_settings([f"format={name}"])[1] == module.Params()
    assert module.__doc__.count("\n\n") <= 1


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_two_exports_are_the_same_bytes(words: Sequence[str], exported: Export) -> None:
    one = contents(exported(*words, to="one"))
    two = contents(exported(*words, "storage.concurrency=1", to="two"))
    assert one.keys() == two.keys()
    assert {path for path in one if one[path] != two[path]} == set()


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_export_json_names_every_file(words: Sequence[str], exported: Export, pairs: dict[str, Any]) -> None:
    there = contents(exported(*words))
    told = json.loads(there.pop(EXPORT))
    for record in told["files"]:
        path = record["path"]
        if not path.endswith("/"):
            data = there.pop(path)
            assert (record["bytes"], record["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
            continue
        members = {name: there.pop(name) for name in sorted(there) if name.startswith(path)}
        assert (record["rows"], record["bytes"]) == (len(members), sum(map(len, members.values())))
        digest = hashlib.sha256()
        for name, data in members.items():
            digest.update(f"{name.removeprefix(path)} {hashlib.sha256(data).hexdigest()}\n".encode())
        assert record["sha256"] == digest.hexdigest()
    assert there == {}
    assert sum(told["pairs"].values()) == len(pairs)
    assert told["images"] == {"test": 2, "train": 9, "validation": 2}
    assert told["export"]["run"] == "abcdef012345"


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_says_that_it_is_for_research(name: str, exported: Export) -> None:
    text = (exported(f"format={name}") / "README.md").read_text()
    assert "research" in text
    assert "abcdef012345" in text


@pytest.mark.parametrize("name", NAMES)
def test_only_what_was_chosen_goes_out(name: str, exported: Export) -> None:
    out = exported(f"format={name}", "split=train", "state=hallucinated", "type=[laterality]")
    told = json.loads((out / EXPORT).read_text())
    assert told["pairs"] == {"train": 9}
    assert told["export"]["settings"]["type"] == ["laterality"]


class Stopped(Exception):
    """In the middle of an export."""


@pytest.mark.parametrize("name", NAMES)
def test_an_export_that_was_cut_short_is_none_and_is_done_again(
    name: str, exported: Export, small: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = contents(exported(f"format={name}", to="whole"))
    with monkeypatch.context() as patch:
        patch.setattr(Sink, "close", _stop)
        with pytest.raises(Stopped):
            exported(f"format={name}", to="cut")
    assert not (tmp_path / "cut" / EXPORT).exists()
    other = "format=hf" if name != "hf" else "format=trl"
    with pytest.raises(RunConflict, match="something is there already"):
        exported(other, to="cut")
    assert contents(exported(f"format={name}", to="cut")) == whole


def _stop(*_: object) -> None:
    raise Stopped


def test_an_output_with_something_in_it_is_refused(exported: Export, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(RunConflict, match="remove it first"):
        exported("format=hf")
    assert contents(tmp_path / "out") == {"thesis.tex": b"mine"}
    exported("format=hf", to="again")
    with pytest.raises(RunConflict, match="again"):
        exported("format=hf", to="again")


@pytest.mark.parametrize("below", ["", "export", "../dataset/../dataset/x"])
def test_an_output_in_the_dataset_is_refused(below: str, small: tuple[str, Any]) -> None:
    before = contents(Path(small[0]))
    with pytest.raises(ConfigError, match="lies in the dataset"):
        export(small[0], f"{small[0]}/{below}", ["format=hf"])
    with pytest.raises(ConfigError, match="or around it"):
        export(small[0], str(Path(small[0]).parent), ["format=hf"])
    assert contents(Path(small[0])) == before


@pytest.mark.parametrize(
    ("words", "clue"),
    [
        ((), "required. There are: hf, "),
        (("format=trll",), "did you mean 'trl'"),
        (("format=trl", "variant=dpoo"), "'sft' or 'dpo'"),
        (("format=llava", "variant=dpo"), "unknown key"),
        (("format=trl", "varient=dpo"), "did you mean 'variant'"),
        (("format=hf", "split=trian"), "did you mean 'train'"),
        (("format=hf", "state=halucinated"), "did you mean 'hallucinated'"),
        (("format=hf", "type=[existence,lateralty]"), "did you mean 'laterality'"),
        (("format=hf", "storage.concurency=3"), "did you mean 'concurrency'"),
        (("format=llamafactory", "name=a/b"), "name"),
    ],
)
def test_a_mistake_is_told_with_the_nearest_name(words: Sequence[str], clue: str, exported: Export) -> None:
    with pytest.raises(ConfigError, match=r".") as caught:
        exported(*words)
    assert clue in str(caught.value)


def test_a_damaged_dataset_is_not_exported(tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    write_dataset(str(root))
    victim = sorted(root.glob("images/train-*.parquet"))[0]
    data = victim.read_bytes()
    victim.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    with pytest.raises(IntegrityError, match=victim.name):
        export(str(root), str(tmp_path / "out"), ["format=llava"])
    assert not (tmp_path / "out" / EXPORT).exists()
    _, files = read_manifest(Storage(StorageParams()), str(root))
    assert victim.name in {Path(record.path).name for record in files}
    with pytest.raises(IntegrityError, match="no manifest"):
        export(str(tmp_path / "nothing"), str(tmp_path / "other"), ["format=llava"])


def test_pairs_without_a_wrong_answer_are_counted_out(tmp_path: Path) -> None:
    def change(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**p, "rejected": ("", p["answer"], p["rejected"], "No.")[i % 4]} for i, p in enumerate(pairs)
        ]

    root = str(tmp_path / "dataset")
    write_dataset(root, change=change)
    line = export(root, str(tmp_path / "out"), ["format=swift", "variant=dpo"])
    assert "26 pairs left out: without a rejected answer" in line
    assert json.loads((tmp_path / "out" / EXPORT).read_text())["left_out"] == {
        "without a rejected answer": 26
    }


@pytest.mark.parametrize("name", ["llava", "llamafactory", "swift"])
def test_an_image_marker_in_a_text_is_refused(name: str, tmp_path: Path) -> None:
    def change(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**pairs[0], "question": "What is <image> here?"}, *pairs[1:]]

    root = str(tmp_path / "dataset")
    write_dataset(root, change=change)
    with pytest.raises(InputError, match="question holds one of"):
        export(root, str(tmp_path / "out"), [f"format={name}"])
    export(root, str(tmp_path / "hf"), ["format=hf"])


def test_a_dataset_of_before_the_wrong_answers_is_told(tmp_path: Path) -> None:
    root = str(tmp_path / "dataset")
    write_dataset(root, without=["rejected"])
    with pytest.raises(InputError, match="no column 'rejected'"):
        export(root, str(tmp_path / "out"), ["format=trl", "variant=dpo"])
    export(root, str(tmp_path / "hf"), ["format=hf"])


def test_the_command_says_what_was_written(
    small: tuple[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", small[0], str(tmp_path / "out"), "format=trl", "split=[train,test]"]
    assert main(words) == 0
    told = "44 pairs (test 8, train 36) on 11 images as trl"
    assert capsys.readouterr().out == f"{tmp_path / 'out' / EXPORT}: {told}\n"
    assert main(words) == 73
    assert main([*words[:-1], "split=tests"]) == 2
    assert "did you mean 'test'" in capsys.readouterr().err


def test_a_large_file_is_written_from_the_disk(exported: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    small = contents(exported("format=llava", to="small"))
    monkeypatch.setattr(sink, "_IN_MEMORY_BYTES", 100)
    assert contents(exported("format=llava", to="large")) == small


@pytest.mark.parametrize("words", [("format=hf",), ("format=llava",), ("format=webdataset",)], ids=" ".join)
def test_from_a_bucket_to_a_bucket(words: Sequence[str], exported: Export, bucket: S3Server) -> None:
    here = contents(exported(*words))
    storage = Storage(StorageParams(endpoint_url=bucket.endpoint_url))
    place = f"s3://bucket/{words[0][7:]}"
    write_dataset(f"{place}/in", storage)
    told = (*words, f"storage.endpoint_url={bucket.endpoint_url}")
    export(f"{place}/in", f"{place}/out", told)
    there = {item.name: storage.read(item.uri) for item in storage.list(f"{place}/out")}
    assert there == here
    with pytest.raises(RunConflict, match="something is there already"):
        export(f"{place}/in", f"{place}/out", told)
    with pytest.raises(ConfigError, match="lies in the dataset"):
        export(f"{place}/in", f"{place}/in/out", told)


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Server]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with start_s3("bucket") as server:
            yield server
