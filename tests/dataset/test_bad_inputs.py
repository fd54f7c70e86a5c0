"""R9, R10, R11: what cannot be decoded becomes a reason, whatever it is and whatever it is called."""

import json
import os
import random
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mht.artifacts import RUN
from mht.config import BuildConfig, load
from mht.dataset.captions import PremiseStore
from mht.dataset.pixels import PixelCache
from mht.dataset.plan import assign, image_id, write_plan
from mht.dataset.run import name_run
from mht.dataset.shard import ShardBuilder, WorkSpec, make_source
from mht.dataset.stages import fingerprints
from mht.dataset.verify import verify
from mht.imaging.guard import DecoderGuard
from mht.knowledge.facts import read_facts
from mht.records import Quarantined, Reason
from mht.storage import Storage
from mht.watch import Progress
from tests.dataset.crashing_child import MARK
from tests.dataset.loopback import open_to_all
from tests.dataset.oracle import build_here, common, quarantine_of, rows_of, run_mht
from tests.dataset.spoilt import STRANGE, lines_of, put, refused_cases, tables
from tests.imaging.hostile import OK, corpus
from tests.imaging.test_guard import wait_until_gone
from tests.s3_server import start_s3

CRASHING = (sys.executable, "-P", "-m", "tests.dataset.crashing_child")
BAD = 60


def rows_without(rows: dict[str, str], ids: set[str]) -> dict[str, str]:
    return {key: value for key, value in rows.items() if key.partition(":")[2][:16] not in ids}


def test_r9_60_bad_files_in_600(ray_cluster: None, phantoms: Path, tmp_path: Path) -> None:
    good = lines_of(phantoms)
    chosen = random.Random(9).sample([i for i, (_, text) in enumerate(good) if read_facts(text).facts], BAD)
    folder = tmp_path / "images"
    described = [
        put(folder, STRANGE[chosen.index(i)] if i in chosen[: len(STRANGE)] else b"%04d.jpg" % i, *row)
        for i, row in enumerate(good)
    ]
    clean, spoilt = tmp_path / "clean", tmp_path / "spoilt"
    # The same 600 captions, since every caption has a part in the corpus-wide table; all images are good.
    build_here(*common(folder, clean))
    wanted = {}
    for index, case in zip(chosen, refused_cases(BAD, 9), strict=True):
        described[index].path.write_bytes(case.data)
        wanted[described[index].image_id] = str(case.outcome)
    assert len(wanted) == BAD
    build_here(*common(folder, spoilt))
    refused_anyway = quarantine_of(str(clean))
    assert set(refused_anyway.values()) <= {Reason.NO_FACTS, Reason.NO_PAIRS}
    expected = {i: why for i, why in refused_anyway.items() if i not in wanted} | wanted
    assert quarantine_of(str(spoilt)) == expected
    others = rows_without(rows_of(str(clean)), set(wanted))
    assert rows_without(rows_of(str(spoilt)), set(wanted)) == others
    assert sum(key.startswith("images:") for key in others) > 400
    _no_name_became_a_path(spoilt)
    verify(load(None, [f"output={spoilt}"]))


def _no_name_became_a_path(output: Path) -> None:
    """Every file of a dataset is called after a shard or a hash, every image after its id."""
    found = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    strange = [
        name for name in found if not re.fullmatch(r"[A-Za-z0-9_.-]+(/[a-z0-9-]+){0,2}(/[a-z0-9.-]+)?", name)
    ]
    assert strange == []
    for row in tables(output, "images"):
        assert row["image"]["path"] == row["image_id"] + ".jpg"


def test_r10_too_many_quarantined(part_of: Callable[[int], Path], tmp_path: Path) -> None:
    folder, output = part_of(60), tmp_path / "out"
    for path, case in zip(sorted(folder.rglob("*.jpg"))[::8], refused_cases(8, 3), strict=True):
        path.write_bytes(case.data)
    words = common(folder, output, "build.progress=false")
    done = run_mht("build", *words)
    assert done.returncode == 3, done.stderr
    reasons = set(quarantine_of(str(output)).values())
    assert all(re.search(rf"^ +{reason} +\d+$", done.stdout, re.MULTILINE) for reason in reasons)
    (line,) = done.stderr.splitlines()
    for word in ("quarantined", "build.max_quarantined", "0.05", str(output / "quarantine")):
        assert word in line
    assert "books balanced" in verify(load(None, [f"output={output}"]))
    again = run_mht("build", *words, "build.max_quarantined=1")
    assert (again.returncode, again.stderr) == (0, "")


def test_r11_what_kills_or_hangs_the_decoder_is_refused(phantoms: Path, tmp_path: Path) -> None:
    good = lines_of(phantoms)[:60]
    folder = tmp_path / "images"
    described = [put(folder, b"%04d.jpg" % i, *row) for i, row in enumerate(good)]
    clean, _ = build_alone(folder, tmp_path / "clean")
    orders = {
        0: b"segfault",
        7: b"hang",
        8: b"segfault",
        20: b"close",
        33: b"babble",
        50: b"exit",
        59: b"hang",
    }
    for index, order in orders.items():
        described[index].path.write_bytes(good[index][0] + MARK + order)
    spoilt, quarantined = build_alone(folder, tmp_path / "spoilt")
    spoilt_ids = {described[index].image_id for index in orders}
    found = {row["image_id"]: (row["reason"], row["attempts"], row["stage"]) for row in quarantined}
    for index, order in orders.items():
        reason = Reason.DECODER_TIMEOUT if order == b"hang" else Reason.DECODER_CRASHED
        assert found.pop(described[index].image_id) == (reason, 2, "image")
    assert {reason for reason, _, _ in found.values()} <= {Reason.NO_FACTS, Reason.NO_PAIRS}
    assert without(spoilt, spoilt_ids) == without(clean, spoilt_ids)
    assert len(without(clean, spoilt_ids)) > 100


def without(rows: Sequence[dict[str, Any]], ids: set[str]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows if row["image_id"] not in ids)


def build_alone(folder: Path, output: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Images and pairs, and the quarantined, of one shard built in this process by a decoder with a defect."""
    config: BuildConfig = load(None, common(folder, output, "splits.train=1", "splits.validation=0", "splits.test=0",
                                            "imaging.child_timeout_s=2"))  # fmt: skip
    storage, resolved = Storage(config.storage), config.resolved()
    items = make_source(resolved, storage).items()
    plan = write_plan(storage, str(output), assign(items, 0, config.splits, 100))
    prints = fingerprints(resolved)
    name = name_run(resolved, prints, plan)
    spec = WorkSpec(str(output), name, resolved, prints, plan.stage_keys())
    guards: list[DecoderGuard] = []

    def guard(params: Any) -> DecoderGuard:
        guards.append(DecoderGuard(params, command=CRASHING))
        return guards[-1]

    told: list[Progress] = []
    builder = ShardBuilder(spec, told.append, guard)
    (shard,) = plan.shards
    builder.caption(shard)
    PremiseStore(storage, str(output), prints.pair).add_up(list(plan.stage_keys().values()), name)
    commit = builder.build(shard)
    last = guards[0].child_pid
    builder.close()
    wait_until_gone(last)
    images, quarantined = tables(output, "images"), tables(output, "quarantine")
    assert commit.counts["total"]["in"] == len(images) + len(quarantined)
    return images + tables(output, "pairs"), quarantined


def test_every_hostile_file_of_the_list(ray_cluster: None, phantoms: Path, tmp_path: Path) -> None:
    """RELIABILITY's images and DICOM files as one source, sound phantoms between them."""
    folder, output = tmp_path / "images", tmp_path / "out"
    texts = [text for _, text in lines_of(phantoms) if read_facts(text).facts]
    cases = {
        put(folder, b"hostile/%s.png" % case.name.encode(), case.data, text).image_id: case
        for case, text in zip(corpus(), texts, strict=False)
    }
    for index, (data, text) in enumerate(lines_of(phantoms)[200:400]):
        put(folder, b"sound/%d.jpg" % index, data, text)
    config, report = build_here(*common(folder, output))
    rows = tables(output, "quarantine")
    found = {row["image_id"]: Quarantined(**row) for row in rows}
    for key, case in cases.items():
        if case.outcome != OK:
            assert (found[key].stage, found[key].reason, found[key].attempts) == ("image", case.outcome, 1), (
                case.name
            )
            assert found[key].detail.isprintable()
    cache = PixelCache(Storage(config.storage), str(output), report.run.fingerprints.image)
    kept = {
        i: image.result
        for key in report.run.plan.stage_keys().values()
        for i, image in cache.read(key).items()
    }
    sound = {key: case for key, case in cases.items() if case.outcome == OK}
    for key, case in sound.items():
        if key in found:
            assert found[key].reason == Reason.NO_PAIRS, case.name
        elif case.check is not None:
            case.check(kept[key])  # type: ignore[arg-type]
    assert len(sound.keys() & {row["image_id"] for row in tables(output, "images")}) >= 20
    assert report.books.total("in") == len(cases) + 200
    verify(load(None, [f"output={output}"]))


def test_objects_that_are_not_what_the_plan_says(ray_cluster: None, phantoms: Path, tmp_path: Path) -> None:
    """Missing, out of the root, replaced after the listing, or of 5 GiB: refused, and the last is never read."""
    folder, output = tmp_path / "images", tmp_path / "out"
    good = [row for row in lines_of(phantoms)[:80] if read_facts(row[1]).facts]
    text = good[0][1]
    for index, row in enumerate(good):
        put(folder, b"sound/%d.jpg" % index, *row)
    huge = put(folder, b"huge.jpg", b"", text)
    os.truncate(huge.path, 5 << 30)
    replaced = put(folder, b"replaced.jpg", good[1][0], text)
    leaving = put(folder, b"leaving.jpg", b"", text)
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(good[2][0])
    leaving.path.unlink()
    leaving.path.symlink_to(outside)
    dangling = put(folder, b"dangling.jpg", b"", text)
    dangling.path.unlink()
    dangling.path.symlink_to(folder / "nowhere.jpg")
    names = {"gone.jpg": Reason.MISSING_OBJECT, "../outside.jpg": Reason.UNREADABLE_OBJECT,
             "nul\0.jpg": Reason.MISSING_OBJECT}  # fmt: skip
    lines = [json.dumps({"file_name": name, "caption": text}) for name in names]
    (folder / "metadata.jsonl").write_text("\n".join(lines))

    def replace_once() -> None:
        if (output / RUN).exists() and replaced.path.read_bytes() == good[1][0]:
            replaced.path.write_bytes(good[3][0])

    build_here(*common(folder, output), pulse=replace_once)
    found = quarantine_of(str(output))
    wanted = {image_id(name): reason for name, reason in names.items()}
    wanted |= {huge.image_id: Reason.TOO_MANY_BYTES, replaced.image_id: Reason.REPLACED_SINCE_PLAN}
    wanted |= {leaving.image_id: Reason.UNREADABLE_OBJECT, dangling.image_id: Reason.MISSING_OBJECT}
    assert {key: found[key] for key in wanted} == wanted
    assert set(found) - set(wanted) <= {key for key, why in found.items() if why == Reason.NO_PAIRS}


def test_names_that_only_a_bucket_can_hold(ray_cluster: None, phantoms: Path, tmp_path: Path) -> None:
    climbing = ["../up.jpg", "a/../../b.jpg", "./dot.jpg", "a//b.jpg", "/lead.jpg"]
    keys = [*climbing, "x" * 300 + ".jpg", "to\u202eleft.jpg", "plus+ %41.jpg"]
    good = [row for row in lines_of(phantoms)[:80] if read_facts(row[1]).facts]
    output = tmp_path / "out"
    with start_s3() as s3:
        open_to_all(s3, "bucket")
        words = (f"storage.endpoint_url={s3.endpoint_url}", "storage.anonymous=true")
        config = load(None, words)
        storage = Storage(config.storage)
        names = [*keys, *(f"sound/{i}.jpg" for i in range(len(good) - len(keys)))]
        for name, (data, text) in zip(names, good, strict=True):
            storage.write("s3://bucket/in/" + name, data)
            storage.write("s3://bucket/in/" + os.path.splitext(name)[0] + ".txt", text.encode())
        build_here(
            "source.kind=folder", "source.path=s3://bucket/in", f"output={output}", "build.workers=2", *words
        )
    found = quarantine_of(str(output))
    kept = {row["image_id"] for row in tables(output, "images")}
    assert set(found.values()) <= {Reason.NO_PAIRS}
    assert {image_id(name) for name in names} == kept | set(found)
    _no_name_became_a_path(output)
