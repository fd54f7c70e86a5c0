"""Every length goes to the finding that it is nearest to, in its clause."""

from __future__ import annotations

import pytest

from mht.knowledge.facts import read_facts


@pytest.mark.parametrize(
    ("caption", "lengths"),
    [
        ("A 12 mm lung nodule and a 3 cm renal cyst.", {"lung nodule": 12.0, "renal cyst": 30.0}),
        ("A renal cyst of 4 x 6 cm.", {"renal cyst": 60.0}),
        ("A renal cyst 2 cm above the iliac crest.", {"renal cyst": None}),
        ("A lung nodule; the catheter is 40 mm long.", {"lung nodule": None, "catheter": 40.0}),
    ],
)
def test_each_length_has_its_finding(caption: str, lengths: dict[str, float | None]) -> None:
    assert {f.finding: f.size_mm for f in read_facts(caption).facts} == lengths
