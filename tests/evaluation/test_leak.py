"""What the splits of a benchmark share, by name, by bytes and by look."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

from PIL import Image

from mht.evaluation.leak import between_splits
from mht.imaging.params import ImagingParams
from mht.questions import ImageAt, Picture, Question, SplitImage
from mht.storage import Storage, StorageParams
from tests.evaluation.benchmarks.conftest import opened
from tests.evaluation.benchmarks.made import vqa_rad_rows, write_lines


def drawn(seed: int, kind: str = "PNG", side: int = 192) -> bytes:
    """A field of soft blobs, another one for each seed; a JPEG or another size of it looks the same."""
    noise = Image.frombytes("L", (24, 24), random.Random(seed).randbytes(24 * 24))
    out = io.BytesIO()
    noise.resize((192, 192), Image.Resampling.BICUBIC).resize((side, side)).save(out, kind)
    return out.getvalue()


class Held:
    """A benchmark of pictures by split and name; what is None cannot be read."""

    def __init__(self, splits: dict[str, dict[str, bytes | None]]) -> None:
        self._data = {
            ImageAt(f"{split}/{name}"): data for split, of in splits.items() for name, data in of.items()
        }

    @property
    def digest(self) -> str:
        return "0" * 16

    def questions(self) -> Iterator[Question]:
        yield from ()

    def images(self, questions: Sequence[Question]) -> list[Picture]:
        return self.read([question.image for question in questions])

    def read(self, places: Sequence[ImageAt | None]) -> list[Picture]:
        return [None if at is None else self._data[at] for at in places]

    def pictures(self) -> Iterator[SplitImage]:
        for at in self._data:
            split, _, name = at.holder.partition("/")
            data = self._data[at]
            yield SplitImage(split, name, at, None if data is None else len(data))

    def compared(self) -> list[tuple[str, str]]:
        return list(permutations(dict.fromkeys(at.holder.partition("/")[0] for at in self._data), 2))

    def notes(self) -> list[str]:
        return []


def test_names_bytes_and_looks_are_counted_apart() -> None:
    test = {"a": drawn(1), "b": drawn(2), "c": drawn(3), "d": drawn(4), "lost": None, "page": b"<html>"}
    train = {"a": drawn(9), "copy": drawn(2), "small": drawn(3, "JPEG", 128), "e": drawn(5)}
    there, back = between_splits(Held({"test": test, "train": train}), ImagingParams())
    assert (there.split, there.other, there.n) == ("test", "train", 4)
    assert (there.by_name, there.by_bytes, there.by_look, there.by_any, there.unread) == (1, 1, 2, 3, 2)
    assert there.examples == (("b", "copy"), ("c", "small"))
    assert (back.split, back.other, back.n, back.by_any) == ("train", "test", 4, 3)
    assert str(there) == (
        "leakage, measured on this copy: 3 of the 4 images of test also stand in train (by name 1, by bytes 1, "
        "by look 2; 2 could not be read); b is copy; c is small"
    )


def test_equal_pictures_in_several_splits_are_found_in_each_pair() -> None:
    held = Held({"one": {"a": drawn(1)}, "two": {"b": drawn(1)}, "three": {"c": drawn(1)}})
    found = {(s.split, s.other): s.by_look for s in between_splits(held, ImagingParams())}
    assert found == {(a, b): 1 for a in ("one", "two", "three") for b in ("one", "two", "three") if a != b}


def test_one_split_has_nothing_to_be_compared_with() -> None:
    assert between_splits(Held({"test": {"a": drawn(1)}}), ImagingParams()) == []


def test_the_pictures_of_a_release_are_read(reference_data: Path, tmp_path: Path) -> None:
    """Real images under other names in a second split: each of them is found, and no other."""
    images = sorted((reference_data / "vqa_rad" / "images").iterdir())[:12]
    (tmp_path / "images").mkdir()
    for number, image in enumerate(images):
        (tmp_path / "images" / image.name).write_bytes(image.read_bytes())
        if number < 5:
            Image.open(image).reduce(2).save(tmp_path / "images" / f"again{number}.jpg")
    write_lines(tmp_path / "train.jsonl", vqa_rad_rows("freeform", [image.name for image in images]))
    write_lines(tmp_path / "test.jsonl", vqa_rad_rows("test_para", [f"again{n}.jpg" for n in range(5)], 500))
    benchmark = opened("vqa_rad", {"path": str(tmp_path)}, Storage(StorageParams()))
    found = {(s.split, s.other): s for s in between_splits(benchmark, ImagingParams())}
    test = found["test", "train"]
    assert (test.n, test.by_name, test.by_bytes, test.by_look) == (5, 0, 0, 5)
    assert test.examples == tuple((f"again{n}.jpg", images[n].name) for n in range(5))
    assert ("train", "test") not in found


class Counted(Held):
    """Remembers what was read."""

    def read(self, places: Sequence[ImageAt | None]) -> list[Picture]:
        self.asked = [*getattr(self, "asked", []), *(str(at.holder) for at in places if at is not None)]
        return super().read(places)


def test_of_many_only_files_of_one_size_are_read_and_a_renamed_copy_is_found() -> None:
    held = Counted(
        {"test": {"a": b"one", "b": b"three", "c": b"seven"}, "train": {"x": b"four", "y": b"seven"}}
    )
    there, _ = between_splits(held, ImagingParams(), most=4)
    assert (there.n, there.by_name, there.by_bytes, there.by_look, there.by_any) == (3, 0, 1, None, 1)
    assert there.examples == (("c", "y"),)
    assert held.asked == ["test/b", "test/c", "train/y"]
    assert "by bytes 1, not compared by look)" in str(there)


def test_a_split_without_images_here_is_not_measured(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", vqa_rad_rows("freeform", ["a.jpg"]))
    write_lines(tmp_path / "test.jsonl", vqa_rad_rows("test_para", ["b.jpg"], 500))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "b.jpg").write_bytes(drawn(1, "JPEG"))
    benchmark = opened("vqa_rad", {"path": str(tmp_path)}, Storage(StorageParams()))
    assert between_splits(benchmark, ImagingParams()) == []
    assert any("in the release 202 of the 203" in note for note in benchmark.notes())
