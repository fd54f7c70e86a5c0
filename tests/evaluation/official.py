"""The rows of half of the official MedHallTune validation split, where the reference data is."""

from __future__ import annotations

import json
from pathlib import Path

from mht.judgements import read_official
from mht.predictions import Prediction

STATES = {"positive": "faithful", "negative": "hallucinated"}


def official(folder: Path, part: str) -> list[Prediction]:
    """`part` is positive or negative."""
    lines = (folder / "medhalltune" / f"{part}.jsonl").read_text("utf-8").splitlines()
    return [_row(json.loads(line), part) for line in lines]


def _row(row: dict[str, str], part: str) -> Prediction:
    return Prediction(
        benchmark="medhalltune",
        row_id=f"{part}-{row['question_id']}",
        image_id=row["image"],
        question=row["question"],
        truth=row["gpt4_answer"],
        reply=row["answer"],
        state=STATES[part],
        caption=row["fig_caption"],
        judgements=(read_official(row["result"], "gpt-4o-mini"),),
    )
