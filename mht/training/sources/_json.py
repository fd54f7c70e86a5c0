"""Rows of JSON Lines files and of JSON lists, with where each of them stands, so that one can be read by itself."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from mht.errors import InputError
from mht.training.sources._unfit import Unfit

_HEAD_BYTES = 1 << 10
_BLOCK_BYTES = 1 << 20
_BETWEEN = " \t\r\n,"
_BOM = b"\xef\xbb\xbf"

Row = dict[str, Any]


class Place(NamedTuple):
    """Where a row is in its file: offset and length in bytes or, in Parquet, row in its group and group."""

    at: int
    extent: int


def scan_json(file: BinaryIO, uri: str) -> Iterator[tuple[Place, Row | Unfit]]:
    """Each row of a file, in order: of a list where it begins with one, of lines otherwise.

    A line that is no JSON object is unfit. Raises InputError for a list that is broken: no row after that can be
    found.
    """
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    is_list = head.removeprefix(_BOM).lstrip().startswith(b"[")
    return _elements(file, uri) if is_list else _lines(file)


def parsed(data: bytes) -> Row | Unfit:
    """One row's bytes as an object."""
    try:
        row = json.loads(data.removeprefix(_BOM))
    except (ValueError, RecursionError) as error:
        return Unfit("not_json", str(error)[:100])
    return row if isinstance(row, dict) else Unfit("not_an_object", type(row).__name__)


def _lines(file: BinaryIO) -> Iterator[tuple[Place, Row | Unfit]]:
    offset = 0
    for line in file:
        if line.strip():
            yield Place(offset, len(line)), parsed(line)
        offset += len(line)


def _elements(file: BinaryIO, uri: str) -> Iterator[tuple[Place, Row | Unfit]]:
    """The list's elements, block by block: a release of hundreds of thousands of rows is one list."""
    text = _Text(file, uri)
    text.skip("[" + _BETWEEN)
    while text.head() != "]":
        offset = text.offset
        row = text.element()
        yield (
            Place(offset, text.offset - offset),
            row if isinstance(row, dict) else Unfit("not_an_object", type(row).__name__),
        )
        text.skip(_BETWEEN)


class _Text:
    """A window onto a file's text; `offset` is that of its next character, in bytes."""

    def __init__(self, file: BinaryIO, uri: str) -> None:
        self._file = file
        self._uri = uri
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._element = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False
        self.offset = 0
        if file.read(len(_BOM)) == _BOM:
            self.offset = len(_BOM)
        else:
            file.seek(0)

    def head(self) -> str:
        """The next character."""
        while self._at >= len(self._text):
            self._more("it ends before its list does")
        return self._text[self._at]

    def skip(self, characters: str) -> None:
        """Passes over any of these, which are of one byte each."""
        while self.head() in characters:
            self._at += 1
            self.offset += 1

    def element(self) -> Any:
        """The next value of the list."""
        while True:
            try:
                value, end = self._element(self._text, self._at)
            except (ValueError, RecursionError) as error:
                self._more(str(error)[:100])
            else:
                self.offset += len(self._text[self._at : end].encode("utf-8"))
                self._at = end
                return value

    def _more(self, trouble: str) -> None:
        """Takes in another block. Raises InputError with the trouble when there is none."""
        block = self._file.read(_BLOCK_BYTES)
        try:
            text = "" if self._ended else self._decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise InputError(f"{self._uri!r}: not UTF-8 ({error.reason}). Convert the file.") from None
        if self._ended:
            raise InputError(
                f"{self._uri!r}, from byte {self.offset:,}: not a whole JSON list ({trouble}). Write or copy it again."
            )
        self._ended = not block
        self._text = self._text[self._at :] + text
        self._at = 0
