"""What a shard counts of its rows is what stands in its files."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from mht.artifacts import read_commits
from mht.config import BuildConfig
from mht.dataset.books import add_up
from mht.dataset.licences import licence_id
from mht.dataset.run import read_run
from mht.storage import Storage


def test_the_tallies_are_the_rows(finished: BuildConfig) -> None:
    storage, root = Storage(finished.storage), Path(finished.output)
    run = read_run(storage, finished.output)
    assert run is not None
    counts = add_up(read_commits(storage, finished.output, run.name, sorted(run.plan.shards))).counts
    pairs = [row for path in sorted(root.glob("pairs/*")) for row in pq.read_table(path).to_pylist()]
    images = [row for path in sorted(root.glob("images/*")) for row in pq.read_table(path).to_pylist()]
    modality = {row["image_id"]: row["modality"] or "unsaid" for row in images}
    each = Counter(row["image_id"] for row in pairs)
    assert len(pairs) == counts["total"]["pairs"] > 100
    for name in ("state", "type", "form", "risk", "split"):
        assert counts[name] == Counter(row[name] for row in pairs), name
    assert counts["polarity"] == Counter(row["polarity"] or "open" for row in pairs)
    assert counts["strategy"] == Counter(row["strategy"] for row in pairs if row["strategy"])
    assert counts["modality"] == Counter(modality[row["image_id"]] for row in pairs)
    assert counts["form_polarity"] == Counter(f"{row['form']}/{row['polarity'] or 'open'}" for row in pairs)
    assert counts["type_risk"] == Counter(f"{row['type']}/{row['risk']}" for row in pairs)
    assert counts["pairs_an_image"] == Counter(str(n) for n in each.values())
    assert (
        counts["licence"]
        == Counter(licence_id(row["licence"]) for row in images)
        == {"cc-by-4.0": len(images)}
    )
