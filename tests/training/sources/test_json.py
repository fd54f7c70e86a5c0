"""Rows of lists and lines are found whole, each with the place that it can be read from alone."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mht.errors import InputError
from mht.training.sources import _json
from mht.training.sources._json import parsed, scan_json
from mht.training.sources._unfit import Unfit

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=8)


def read_back(data: bytes) -> tuple[list[Any], list[Any]]:
    """(the rows as they are scanned, the rows as each is read from its place)."""
    found = list(scan_json(io.BytesIO(data), "x.json"))
    return [row for _, row in found], [parsed(data[p.at : p.at + p.extent]) for p, _ in found]


@given(ROWS, st.integers(1, 40), st.sampled_from([None, 1]), st.booleans(), st.booleans())
def test_a_list_s_elements(rows: list[Any], block: int, indent: int | None, ascii_: bool, bom: bool) -> None:
    text = json.dumps(rows, indent=indent, ensure_ascii=ascii_).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_json, "_BLOCK_BYTES", block)
        scanned, alone = read_back(b"\xef\xbb\xbf" * bom + text)
    assert scanned == alone == rows


@given(ROWS, st.sampled_from(["\n", "\r\n", "\n\n  \n"]), st.booleans(), st.booleans())
def test_a_line_s_object(rows: list[Any], ending: str, bom: bool, last: bool) -> None:
    text = ending.join(json.dumps(row) for row in rows) + ending * last
    scanned, alone = read_back(b"\xef\xbb\xbf" * (bom and bool(rows)) + text.encode())
    assert scanned == alone == rows


def test_a_line_that_is_none_is_unfit_and_the_others_are_not() -> None:
    scanned, _ = read_back(b'{"a": 1}\n{"a": \n[1]\n\xff\n{"a": 2}\n' + b"[" * 100_000)
    assert [row.reason if isinstance(row, Unfit) else row["a"] for row in scanned] == [
        *(1, "not_json", "not_an_object", "not_json", 2, "not_json")
    ]


def test_an_element_that_is_no_object_is_unfit() -> None:
    scanned, _ = read_back(b'[{"a": 1}, "text", 7, null, {"a": 2}]')
    assert [row.reason if isinstance(row, Unfit) else row["a"] for row in scanned] == [
        *(1, "not_an_object", "not_an_object", "not_an_object", 2)
    ]


@pytest.mark.parametrize(
    ("data", "clue"),
    [
        (b'[{"a": 1}, {"a": 2}', "from byte 19: .*it ends before its list does"),
        (b'[{"a": 1}, {"a" 2}]', "from byte 11: .*Expecting ':'"),
        (b'[{"a": 1}, {"a": "', "from byte 11: .*Unterminated"),
        (b"[" * 100_000, "not a whole JSON list"),
        (b'[{"a": "\xff"}]', "not UTF-8"),
    ],
)
def test_a_broken_list_is_told_with_its_byte(data: bytes, clue: str) -> None:
    with pytest.raises(InputError, match=clue):
        list(scan_json(io.BytesIO(data), "x.json"))


def test_no_list_and_no_lines_are_no_rows() -> None:
    assert list(scan_json(io.BytesIO(b""), "x")) == list(scan_json(io.BytesIO(b" [ ] "), "x")) == []
