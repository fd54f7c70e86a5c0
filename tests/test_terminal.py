"""Figures as people write them, and a table that lines up."""

import pytest

from mht.terminal import clock_face, size_face, table


@pytest.mark.parametrize(
    ("seconds", "face"), [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (3600 * 3 + 245, "3:04:05")]
)
def test_clock_face(seconds: float, face: str) -> None:
    assert clock_face(seconds) == face


@pytest.mark.parametrize(
    ("size", "face"),
    [(0, "0 B"), (812, "812 B"), (4.2 * 1024**2, "4.2 MiB"), (5000 * 1024**3, "5,000.0 GiB")],
)
def test_size_face(size: float, face: str) -> None:
    assert size_face(size) == face


def test_table_lines_up() -> None:
    assert table({"in": "1", "quarantined": "2"}) == "  in           1\n  quarantined  2"
