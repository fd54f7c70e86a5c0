"""Small made-up releases in the layout of each benchmark: a new file of the family needs a function in MAKE."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.dataset.small import picture, write_dataset

Row = dict[str, Any]
Change = Callable[[list[Row]], list[Row]]
Make = Callable[..., Row]


def write_images(folder: Path, names: list[str], first: int = 1) -> None:
    """A picture of its own for each name."""
    for number, name in enumerate(names, start=first):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(number)[1])


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_lines(path: Path, rows: list[Row]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def vqa_rad_rows(phrasing: str, images: list[str], first: int = 0) -> list[Row]:
    """A closed and an open question about each image."""
    rows = []
    for number, image in enumerate(images):
        known = {"phrase_type": phrasing, "image_name": image, "image_organ": "ABD", "question_type": "PRES"}
        known["image_case_url"] = f"https://example.org/case?id={number // 2}"
        closed = {"question": f"Is blob {number} bright?", "answer": "Yes" if number % 2 else "No "}
        opened = {"question": f"How many blobs are in row {number}?", "answer": number + 2}
        rows.append(known | closed | {"qid": first + 2 * number, "answer_type": "CLOSED "})
        rows.append(known | opened | {"qid": str(first + 2 * number + 1), "answer_type": "OPEN"})
    return rows


def vqa_rad(folder: Path, change: Change = list) -> Row:
    """Four images, three of the test split; two of those also in training."""
    names = [f"synthetic{number}.jpg" for number in range(4)]
    write_images(folder / "VQA_RAD Image Folder", names)
    test = vqa_rad_rows("test_freeform", names[:2]) + vqa_rad_rows("test_para", names[2:3], 50)
    train = vqa_rad_rows("freeform", names[1:2], 100) + vqa_rad_rows("para", names[2:], 200)
    write_json(folder / "VQA_RAD Dataset Public.json", train[:2] + change(test) + train[2:])
    return {"path": str(folder)}


def slake_rows(images: list[str], language: str = "en") -> list[Row]:
    rows = []
    for number, image in enumerate(images):
        known = {
            "img_id": number,
            "img_name": image,
            "q_lang": language,
            "location": "Abdomen",
            "modality": "CT",
        }
        asked = {"question": f"Is shape {number} round?", "answer": "Yes" if number % 2 else "No"}
        rows.append(known | asked | {"qid": 10 * number, "answer_type": "CLOSED", "content_type": "Shape"})
        asked = {"question": f"Which shape is in place {number}?", "answer": "A ring"}
        rows.append(known | asked | {"qid": 10 * number + 1, "answer_type": "OPEN", "content_type": "Shape"})
    return rows


def slake(folder: Path, change: Change = list) -> Row:
    names = [f"case{number}/source.jpg" for number in range(4)]
    write_images(folder / "Slake1.0" / "imgs", names)
    test, other = slake_rows(names[:3]), slake_rows(names[:1], "zh")
    write_json(folder / "Slake1.0" / "test.json", change(test) + other)
    write_json(folder / "Slake1.0" / "train.json", slake_rows(names[2:]))
    write_json(folder / "Slake1.0" / "validate.json", slake_rows(names[3:]))
    return {"path": str(folder)}


IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def path_vqa_rows(numbers: list[int]) -> list[Row]:
    """Two questions about each picture."""
    rows = []
    for number in numbers:
        image = {"bytes": picture(number)[1], "path": None}
        rows.append(
            {"image": image, "question": f"is cell {number} large?", "answer": "yes" if number % 2 else "no"}
        )
        rows.append({"image": image, "question": f"what is near cell {number}?", "answer": "a duct"})
    return rows


def write_parquet(path: Path, rows: list[Row], **types: pa.DataType) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: pa.array([row.get(name) for row in rows], types.get(name)) for name in rows[0]}
    pq.write_table(pa.table(columns), path, row_group_size=3)


def path_vqa(folder: Path, change: Change = list) -> Row:
    test = change(path_vqa_rows([1, 2, 3]))
    write_parquet(folder / "data" / "test-00000-of-00002-abc.parquet", test[:4], image=IMAGE)
    write_parquet(folder / "data" / "test-00001-of-00002-abc.parquet", test[4:], image=IMAGE)
    write_parquet(folder / "data" / "train-00000-of-00001-abc.parquet", path_vqa_rows([3, 4]), image=IMAGE)
    return {"path": str(folder)}


def pmc_vqa_rows(images: list[str]) -> list[Row]:
    rows = []
    for number, image in enumerate(images):
        letter = "ABCD"[number % 4]
        options = {f"Choice {one}": f" {one}:Part {one}, \nof {number} " for one in "ABCD"}
        rows.append(
            {"Figure_path": image, "Question": f" Which part is marked\nin figure {number}? "}
            | {"Answer": f"Part {letter}"}
            | options
            | {"Answer_label": letter}
        )
    return rows


def pmc_vqa(folder: Path, change: Change = list) -> Row:
    names = [f"PMC10{number // 2}_Fig{number}.jpg" for number in range(6)]
    write_images(folder / "images", names)
    write_csv(folder / "test.csv", change(pmc_vqa_rows(names[:4])))
    write_csv(folder / "train.csv", pmc_vqa_rows(names[3:]))
    return {"path": str(folder)}


def halt_medvqa(folder: Path, change: Change = list) -> Row:
    names = [f"synthetic{number}.jpg" for number in range(3)] + ["PMC7_Fig1.jpg", "PMC7_Fig2.jpg"]
    write_images(folder / "images", names)
    for part, chosen in (("fake_qa_shuffle", names[:2]), ("swap_img_shuffle", names[1:3])):
        options = {"A": "A red square", "B": "I do not know", "C": "A blue ring"}
        rows = [
            {
                "question": f"What sings in image {n}?",
                "option": options,
                "answer": "I do not know",
                "img": name,
            }
            | {"answer_id": "B"}
            for n, name in enumerate(chosen)
        ]
        rows = change(rows) if part.startswith("fake") else rows
        write_json(folder / "data" / f"{part}.json", {str(n): row for n, row in enumerate(rows)})
    choices = {
        "choice_A": " A: A ring ",
        "choice_B": "B: None of the above",
        "choice_C": " C:A cross ",
        "choice_D": " D:A dot",
    }
    none = [
        {"img": name, "question": f" What is in {name}? ", **choices, "answer": "B"} for name in names[3:]
    ]
    write_json(folder / "data" / "pmc_vqa_nota1K.json", none)
    return {"path": str(folder), "images": str(folder / "images")}


def medhalltune_rows(images: list[str], truth: str) -> list[Row]:
    rows = []
    for number, image in enumerate(images):
        asked = f"Does drawing {number} show a circle?"
        rows.append(
            {
                "question_id": number,
                "image": image,
                "text": f"{asked}\n<image>",
                "gpt4_answer": f"{truth} {number}.",
            }
            | {"fig_caption": f"Drawing {number}.", "question": asked, "answer": "Another model's."}
            | {"result": "5 5 5 6\n\nFair."}
        )
    return rows


def medhalltune(folder: Path, change: Change = list) -> Row:
    names = [f"drawing{number}.jpg" for number in range(5)]
    write_images(folder / "images", names)
    write_lines(folder / "positive.jsonl", change(medhalltune_rows(names[:3], "Yes, it shows circle")))
    write_lines(
        folder / "negative.jsonl", medhalltune_rows(names[3:], "The drawing shows no circle but square")
    )
    return {"path": str(folder)}


def polls(folder: Path, change: Change = list) -> Row:
    names = [f"scene{number}.png" for number in range(3)]
    write_images(folder / "images", names)
    rows = [
        {
            "question_id": n,
            "image": name,
            "text": f"Is there a kite in scene {n}?",
            "label": ("yes", "No")[n % 2],
        }
        for n, name in enumerate(names)
    ]
    write_lines(folder / "shapes_random.jsonl", change(rows))
    write_lines(folder / "shapes_popular.json", rows[:2])
    return {"path": str(folder)}


def table(folder: Path, change: Change = list) -> Row:
    names = [f"plate{number}.jpg" for number in range(3)]
    write_images(folder, names)
    rows = [
        {
            "image": name,
            "question": f"Is plate {n} cracked?",
            "answer": f"{('Yes', 'No')[n % 2]}, at the rim {n}.",
        }
        for n, name in enumerate(names)
    ]
    write_lines(folder / "test.jsonl", change(rows))
    return {"path": str(folder / "test.jsonl")}


def pairs(folder: Path, change: Change = list) -> Row:
    def with_words(rows: list[Row]) -> list[Row]:
        return change([row | {"polarity": "yes" if row["state"] == "faithful" else "no"} for row in rows])

    write_dataset(str(folder), change=with_words)
    return {"path": str(folder)}


MAKE: dict[str, Make] = {
    "halt_medvqa": halt_medvqa,
    "medhalltune": medhalltune,
    "pairs": pairs,
    "path_vqa": path_vqa,
    "pmc_vqa": pmc_vqa,
    "polls": polls,
    "slake": slake,
    "table": table,
    "vqa_rad": vqa_rad,
}
"""Writes a release below a folder and gives its Params; `change` alters the rows that are asked, of one file."""

COUNTS = {
    "halt_medvqa": 6, "medhalltune": 5, "pairs": 8, "path_vqa": 6, "pmc_vqa": 4, "polls": 5, "slake": 6, "table": 3,
    "vqa_rad": 6,
}  # fmt: skip
"""How many questions each of them has."""
