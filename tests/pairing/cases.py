"""Cases for every slot: a caption, the finding that is asked about, and the edit that makes one thing of it false."""

from __future__ import annotations

from mht.knowledge.facts import read_facts
from mht.knowledge.slots import value_of
from mht.pairing.frames import Frame, frames
from mht.pairing.phrases import Case
from mht.records import Edit, Reading

CASES = (
    ("Left pleural effusion. No pneumothorax.", "pleural effusion", "existence", "finding", "cardiomegaly"),
    ("Cardiomegaly. No emphysema or rib fracture.", "cardiomegaly", "existence", "finding", "rib fracture"),
    ("Schistocytes. No blast cells or anisocytosis.", "schistocytes", "existence", "finding", "anisocytosis"),
    ("Clear lungs.", "clear lungs", "existence", "finding", "consolidation"),
    ("A pleural effusion.", "pleural effusion", "normality", "finding", "clear lungs"),
    ("CT of the head.", "CT image", "modality", "finding", "MR image"),
    ("CT of the head.", "CT image", "location", "site", "chest"),
    ("MRI of the left knee.", "MR image", "laterality", "side", "right"),
    ("Axial CT of the head.", "CT image", "sequence", "plane", "coronal"),
    ("CT of the head.", "CT image", "misbelief", "belief:dose", "no ionising radiation"),
    ("A small left pleural effusion.", "pleural effusion", "laterality", "side", "right"),
    ("A fracture of the right femur.", "fracture", "laterality", "side", "left"),
    ("Mass in the left lower lobe.", "lung mass", "location", "site", "upper lobe"),
    ("A small left pleural effusion.", "pleural effusion", "severity", "severity", "large"),
    ("Mild cardiomegaly.", "cardiomegaly", "severity", "severity", "severe"),
    ("A nodule of the left lung, 8 mm.", "lung nodule", "size", "size", "20"),
    ("Two lung nodules.", "lung nodule", "count", "number", "single"),
    ("A single schistocyte.", "schistocytes", "count", "number", "multiple"),
    ("An ill-defined mass of the liver.", "liver mass", "attribute", "margin", "well-defined"),
    ("Three yellow polyps in the sigmoid colon.", "polyp", "appearance", "colour", "red"),
    ("The left pleural effusion has increased.", "pleural effusion", "temporal", "change", "decreased"),
    ("The left pleural effusion has increased.", "pleural effusion", "temporal", "change", "uncompared"),
    ("Schistocytes.", "schistocytes", "temporal", "change", "increased"),
    ("A pleural effusion.", "pleural effusion", "negation", "presence", "absent"),
    ("A mass of the liver. No pneumothorax.", "pneumothorax", "negation", "presence", "present"),
)  # fmt: skip


def reading_and_edit(caption: str, finding: str, type_: str, slot: str, after: str) -> tuple[Reading, Edit]:
    """What the caption says, and an edit of the fact about the finding."""
    reading = read_facts(caption)
    fact = next(i for i, f in enumerate(reading.facts) if f.finding == finding)
    before = value_of(reading.facts[fact], slot, reading)
    if before is None:
        raise LookupError(f"{caption}: no {slot}")
    return reading, Edit(type_, fact, slot, before, after, 0.5, 0.5)


def all_frames(kind: str, reading: Reading, edit: Edit) -> list[Frame]:
    """What a question could show or ask beside the edited term."""
    fitting = frames(kind, edit.slot, edit.after, reading.facts[edit.fact])
    return [frame for frame in fitting if frame.share]


def case_of(reading: Reading, edit: Edit, frame: Frame, image: str = "this picture") -> Case:
    shown = (frame.shown,) if frame.shown else ()
    return Case(reading.facts[edit.fact], edit, shown, frame.ask, image, reading)
