"""Rows of JSON Lines and CSV files, each with its line number, and errors that name both."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from mht.errors import InputError
from mht.storage import Storage


def rows_of(storage: Storage, uri: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, row) of a .jsonl, .ndjson, .csv or .tsv file. Raises InputError naming the file and the line."""
    lower = uri.lower()
    try:
        with (
            storage.open_input(uri) as file,
            io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text,
        ):
            if lower.endswith((".jsonl", ".ndjson")):
                yield from _json_rows(text, uri)
            else:
                yield from _csv_rows(text, uri, "\t" if lower.endswith(".tsv") else ",")
    except UnicodeDecodeError as error:
        why = f"{error.reason} at byte {error.start} of its part"
        raise InputError(f"{uri!r}: not UTF-8 ({why}). Convert the file.") from error


def text_in(row: dict[str, Any], column: str | None, where: str) -> str | None:
    """The row's text in a column, None where it is absent or empty. Raises InputError for another type."""
    value = None if column is None else row.get(column)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InputError(f"{where}, column {column!r}: a text is needed, found {type(value).__name__}.")


def need_columns(found: Iterable[str], wanted: Iterable[str | None], where: str) -> None:
    """Raises InputError for a column that the file does not have, naming those it has."""
    have = list(found)
    for column in wanted:
        if column is not None and column not in have:
            raise InputError(
                f"{where}: no column {column!r}. There are: {', '.join(have)}. Name the right one in the "
                "source's settings, or set it to null."
            )


def _json_rows(lines: Iterable[str], uri: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{uri!r}, line {number}: not JSON ({error}). Correct the line.") from error
        if not isinstance(row, dict):
            raise InputError(f"{uri!r}, line {number}: a JSON object is needed. Correct the line.")
        yield number, row


def _csv_rows(lines: Iterable[str], uri: str, delimiter: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise InputError(
                    f"{uri!r}, line {reader.line_num}: not as many fields as the header has. Correct the line."
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{uri!r}, line {reader.reader.line_num}: {error}. Correct the line.") from error
