"""How many real captions say something that the lexicon knows. Run where the reference data are present."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mht.knowledge.facts import read_facts


@pytest.mark.parametrize(("folder", "at_least"), [("medpix", 0.90), ("roco", 0.80)])
def test_share_of_captions_with_a_fact(reference_data: Path, folder: str, at_least: float) -> None:
    lines = (reference_data / folder / "captions.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    readings = [read_facts(row["caption"], row.get("modality")) for row in rows]
    assert sum(any(f.presence == "present" for f in r.facts) for r in readings) / len(rows) >= at_least
