"""R5, R6, R7: a build through an S3 that fails now and then, is gone for a while, or says no."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mht.artifacts import RUN
from tests.dataset.disturb import Once, build_disturbed
from tests.dataset.loopback import INPUT, Loopback, loopback
from tests.dataset.oracle import build_here, common, rows_of, run_mht
from tests.s3_server import R5, Faults

pytestmark = pytest.mark.timeout(900)
SLACK = 3
"""What a busy machine may take longer."""


@pytest.fixture(scope="module")
def filled(phantoms: Path) -> Iterator[Loopback]:
    with loopback(phantoms) as store:
        yield store


@pytest.fixture
def s3(filled: Loopback) -> Iterator[Loopback]:
    filled.clean()
    yield filled
    filled.clean()


def test_r5_a_store_that_fails_now_and_then_changes_no_row(
    ray_cluster: None, s3: Loopback, undisturbed: dict[str, str]
) -> None:
    assert {key.partition(":")[0] for key in undisturbed} == {"images", "pairs", "quarantine"}
    seconds = {}
    for name, faults in (("clean", Faults()), ("faulty", R5)):
        s3.server.set_faults(faults)
        s3.server.reset_counts()
        began = time.monotonic()
        build_here(*s3.words(f"s3://out/r5-{name}"))
        seconds[name] = time.monotonic() - began
        counts = s3.server.counts()
        print(f"figures R5 {name}: {seconds[name]:.1f} s, {counts['requests']} requests, {dict(counts)}")
        s3.server.set_faults(Faults())
        assert rows_of(f"s3://out/r5-{name}", s3.params) == undisturbed
    assert all(counts[f"fault.{kind}"] for kind in ("error_503", "error_500", "truncate", "slow"))
    assert counts["fault.reset_before"] + counts["fault.reset_after"]
    assert seconds["faulty"] <= 2.5 * SLACK * seconds["clean"]


def test_r6_a_store_that_is_gone_for_20_s_is_waited_for(
    ray_cluster: None, s3: Loopback, undisturbed: dict[str, str]
) -> None:
    output = "s3://out/gone-20"
    outage = Once(lambda: s3.committed(output) >= 3, lambda: s3.server.refuse(20))
    # Waiting for the store is no stall: one would end the build here.
    watched = ("build.stall_s=15", "build.stall_tries=1")
    build_here(*s3.words(output, *watched), pulse=outage.pulse)
    assert outage.done_at is not None
    took = time.time() - outage.done_at
    print(f"figures R6: done {took:.1f} s after the store went for 20 s")
    assert took >= 20
    assert rows_of(output, s3.params) == undisturbed


def test_r6_a_store_that_stays_away_ends_the_build_which_resumes(
    ray_cluster: None, s3: Loopback, undisturbed: dict[str, str]
) -> None:
    output = "s3://out/gone"
    words = s3.words(output, "storage.outage_limit_s=3")
    ended = build_disturbed(words, s3.server.env, lambda: s3.committed(output) >= 3, s3.server.refuse)
    print(f"figures R6: exit {ended.code} {ended.took_s:.1f} s after the store went, limit 3 s\n{ended.err}")
    assert ended.code == 75, ended.err
    assert ended.took_s <= 15 * SLACK
    assert "Traceback" not in ended.err
    assert s3.server.endpoint_url in ended.err
    assert re.search(r"last \w+Error: ", ended.err)
    assert "The same command resumes" in ended.err
    s3.server.restore()
    before = s3.commits(output)
    assert len(before) >= 3
    build_here(*s3.words(output))
    assert rows_of(output, s3.params) == undisturbed
    after = s3.commits(output)
    assert {name: after[name] for name in before} == before, "a committed shard was made again"


CAUSES = {
    "AccessDenied": (77, "Grant list and read"),
    "ExpiredToken": (77, "Get new credentials"),
    "NoSuchBucket": (66, "Check the name of the bucket"),
}


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("place", ["input", "output"])
def test_r7_a_store_that_says_no_is_told_at_once(
    place: str, cause: str, s3: Loopback, phantoms: Path, tmp_path: Path
) -> None:
    code, remedy = CAUSES[cause]
    bucket = "images" if place == "input" else "out"
    s3.server.set_faults(Faults(deny=cause, deny_keys=f"/{bucket}(/.*)?"))
    # Where Ray would live, had it been started.
    where = (f"storage.endpoint_url={s3.server.endpoint_url}", f"ray.temp_dir={tmp_path / 'ray'}")
    source, output = (INPUT, str(tmp_path / "out")) if place == "input" else (phantoms, "s3://out/denied")
    began = time.monotonic()
    ended = run_mht("build", *common(source, output, *where), env=s3.server.env)
    took = time.monotonic() - began
    requests = s3.server.counts()["requests"]
    print(f"figures R7 {place} {cause}: {took:.1f} s, {requests} requests\n{ended.stderr}")
    assert ended.returncode == code, ended.stderr
    assert took < 10 * SLACK
    assert remedy in ended.stderr
    assert cause in ended.stderr
    assert f"s3://{bucket}/" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert 0 < requests <= 12
    s3.clean()
    assert list(tmp_path.iterdir()) == []
    assert not s3.storage.exists(f"s3://out/denied/{RUN}")
    assert [item.name for item in s3.storage.list("s3://out/denied")] == []


def test_r7_a_token_that_runs_out_in_mid_build_ends_it_and_a_new_one_resumes(
    ray_cluster: None, s3: Loopback, undisturbed: dict[str, str]
) -> None:
    output = "s3://out/expired"

    def expire() -> None:
        s3.server.reset_counts()
        s3.server.set_faults(Faults(deny="ExpiredToken"))

    ended = build_disturbed(s3.words(output), s3.server.env, lambda: s3.committed(output) >= 3, expire)
    requests = s3.server.counts()["requests"]
    print(f"figures R7 in mid-build: {ended.code}, {ended.took_s:.1f} s, {requests} requests\n{ended.err}")
    assert ended.code == 77, ended.err
    assert ended.took_s < 10 * SLACK
    assert "Get new credentials" in ended.err
    assert "Traceback" not in ended.err
    assert requests < 150
    s3.clean()
    build_here(*s3.words(output))
    assert rows_of(output, s3.params) == undisturbed
