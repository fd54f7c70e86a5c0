"""Normal statements: shared between organs, of the whole image, and not where they are of something else."""

from __future__ import annotations

import pytest

from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import is_study

WHOLE = "unremarkable examination"


def _findings(caption: str) -> list[str]:
    return [f.finding for f in read_facts(caption).facts if not is_study(f.finding)]


@pytest.mark.parametrize(
    ("caption", "findings"),
    [
        ("The liver, gallbladder and both kidneys are normal.", ["normal liver", "normal gallbladder",
                                                                 "normal kidneys"]),
        ("Lungs, pleura and heart are unremarkable.", ["clear lungs", "normal heart size"]),
        ("The uterus is of normal size.", ["normal uterus"]),
        ("The heart size is within normal limits.", ["normal heart size"]),
        ("The menisci and ligaments are intact.", ["intact menisci", "intact ligaments"]),
        ("Filling of the bladder is normal.", []),
        ("Normal axial CT.", [WHOLE]),
        ("Normal sonogram of the gallbladder.", ["normal gallbladder"]),
        ("No abnormality of the heart.", []),
        ("Apart from cerebral atrophy, no abnormality.", ["cerebral atrophy"]),
        ("The stent is patent.", ["stent", "patency"]),
    ],
)  # fmt: skip
def test_what_is_normal(caption: str, findings: list[str]) -> None:
    assert sorted(_findings(caption)) == sorted(findings)
