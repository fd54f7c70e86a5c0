"""What Storage promises for every kind of store alike: a local folder, S3 and fsspec's memory."""

from __future__ import annotations

import io
import itertools
import pickle
import string
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mht.errors import ConfigError, StorageMissing
from mht.records import Reason, Refusal
from mht.storage import Listing, ReadRequest, Storage, StorageParams, join

_numbers = itertools.count()


@pytest.fixture(params=["local", "s3", "memory"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, s3_storage: Callable[..., Storage]
) -> tuple[Storage, str]:
    """A storage and an empty prefix in it."""
    if request.param == "local":
        return Storage(StorageParams()), str(tmp_path)
    if request.param == "memory":
        return Storage(StorageParams()), f"memory://root{next(_numbers)}"
    return s3_storage(), f"s3://bucket/store{next(_numbers)}"


def names(storage: Storage, prefix: str) -> list[str]:
    return [found.name for found in storage.list(prefix)]


def test_what_is_written_is_read(place: tuple[Storage, str]) -> None:
    storage, root = place
    uri = join(root, "a/b.bin")
    storage.write(uri, b"first")
    storage.write(uri, b"second one")
    assert storage.read(uri) == b"second one"
    assert storage.read_range(uri, 7, 3) == b"one"
    assert storage.size(uri) == 10
    assert storage.exists(uri)
    assert not storage.exists(join(root, "a"))


def test_create_makes_an_object_once(place: tuple[Storage, str]) -> None:
    storage, root = place
    uri = join(root, "commits/1.json")
    assert storage.create(uri, b"one")
    assert not storage.create(uri, b"two")
    assert not storage.create(uri, b"one")
    assert storage.read(uri) == b"one"


def test_of_eight_creators_one_wins(place: tuple[Storage, str]) -> None:
    storage, root = place
    for number in range(10):
        uri = join(root, f"commits/{number}.json")
        won: list[bytes] = []
        barrier = threading.Barrier(8)

        def create(
            mine: bytes, uri: str = uri, won: list[bytes] = won, start: threading.Barrier = barrier
        ) -> None:
            start.wait()
            if storage.create(uri, mine):
                won.append(mine)

        threads = [threading.Thread(target=create, args=(b"writer %d" % i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [storage.read(uri)]


def test_a_listing_is_recursive_sorted_and_fresh(place: tuple[Storage, str]) -> None:
    storage, root = place
    keys = ["b.png", "a/z.png", "a.png", "a/b/c.png", "a-b.png", "ä/ö.png", "B.png"]
    for key in keys:
        storage.write(join(root, key), key.encode())
    found = list(storage.list(root))
    assert [listing.name for listing in found] == sorted(keys)
    assert [storage.read(listing.uri) for listing in found] == [key.encode() for key in sorted(keys)]
    assert [listing.size_bytes for listing in found] == [len(key.encode()) for key in sorted(keys)]
    storage.write(join(root, "new.png"), b"")
    assert "new.png" in names(storage, root)
    assert names(storage, join(root, "a")) == ["b/c.png", "z.png"]
    assert names(storage, root + "/") == names(storage, root)


def test_an_object_lists_as_itself(place: tuple[Storage, str]) -> None:
    storage, root = place
    storage.write(join(root, "a/table.csv"), b"x")
    (found,) = storage.list(join(root, "a/table.csv"))
    assert found.name == "table.csv"
    assert storage.read(found.uri) == b"x"


def test_a_version_changes_with_the_object(place: tuple[Storage, str]) -> None:
    storage, root = place
    storage.write(join(root, "x"), b"1")
    (before,) = storage.list(root)
    storage.write(join(root, "x"), b"2")
    (after,) = storage.list(root)
    assert before.version != after.version
    assert storage.stat(after.uri) is not None
    assert storage.stat(after.uri).version == after.version  # type: ignore[union-attr]


def test_patterns_choose_among_objects(place: tuple[Storage, str]) -> None:
    storage, root = place
    for key in ("t/a-1.tar", "t/a-2.tar", "t/b.tar", "t/deep/a-3.tar", "t/a.txt"):
        storage.write(join(root, key), b"x")

    def matched(pattern: str) -> list[str]:
        return [found.uri.rpartition("/t/")[2] for found in storage.glob(join(root, pattern))]

    assert matched("t/a-*.tar") == ["a-1.tar", "a-2.tar"]
    assert matched("t/**/a-?.tar") == ["a-1.tar", "a-2.tar", "deep/a-3.tar"]
    assert matched("t/[!a]*") == ["b.tar"]
    assert matched("t/a-[2-9].tar") == ["a-2.tar"]
    assert matched("t/b.tar") == ["b.tar"]


def test_read_many_gives_bytes_or_a_reason(place: tuple[Storage, str]) -> None:
    storage, root = place
    for key in ("good", "big", "replaced", "empty"):
        storage.write(join(root, key), b"" if key == "empty" else key.encode())
    listed = {found.name: found for found in storage.list(root)}
    storage.write(join(root, "replaced"), b"REPLACED")

    def request(name: str, **more: int) -> ReadRequest:
        found = listed.get(name, Listing(name, join(root, name), None, None))
        return ReadRequest(
            found.uri,
            max_bytes=more.get("max_bytes", 100),
            size_bytes=found.size_bytes,
            version=found.version,
        )

    results = storage.read_many(
        [
            request("good"),
            request("missing"),
            request("big", max_bytes=2),
            ReadRequest(join(root, "big"), max_bytes=2),
            request("replaced"),
            request("empty"),
            ReadRequest(join(root, "good"), offset=1, length=2, max_bytes=100),
            ReadRequest(join(root, "good"), offset=1, length=0, max_bytes=100),
        ]
    )
    assert [result.reason if isinstance(result, Refusal) else result for result in results] == [
        b"good",
        Reason.MISSING_OBJECT,
        Reason.TOO_MANY_BYTES,
        Reason.TOO_MANY_BYTES,
        Reason.REPLACED_SINCE_PLAN,
        b"",
        b"oo",
        b"",
    ]


def test_nothing_to_read_is_nothing(place: tuple[Storage, str]) -> None:
    assert place[0].read_many([]) == []


def test_delete_is_idempotent(place: tuple[Storage, str]) -> None:
    storage, root = place
    for key in ("a", "b/c", "d"):
        storage.write(join(root, key), b"x")
    storage.delete(join(root, "a"))
    storage.delete(join(root, "a"))
    assert names(storage, root) == ["b/c", "d"]
    assert storage.delete_prefix(root) == 2


def test_missing_objects_are_named(place: tuple[Storage, str]) -> None:
    storage, root = place
    storage.write(join(root, "x"), b"x")
    uri = join(root, "nothing/here")
    assert storage.size(uri) is None
    for operation in (storage.read, storage.open_input, storage.check_readable):
        with pytest.raises(StorageMissing, match="nothing/here"):
            operation(uri)


def test_the_preflight_leaves_nothing(place: tuple[Storage, str]) -> None:
    storage, root = place
    storage.write(join(root, "x"), b"x")
    storage.check_readable(root)
    storage.check_readable(join(root, "x"))
    storage.check_writable(root)
    storage.check_writable(join(root, "not/yet"))
    assert names(storage, root) == ["x"]


def test_a_pickled_storage_works(place: tuple[Storage, str]) -> None:
    storage, root = place
    storage.write(join(root, "x"), b"x")
    again = pickle.loads(pickle.dumps(storage))
    assert again.read(join(root, "x")) == b"x"
    assert again.params == storage.params


@pytest.mark.parametrize("whole_bytes", [0, 1 << 20])
def test_pyarrow_reads_a_column_through_it(place: tuple[Storage, str], whole_bytes: int) -> None:
    storage, root = place
    table = pa.table({"a": range(1000), "b": [str(n) * 20 for n in range(1000)]})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=100)
    storage.write(join(root, "t.parquet"), sink.getvalue())
    with storage.open_input(join(root, "t.parquet"), whole_bytes=whole_bytes, buffer_bytes=4096) as file:
        assert pq.ParquetFile(file).read_row_group(3, columns=["a"]).column(0).to_pylist() == [
            *range(300, 400)
        ]


ODD = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0")
    | st.sampled_from(" .*?[]#%&+=;:@~\n\u202e"),
    min_size=1,
    max_size=40,
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(keys=st.lists(ODD, min_size=1, max_size=4, unique=True))
def test_odd_names_come_back_as_they_are(place: tuple[Storage, str], keys: list[str]) -> None:
    storage, base = place
    assume(not base.startswith("s3") or "\n" not in "".join(keys))  # moto routes no newline
    root = join(base, f"odd{next(_numbers)}")
    for key in keys:
        storage.write(join(root, key), key.encode())
    found = list(storage.list(root))
    assert [listing.name for listing in found] == sorted(keys)
    bodies = storage.read_many([ReadRequest(f.uri, None, None, 999, f.size_bytes, f.version) for f in found])
    assert bodies == [key.encode() for key in sorted(keys)]


def test_the_same_names_everywhere(tmp_path: Path, s3_storage: Callable[..., Storage]) -> None:
    storage = s3_storage()
    keys = [f"{a}{b}{c}" for a in "a-Z" for b in string.punctuation.replace("/", "") + "/" for c in "x0"]
    roots = [str(tmp_path / "in"), "s3://bucket/everywhere", f"memory://everywhere{next(_numbers)}"]
    for root in roots:
        for key in keys:
            storage.write(join(root, key), b"x")
    listings = [names(storage, root) for root in roots]
    assert listings[0] == listings[1] == listings[2] == sorted(keys)


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.org/x.png",
        "http://10.0.0.1/x.png",
        "s3://user:secret-word@bucket/x",
        "simplecache::s3://bucket/x",
        "nosuch://bucket/x",
        "sftp://host/x",
    ],
)
def test_addresses_that_are_no_store_are_refused(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Storage(StorageParams()).read(uri)
    assert "secret-word" not in str(caught.value)


def test_importing_loads_no_client() -> None:
    heavy = "{'fsspec', 's3fs', 'botocore', 'aiohttp', 'asyncio'}"
    code = f"import sys, mht.storage, mht.sources.folder; assert not {heavy} & set(sys.modules), sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_google_storage_without_its_package_says_what_to_install() -> None:
    try:
        import gcsfs  # noqa: F401
    except ImportError:
        with pytest.raises(ConfigError, match=r"pip install 'mht\[gcs\]'"):
            Storage(StorageParams()).read("gs://bucket/x")
    else:
        pytest.skip("gcsfs is installed")
