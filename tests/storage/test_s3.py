"""S3 when things go wrong: faults, outages, refusals, bodies that are not what they claim."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from mht.errors import StorageDenied, StorageError, StorageMissing, StorageOutage
from mht.records import Reason, Refusal
from mht.storage import ReadRequest, Storage, StorageParams, join
from tests.s3_server import HUGE_BYTES, R5, Faults, S3Server

Make = Callable[..., Storage]
ROOT = "s3://bucket/faulty"


def reads(storage: Storage, prefix: str) -> list[ReadRequest]:
    return [ReadRequest(f.uri, None, None, 1 << 20, f.size_bytes, f.version) for f in storage.list(prefix)]


def fill(storage: Storage, prefix: str, count: int) -> list[bytes]:
    bodies = [b"%d " % number * (100 + number) for number in range(count)]
    for number, body in enumerate(bodies):
        storage.write(join(prefix, f"{number:04}"), body)
    return bodies


@pytest.mark.parametrize("seed", [2])
def test_every_object_is_right_under_the_faults_of_r5(s3: S3Server, s3_storage: Make, seed: int) -> None:
    storage, prefix = s3_storage(), f"{ROOT}/r5-{seed}"
    s3.set_faults(Faults(**(R5.__dict__ | {"seed": seed, "slow_s": 0.02})))
    s3.reset_counts()
    bodies = fill(storage, prefix, 200)
    assert storage.read_many(reads(storage, prefix)) == bodies
    assert all(storage.create(join(prefix, f"commit/{n}"), b"%d" % n) for n in range(100))
    assert not any(storage.create(join(prefix, f"commit/{n}"), b"other %d" % n) for n in range(100))
    counts = s3.counts()
    assert all(counts[f"fault.{name}"] > 0 for name in ("error_503", "reset_after", "truncate"))
    assert counts["requests"] < 800


def test_create_after_a_lost_answer_is_ours(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    s3.set_faults(Faults(reset_after=1.0, faults_per_key=1))
    assert storage.create(f"{ROOT}/lost", b"mine")
    s3.set_faults(Faults(reset_after=1.0, faults_per_key=1))
    assert not storage.create(f"{ROOT}/lost", b"theirs")
    s3.set_faults(Faults())
    assert storage.read(f"{ROOT}/lost") == b"mine"


def test_a_short_outage_is_waited_out(s3: S3Server) -> None:
    storage = Storage(StorageParams(endpoint_url=s3.endpoint_url, outage_limit_s=60))
    bodies = fill(storage, f"{ROOT}/short", 20)
    requests = reads(storage, f"{ROOT}/short")
    s3.refuse(seconds=0.5)
    assert storage.read_many(requests) == bodies
    s3.refuse(seconds=0.5)
    storage.write(f"{ROOT}/short/more", b"more")
    s3.refuse(seconds=0.5)
    assert len(list(storage.list(f"{ROOT}/short"))) == 21


def test_a_long_outage_ends_with_75(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage(outage_limit_s=600)
    fill(storage, f"{ROOT}/long", 50)
    requests = reads(storage, f"{ROOT}/long")
    s3.refuse()
    operations = [
        lambda: storage.read_many(requests),
        lambda: storage.read(requests[0].uri),
        lambda: storage.write(f"{ROOT}/long/x", b"x"),
        lambda: storage.create(f"{ROOT}/long/y", b"x"),
        lambda: list(storage.list(f"{ROOT}/long")),
        lambda: storage.size(requests[0].uri),
    ]
    for operation in operations:
        with pytest.raises(StorageOutage) as caught:
            operation()
        assert caught.value.exit_code == 75
        assert s3.endpoint_url in str(caught.value)
        assert "600 s" in str(caught.value)
        assert "same command" in str(caught.value)


def test_an_outage_brings_no_storm(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage(outage_limit_s=600, concurrency=8)
    fill(storage, f"{ROOT}/storm", 100)
    requests = reads(storage, f"{ROOT}/storm")
    s3.set_faults(Faults(deny="SlowDown"))
    s3.reset_counts()
    with pytest.raises(StorageOutage):
        storage.read_many(requests)
    assert s3.counts()["requests"] < 300  # ten minutes of waiting, at most ten seconds each, jittered


def test_a_store_that_never_answers_is_an_outage(s3: S3Server) -> None:
    params = StorageParams(endpoint_url=s3.endpoint_url, read_timeout_s=0.3, outage_limit_s=0.5)
    storage = Storage(params)
    storage.write(f"{ROOT}/hang/x", b"x")
    s3.hang()
    with pytest.raises(StorageOutage, match="ReadTimeout"):
        storage.read(f"{ROOT}/hang/x")
    s3.restore()
    assert storage.read(f"{ROOT}/hang/x") == b"x"


def test_the_preflight_is_quick_when_the_store_hangs(s3: S3Server) -> None:
    storage = Storage(StorageParams(endpoint_url=s3.endpoint_url))
    s3.hang()
    began = time.monotonic()
    with pytest.raises(StorageOutage):
        storage.check_readable(f"{ROOT}/x")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AccessDenied", "Grant"),
        ("ExpiredToken", "new credentials"),
        ("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_refusals_come_at_once_with_the_remedy(
    s3: S3Server, s3_storage: Make, code: str, remedy: str
) -> None:
    storage = s3_storage()
    fill(storage, f"{ROOT}/denied", 10)
    requests = reads(storage, f"{ROOT}/denied")
    s3.set_faults(Faults(deny=code))
    operations: list[tuple[Callable[[], object], int]] = [
        (lambda: storage.check_readable(f"{ROOT}/denied"), 3),
        (lambda: storage.check_writable(f"{ROOT}/denied"), 3),
        (lambda: storage.read_many(requests), 10),
        (lambda: storage.read_many(requests[:1]), 2),
        (lambda: storage.write(f"{ROOT}/denied/x", b"x"), 1),
        (lambda: storage.create(f"{ROOT}/denied/x", b"x"), 1),
        (lambda: storage.size(requests[0].uri), 3),  # HEAD tells no code; botocore asks for the region
        (lambda: list(storage.list(f"{ROOT}/denied")), 1),
    ]
    for operation, most in operations:
        s3.reset_counts()
        with pytest.raises(StorageDenied, match=remedy) as caught:
            operation()
        assert caught.value.exit_code == 77
        assert "testing" not in str(caught.value)
        assert s3.counts()["requests"] <= most


def test_a_bucket_that_is_not_there(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    s3.reset_counts()
    for operation in (
        storage.check_readable,
        storage.check_writable,
        storage.read,
        lambda uri: [*storage.list(uri)],
    ):
        with pytest.raises(StorageMissing, match="make the bucket") as caught:
            operation("s3://no-such-bucket/x")
        assert caught.value.exit_code == 66
    assert s3.counts()["requests"] <= 6
    with pytest.raises(StorageMissing, match="nothing is there"):
        storage.check_readable("s3://bucket/empty/prefix")


def test_no_credentials_says_where_they_come_from(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageDenied, match="AWS_ACCESS_KEY_ID"):
        Storage(StorageParams(endpoint_url=s3.endpoint_url)).check_readable("s3://bucket")


def test_one_forbidden_object_is_a_refusal(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    bodies = fill(storage, f"{ROOT}/one", 10)
    requests = reads(storage, f"{ROOT}/one")
    s3.set_faults(Faults(deny="AccessDenied", deny_keys=".*/0003"))
    results = storage.read_many(requests)
    assert isinstance(results[3], Refusal)
    assert results[3].reason is Reason.UNREADABLE_OBJECT
    assert results[:3] + results[4:] == bodies[:3] + bodies[4:]
    (alone,) = storage.read_many(requests[3:4])
    assert isinstance(alone, Refusal)


def test_one_object_that_always_fails_does_not_stop_the_rest(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    bodies = fill(storage, f"{ROOT}/broken", 10)
    requests = reads(storage, f"{ROOT}/broken")
    s3.set_faults(Faults(deny="InternalError", deny_keys=".*/0003", deny_methods=("GET",)))
    results = storage.read_many(requests)
    assert isinstance(results[3], Refusal)
    assert results[3].reason is Reason.UNREADABLE_OBJECT
    assert results[:3] + results[4:] == bodies[:3] + bodies[4:]


def test_a_cut_body_is_never_handed_on(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    bodies = fill(storage, f"{ROOT}/cut", 20)
    requests = reads(storage, f"{ROOT}/cut")
    s3.set_faults(Faults(truncate=1.0, faults_per_key=2))
    assert storage.read_many(requests) == bodies


def test_an_etag_that_is_no_md5_is_believed_the_second_time(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    storage.write(f"{ROOT}/strange/x", b"content")
    s3.set_faults(Faults(strange_etags=True))
    s3.reset_counts()
    assert storage.read(f"{ROOT}/strange/x") == b"content"
    assert s3.counts()["GET"] == 2


def test_a_large_object_is_written_in_parts_and_read_back(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    data = bytes(range(256)) * (65 << 12)
    storage.write(f"{ROOT}/large/x", data)
    (found,) = storage.list(f"{ROOT}/large")
    assert "-" in (found.version or "")
    (body,) = storage.read_many([ReadRequest(found.uri, None, None, None, found.size_bytes, found.version)])
    assert body == data


def test_5_gib_are_refused_from_the_size(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    storage.write(f"{ROOT}/huge/x", b"x")
    s3.set_faults(Faults(huge_keys=".*/huge/x"))
    s3.reset_counts()
    listed = ReadRequest(f"{ROOT}/huge/x", None, None, 64 << 20, HUGE_BYTES)
    (body,) = storage.read_many([listed])
    assert isinstance(body, Refusal)
    assert body.reason is Reason.TOO_MANY_BYTES
    assert s3.counts()["requests"] == 0
    (body,) = storage.read_many([ReadRequest(f"{ROOT}/huge/x", max_bytes=64 << 20)])
    assert isinstance(body, Refusal)
    assert body.reason is Reason.TOO_MANY_BYTES
    assert s3.counts()["bytes_sent"] < 100


def test_a_store_that_ignores_create_if_absent_is_found_out(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    s3.set_faults(Faults(ignore_conditions=True))
    with pytest.raises(StorageError, match="If-None-Match"):
        storage.check_writable(f"{ROOT}/ignores")
    s3.set_faults(Faults())
    assert list(storage.list(f"{ROOT}/ignores")) == []


def test_threads_share_a_storage(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    bodies = fill(storage, f"{ROOT}/threads", 20)
    requests = reads(storage, f"{ROOT}/threads")
    results: list[list[bytes | Refusal]] = []
    threads = [threading.Thread(target=lambda: results.append(storage.read_many(requests))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [bodies] * 6


@pytest.mark.parametrize(
    "key", ["../up.png", "a/../b.png", "./x", "/lead", "a//b", "q?versionId=1", "h#1", "%2e%2e"]
)
def test_keys_are_taken_as_they_are(s3: S3Server, s3_storage: Make, key: str) -> None:
    storage = s3_storage()
    prefix = f"{ROOT}/keys-{abs(hash(key))}"
    storage.write(f"{prefix}/{key}", key.encode())
    (found,) = storage.list(prefix)
    assert found.name == key
    assert storage.read(found.uri) == key.encode()


def test_a_listing_of_several_pages(s3: S3Server, s3_storage: Make) -> None:
    storage = s3_storage()
    s3.fill("bucket", "faulty/pages", 1050)
    s3.set_faults(Faults(error_503=0.5, faults_per_key=2))
    found = [listing.name for listing in storage.list(f"{ROOT}/pages")]
    assert found == [f"{number:06}" for number in range(1050)]
