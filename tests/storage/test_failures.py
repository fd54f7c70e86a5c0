"""Exceptions of stores, sorted: what is tried again, what is not, and what a message never says."""

from __future__ import annotations

import errno
import random

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from hypothesis import given
from hypothesis import strategies as st

from mht.errors import DiskFull, StorageDenied, StorageOutage
from mht.storage.failures import Kind, as_error, classify
from mht.storage.patience import Patience
from mht.storage.uris import join, redact, split_wildcard, wildcard_regex


def answer(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "GetObject")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answer("SlowDown"), Kind.TRANSIENT),
        (answer("InternalError"), Kind.TRANSIENT),
        (answer("503"), Kind.TRANSIENT),
        (answer("ConditionalRequestConflict"), Kind.TRANSIENT),
        (answer("ExpiredToken"), Kind.DENIED),
        (answer("AccessDenied"), Kind.FORBIDDEN),
        (answer("403"), Kind.FORBIDDEN),
        (answer("NoSuchKey"), Kind.MISSING),
        (answer("NoSuchBucket"), Kind.NO_STORE),
        (answer("PreconditionFailed"), Kind.EXISTS),
        (answer("EntityTooLarge"), Kind.PERMANENT),
        (EndpointConnectionError(endpoint_url="http://x"), Kind.TRANSIENT),
        (ReadTimeoutError(endpoint_url="http://x"), Kind.TRANSIENT),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), Kind.TRANSIENT),
        (NoCredentialsError(), Kind.DENIED),
        (ParamValidationError(report="bad"), Kind.PERMANENT),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Kind.TRANSIENT),
        (TimeoutError(), Kind.TRANSIENT),
        (OSError(errno.ESTALE, "stale"), Kind.TRANSIENT),
        (OSError(errno.EIO, "io"), Kind.PERMANENT),
        (OSError(errno.ENOSPC, "full"), Kind.FULL),
        (OSError(errno.EDQUOT, "quota"), Kind.FULL),
        (PermissionError(errno.EACCES, "no"), Kind.FORBIDDEN),
        (OSError(errno.EROFS, "read-only"), Kind.FORBIDDEN),
        (FileNotFoundError("x"), Kind.MISSING),
        (FileExistsError("x"), Kind.EXISTS),
    ],
)
def test_kinds(error: Exception, kind: Kind) -> None:
    assert classify(error).kind is kind


def test_the_stores_own_word_counts_more_than_a_translation() -> None:
    translated = PermissionError("translated")
    translated.__cause__ = answer("ExpiredToken")
    assert classify(translated).kind is Kind.DENIED


SECRETS = [
    "s3://user:hunter2@bucket/x",
    "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAABCDEFGHIJKLMNOP%2F2026&X-Amz-Signature=hunter2",
    "the key AKIAABCDEFGHIJKLMNOP is inactive",
    "Credential=ASIAABCDEFGHIJKLMNOP/20260101/us-east-1/s3/aws4_request, Signature=hunter2",
    "https://h/x?sig=1&access_token=hunter2",
]


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_in_a_message(text: str) -> None:
    for said in (
        redact(text),
        classify(OSError(text)).detail,
        str(as_error(classify(OSError(text)), text, "read")),
    ):
        assert "hunter2" not in said
        assert "ABCDEFGHIJKLMNOP" not in said


def test_a_full_disk_names_the_free_bytes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    error = as_error(classify(OSError(errno.ENOSPC, "No space left")), str(tmp_path / "not/yet"), "write")
    assert isinstance(error, DiskFull)
    assert str(tmp_path) in str(error)
    assert "bytes free" in str(error)


@given(failures=st.integers(0, 60), seed=st.integers(0, 99), limit=st.floats(0.1, 1000))
def test_patience_waits_up_to_its_limit(failures: int, seed: int, limit: float) -> None:
    now = [0.0]
    waits: list[float] = []
    left = [failures]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    def operation() -> str:
        if left[0]:
            left[0] -= 1
            raise ConnectionResetError(errno.ECONNRESET, "reset")
        return "done"

    patience = Patience(limit, lambda: now[0], sleep, random.Random(seed))
    try:
        assert patience.attempt(operation, (OSError,), "s3://b/x", "read") == "done"
    except StorageOutage:
        assert now[0] == pytest.approx(limit)
    assert sum(waits) <= limit * 1.0001
    assert all(0 <= wait <= 10 for wait in waits)


def test_patience_stops_at_once_where_waiting_is_no_help() -> None:
    def operation() -> None:
        raise answer("AccessDenied")

    def sleep(_: float) -> None:
        raise AssertionError("slept")

    with pytest.raises(StorageDenied):
        Patience(600, lambda: 0.0, sleep).attempt(operation, (ClientError,), "s3://b/x", "read")


def test_what_is_not_the_stores_passes_through() -> None:
    def operation() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Patience(600, lambda: 0.0, lambda _: None).attempt(operation, (OSError,), "x", "read")


@pytest.mark.parametrize(
    ("base", "parts", "whole"),
    [
        ("s3://b", ("x", "y"), "s3://b/x/y"),
        ("s3://b/", ("x",), "s3://b/x"),
        ("/a", ("../b",), "/a/../b"),
        ("memory://m", (), "memory://m"),
    ],
)
def test_join(base: str, parts: tuple[str, ...], whole: str) -> None:
    assert join(base, *parts) == whole


def test_wildcards() -> None:
    assert split_wildcard("s3://b/a/x-*.tar") == ("s3://b/a/", "x-*.tar")
    assert split_wildcard("x*.tar") == (".", "x*.tar")
    assert split_wildcard("/a/b") == ("/a/b", None)
    assert wildcard_regex("**/*.tar").fullmatch("a/b/c.tar")
    assert not wildcard_regex("*.tar").fullmatch("a/c.tar")
    assert wildcard_regex("a.b").fullmatch("axb") is None
