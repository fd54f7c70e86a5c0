"""Parts: an image's questions together, the same each time, and what is asked known wherever the images lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mht.evaluation.plan import Planned, PlanReader, cut, write_plan
from mht.questions import ImageAt, Question
from mht.storage import Storage, StorageParams

STORAGE = Storage(StorageParams())


def question(image: int, at: int, holder: str = "here") -> Question:
    return Question(
        benchmark="release", row_id=f"{image}-{at}", image_id=f"i{image}", image=ImageAt(f"{holder}/{image}.png"),
        question=f"question {at} ?", truth="yes", kind="choice", options=("a", "b") if at else None,
    )  # fmt: skip


def apart(images: int, each: int, holder: str = "here") -> list[Question]:
    return [question(image, at, holder) for at in range(each) for image in range(images)]


def plan(root: Path, questions: Sequence[Question], held: str = "") -> Planned:
    return write_plan(STORAGE, str(root), "mine", questions, 8, held)


@pytest.mark.parametrize(
    ("images", "each", "size"), [(5, 4, 8), (5, 3, 8), (1, 20, 8), (30, 1, 8), (3, 9, 8)]
)
def test_parts_hold_each_question_once_and_images_whole(images: int, each: int, size: int) -> None:
    parts = cut(apart(images, each), size)
    rows = [one.row_id for part in parts for one in part]
    assert sorted(rows) == sorted(one.row_id for one in apart(images, each))
    assert all(0 < len(part) <= size for part in parts)
    held = {one.image_id: {at for at, part in enumerate(parts) for o in part if o.image_id == one.image_id}
            for part in parts for one in part}  # fmt: skip
    if each <= size:
        assert all(len(places) == 1 for places in held.values())
    for part in parts:
        images_of = [one.image_id for one in part]
        assert images_of == sorted(images_of, key=lambda name: images_of.index(name))


def test_a_plan_gives_back_what_was_planned(tmp_path: Path) -> None:
    planned = plan(tmp_path, apart(5, 4))
    assert (planned.questions, planned.parts, planned.names()) == (20, 3, ["00000", "00001", "00002"])
    reader = PlanReader(STORAGE, str(tmp_path), planned)
    read = [one for part in planned.names() for one in reader.read(part)]
    reader.close()
    assert read == [replace(one, benchmark="mine") for part in cut(apart(5, 4), 8) for one in part]


def test_what_is_asked_does_not_hang_on_where_images_lie(tmp_path: Path) -> None:
    asked = [
        plan(tmp_path, of).asked
        for of in (
            apart(5, 4),
            apart(5, 4, "elsewhere"),
            apart(5, 3),
            [replace(q, truth="no") for q in apart(5, 4)],
        )
    ]
    assert asked[0] == asked[1]
    assert len(set(asked)) == 3


def test_the_mark_of_a_parts_images_changes_with_what_was_listed_of_them(tmp_path: Path) -> None:
    questions = apart(5, 4)
    first = plan(tmp_path, questions).images
    assert len(first) == 3
    assert plan(tmp_path, [replace(one, truth="no") for one in questions]).images == first
    at = questions[0].image
    assert at is not None
    for other in ({"version": "2"}, {"size_bytes": 5}, {"holder": "elsewhere"}, {"member": "0:1"}):
        changed = [replace(one, image=replace(at, **other)) if one.image == at else one for one in questions]
        marks = plan(tmp_path, changed).images
        assert [mark == old for mark, old in zip(marks, first, strict=True)] == [False, True, True]
    assert not set(plan(tmp_path, questions, held="other rows").images) & set(first)
