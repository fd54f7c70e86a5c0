"""Rows of files, whatever their format: put together by image, split, sharded, counted out, read again."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mht.errors import ConfigError, InputError, IntegrityError
from mht.model.examples import Example
from mht.storage import Storage, StorageParams
from mht.training.sources import trl
from mht.training.sources._data_files import split_of
from mht.training.sources.table import Params, Source
from tests.s3_server import CREDENTIALS, S3Server, start_s3
from tests.training.sources.made import jpeg, write_images, write_lines, write_parquet


def row(image: str | None, question: str = "Is it?", **more: Any) -> dict[str, Any]:
    return {"image": image, "question": question, "answer": "Yes", **more}


def source(path: Any, storage: Storage, **given: Any) -> Source:
    return Source(Params(path=str(path), **given), storage)


def examples(one: Source | trl.Source) -> list[Example]:
    return [e for shard in one.shards() for e in one.read(shard.name, shard.example_ids, 0)]


def asked(one: Source) -> dict[str, list[str]]:
    return {e.example_id: [x.turns[0].question for x in e.exchanges] for e in examples(one)}


def test_rows_about_one_image_are_one_example_wherever_they_stand(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, "a.jpg", "b.jpg")
    write_lines(tmp_path / "1.jsonl", [row("a.jpg", "1?"), row("b.jpg", "2?"), row("./a.jpg", "3?")])
    write_lines(tmp_path / "2.jsonl", [row("b.jpg", "4?"), row(None, "5?"), row(None, "6?")])
    assert asked(source(tmp_path, storage)) == {
        "a.jpg": ["1?", "3?"],
        "b.jpg": ["2?", "4?"],
        "2.jsonl:2": ["5?"],
        "2.jsonl:3": ["6?"],
    }


def test_rows_that_begin_otherwise_share_no_image_and_are_held_out_together(
    tmp_path: Path, storage: Storage
) -> None:
    names = [f"{number}.jpg" for number in range(8)]
    write_images(tmp_path, *names)
    told = [None, "Be brief.", "Be kind."]

    def messages(system: str | None) -> list[dict[str, str]]:
        first = [] if system is None else [{"role": "system", "content": system}]
        return [*first, {"role": "user", "content": "Is it?"}, {"role": "assistant", "content": "Yes."}]

    rows = [{"image": name, "messages": messages(system)} for name in names for system in told * 2]
    write_lines(tmp_path / "rows.jsonl", rows)
    one = trl.Source(trl.Params(path=str(tmp_path), validation_share=0.25), storage)
    found = examples(one)
    assert len(found) == 6 * len(told)
    for example in found:
        assert len(example.exchanges) == 2
        assert len({exchange.system for exchange in example.exchanges}) == 1
    held_out = {row.example_id.partition(" ")[0] for row in one.held_out(100, "validation")}
    assert len(held_out) == 2
    assert not held_out & {example.example_id.partition(" ")[0] for example in found}


def test_the_same_path_below_two_folders_is_two_images(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, "x/a.jpg", "y/a.jpg")
    for folder in "xy":
        write_lines(tmp_path / folder / "rows.jsonl", [row("a.jpg", folder)])
    assert asked(source(tmp_path, storage)) == {"x/a.jpg": ["x"], "y/a.jpg": ["y"]}
    assert asked(source(tmp_path, storage, root=str(tmp_path / "x"))) == {"a.jpg": ["x", "y"]}


def test_an_absolute_path_is_an_image_as_well(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, "a.jpg")
    path = write_lines(tmp_path / "rows.jsonl", [row(f"{tmp_path}/./a.jpg"), row(f"{tmp_path}/a.jpg")])
    (example,) = examples(source(path, storage))
    assert (example.example_id, example.image, len(example.exchanges)) == (f"{tmp_path}/a.jpg", jpeg(0), 2)


def test_ids_that_come_again_are_told_apart(tmp_path: Path, storage: Storage) -> None:
    rows = [row(None, id=7), row(None, id="7"), row(None, id=None), row(None, id=""), row(None, id=[7])]
    write_lines(tmp_path / "rows.jsonl", rows)
    one = source(tmp_path, storage, id="id")
    ids = ["7", "7 (rows.jsonl:2)", "rows.jsonl:3", "rows.jsonl:4", "rows.jsonl:5"]
    assert [e.exchanges[0].exchange_id for e in examples(one)] == ids
    assert [e.example_id for e in examples(one)] == ids


BAD = [
    ("not_json", "{"),
    ("image_missing", row("gone.jpg", "1?")),
    ("image_missing", row("gone.jpg", "2?")),
    ("image_not_jpeg_or_png", row("page.jpg")),
    ("image_not_jpeg_or_png", row("empty.jpg")),
    ("image_outside_root", row("../a.jpg")),
    ("image_out_of_reach", row("https://example.org/a.jpg")),
    ("image_out_of_reach", row("data:image/jpeg;base64,AAAA")),
    ("image_out_of_reach", row("s3://key:word@bucket/a.jpg")),
    ("not_unicode", row("a\ud800.jpg")),
    ("empty_answer", row("a.jpg") | {"answer": " "}),
]


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Bad rows among good ones."""
    write_images(tmp_path, "a.jpg")
    (tmp_path / "page.jpg").write_bytes(b"<html>no such key</html>")
    (tmp_path / "empty.jpg").write_bytes(b"")
    path = write_lines(tmp_path / "rows.jsonl", [row("a.jpg", f"{i}?") for i in range(9)])
    lines = write_lines(tmp_path / "bad.txt", [one for _, one in BAD if isinstance(one, dict)])
    Path(path).write_text(Path(path).read_text() + "{\n" + Path(lines).read_text())
    return tmp_path


def test_bad_rows_are_counted_by_reason_and_named(bad: Path, storage: Storage) -> None:
    one = source(bad, storage, max_bad=0.6)
    assert [len(e.exchanges) for e in examples(one)] == [9]
    counts = {line.split(" ")[0]: int(line.split(" ")[1]) for line in one.left_out.splitlines()}
    reasons = [reason for reason, _ in BAD]
    assert counts == {reason: reasons.count(reason) for reason in reasons} | {
        "image_out_of_reach": 2,
        "image_missing": 3,
    }
    assert f"{str(bad / 'rows.jsonl')!r}, row 11: {str(bad / 'gone.jpg')!r}" in one.left_out
    assert "word" not in one.left_out


def test_too_many_bad_rows_are_an_error_that_names_them(bad: Path, storage: Storage) -> None:
    with pytest.raises(InputError, match=r"11 of 20 rows cannot be learnt, over max_bad=0\.5") as caught:
        source(bad, storage, max_bad=0.5).shards()
    assert "empty_answer 1 (" in str(caught.value)
    assert "rows.jsonl', row 20" in str(caught.value)


def test_the_first_five_of_a_reason_are_named(tmp_path: Path, storage: Storage) -> None:
    write_lines(tmp_path / "rows.jsonl", [row(None, "" if i < 8 else "?") for i in range(9)])
    told = source(tmp_path, storage, max_bad=0.9).left_out
    assert told.startswith("empty_question 8 (")
    assert [f"row {number}" in told for number in range(1, 9)] == [True] * 5 + [False] * 3


@pytest.mark.parametrize("rows", [[], [row(None, "")]])
def test_nothing_to_learn_is_an_error(rows: list[Any], tmp_path: Path, storage: Storage) -> None:
    write_lines(tmp_path / "rows.jsonl", rows)
    with pytest.raises(
        InputError, match=r"no rows.*data\.path" if not rows else r"1 of 1 rows.*data\.max_bad"
    ):
        source(tmp_path, storage, max_bad=1).shards()


def test_no_file_of_rows_is_told(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, "a.jpg")
    with pytest.raises(InputError, match=r"no \.parquet, \.jsonl or \.json among 1 files.*data\.path"):
        source(tmp_path, storage).shards()


def test_tables_come_before_lines_and_lines_before_lists(tmp_path: Path, storage: Storage) -> None:
    (tmp_path / "info.json").write_text("[]")
    write_lines(tmp_path / "rows.jsonl", [row(None, "lines")])
    assert list(asked(source(tmp_path, storage)).values()) == [["lines"]]
    write_parquet(tmp_path / "rows.parquet", [row(None, "table")])
    write_lines(tmp_path / ".rows.parquet", [])
    assert list(asked(source(tmp_path, storage)).values()) == [["table"]]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("data/validation-00000.parquet", "validation"),
        ("val.jsonl", "validation"),
        ("dev/0.parquet", "validation"),
        ("test/train-0.parquet", "train"),
        ("x/test_questions.json", "test"),
        ("Test.json", "test"),
        ("testimony.json", "train"),
        ("latest-test.json", "train"),
        ("llava_instruct_150k.json", "train"),
    ],
)
def test_a_file_s_split_is_in_its_name(name: str, split: str) -> None:
    assert split_of(name) == split


def test_splits_of_files_are_kept_apart(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, "a.jpg")
    for split in ("train", "val", "test"):
        write_lines(tmp_path / f"{split}.jsonl", [row("a.jpg", split)])
    one = source(tmp_path, storage)
    assert asked(one) == {"a.jpg": ["train"]}
    assert [r.question for r in one.held_out(5, "validation")] == ["val"]
    assert asked(source(tmp_path, storage, split="test")) == {"a.jpg": ["test"]}
    with pytest.raises(ConfigError, match=r"^data\.split: .*There are: test, train, validation"):
        source(tmp_path, storage, split="tset").shards()
    with pytest.raises(
        ConfigError, match=r"^data\.validation_share: .* has files of its own .*out of data\.path"
    ):
        source(tmp_path, storage, validation_share=0.1).shards()


def test_a_share_is_held_out_by_image(tmp_path: Path, storage: Storage) -> None:
    names = [f"{number}.jpg" for number in range(80)]
    write_images(tmp_path, *names)
    write_lines(tmp_path / "rows.jsonl", [row(name, f"{i}?") for i in range(2) for name in names])
    one = source(tmp_path, storage, validation_share=0.25)
    held_out = one.held_out(1_000, "validation")
    kept = set(asked(one))
    assert {r.example_id for r in held_out} | kept == set(names)
    assert not {r.example_id for r in held_out} & kept
    assert len(held_out) == 2 * 20
    assert len(one.held_out(7, "validation")) == 7
    few = source(tmp_path, storage, validation_share=0.001)
    assert len(few.held_out(7, "validation")) == 2, "one image at the least"


def test_shards_are_of_the_size_asked_for(tmp_path: Path, storage: Storage) -> None:
    write_lines(tmp_path / "rows.jsonl", [row(None) for _ in range(10)])
    shards = source(tmp_path, storage, shard_examples=4).shards()
    assert [(s.name, len(s.example_ids)) for s in shards] == [
        ("train-00000", 4),
        ("train-00001", 4),
        ("train-00002", 2),
    ]


@pytest.mark.parametrize(("group", "sizes"), [(3, [6, 6, 3]), (5, [5, 5, 5]), (15, [12, 3])])
def test_a_shard_ends_where_a_row_group_does(
    group: int, sizes: list[int], tmp_path: Path, storage: Storage
) -> None:
    """Else a row group would be read for several shards; but a shard stays under four times its size."""
    write_parquet(tmp_path / "rows.parquet", [row(None, f"{i}?") for i in range(15)], group)
    shards = source(tmp_path, storage, shard_examples=3 if group == 15 else 4).shards()
    assert [len(s.example_ids) for s in shards] == sizes


def test_a_file_that_was_replaced_is_not_read(tmp_path: Path, storage: Storage) -> None:
    for name, write in (("a.jsonl", write_lines), ("a.parquet", write_parquet)):
        path = write(tmp_path / name, [row(None, f"{i}?") for i in range(4)])  # type: ignore[operator]
        one = source(path, storage)
        (shard,) = one.shards()
        one = pickle.loads(pickle.dumps(one))
        write(tmp_path / name, [row(None, f"other {i}?") for i in range(4)])  # type: ignore[operator]
        with pytest.raises(IntegrityError, match="not the file that was listed"):
            one.read(shard.name, shard.example_ids, 0)
        Path(path).unlink()
        with pytest.raises(IntegrityError, match="not the file that was listed"):
            one.read(shard.name, shard.example_ids, 0)


def test_an_image_that_is_gone_since_is_told(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, "a.jpg")
    write_lines(tmp_path / "rows.jsonl", [row("a.jpg")])
    one = source(tmp_path, storage)
    (shard,) = one.shards()
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(IntegrityError, match=r"a\.jpg.*It was there when the data was listed"):
        one.read(shard.name, shard.example_ids, 0)


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Server]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with start_s3("bucket") as server:
            yield server


def test_from_a_bucket(tmp_path: Path, storage: Storage, bucket: S3Server) -> None:
    """Few images are looked for one by one, many in the folder's listing; a local file is out of reach."""
    names = ["few/0.jpg", *(f"many/{i}.jpg" for i in range(40))]
    write_images(tmp_path, *names)
    bad_rows = [row("many/gone.jpg"), row("few/gone.jpg"), row("/etc/hostname")]
    rows = [row(name, f"{i}?") for i in range(2) for name in names]
    write_lines(tmp_path / "rows.jsonl", rows + bad_rows)
    write_parquet(tmp_path / "rows.parquet", rows, 30)
    remote = Storage(StorageParams(endpoint_url=bucket.endpoint_url))
    for file in filter(Path.is_file, tmp_path.rglob("*")):
        remote.write(f"s3://bucket/in/{file.relative_to(tmp_path)}", file.read_bytes())
    for name in ("rows.jsonl", "rows.parquet"):
        here = source(tmp_path / name, storage, max_bad=0.05)
        there = source(f"s3://bucket/in/{name}", remote, max_bad=0.05)
        assert examples(there) == examples(here)
        assert there.digest == here.digest
        reasons = [line.split(" ")[:2] for line in there.left_out.splitlines()]
        assert reasons == ([["image_missing", "2"], ["image_out_of_reach", "1"]] if "jsonl" in name else [])
