"""Precision and recall of finding, presence and side on sentences marked by hand: they must not rot."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.facts import LATER, MARKED, Mark, Sentence, judge, outcomes, precision_recall, sentences


@pytest.mark.parametrize(
    ("path", "size", "precision", "recall"), [(MARKED, 1800, 0.95, 0.92), (LATER, 200, 0.93, 0.92)]
)
def test_marked_sentences_are_read(path: Path, size: int, precision: float, recall: float) -> None:
    judged = outcomes(path=path)
    got = precision_recall(judged)
    wrong = [(o.sentence.text, o.missed, o.wrong) for o in judged if o.missed or o.wrong]
    assert len(judged) >= size
    assert got[0] >= precision, wrong
    assert got[1] >= recall, wrong


def test_the_marks_are_of_many_kinds() -> None:
    marked = sentences()
    assert len({sentence.text for sentence in marked}) == len(marked)
    assert {"radiograph", "CT", "MR", "ultrasound", "nuclear", "angiography", "endoscopy"} <= {
        sentence.modality for sentence in marked
    }
    assert {mark.presence for sentence in marked for mark in sentence.marks} == {
        "present",
        "absent",
        "uncertain",
    }
    assert {mark.side for sentence in marked for mark in sentence.marks} == {
        "left",
        "right",
        "bilateral",
        "-",
        "*",
    }


def test_a_reading_is_right_missed_wrong_or_allowed() -> None:
    left, both = Mark("rib fracture", "present", "left"), Mark("rib fracture", "present", "bilateral")
    open_, none = Mark("lesion", "present", "-", optional=True), Mark("bulla", "absent", "*")
    sentence = Sentence("CT", "plain", "", (left, none, open_))
    judged = judge(sentence, [both, Mark("bulla", "absent", "right"), Mark("lesion", "present", "left")])
    assert (judged.right, judged.missed, judged.wrong) == ((none,), (left,), (both,))
    assert precision_recall([judged]) == (0.5, 0.5)
    assert not judge(sentence, [both, none], depth=2).missed
