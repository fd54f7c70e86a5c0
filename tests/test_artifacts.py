"""Parquet files in memory: read by the thread that asks."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest

from mht.artifacts import parquet_bytes, parquet_table

_COUNTING = """
import os
import pyarrow as pa
from mht.artifacts import parquet_bytes, parquet_table
data = parquet_bytes(pa.table({"a": list(range(1000)), "b": ["x"] * 1000}))
before = len(os.listdir("/proc/self/task"))
parquet_table(data, ["a"])
print(len(os.listdir("/proc/self/task")) - before)
"""


def test_columns_are_chosen_by_name() -> None:
    table = pa.table({"a": [1, 2], "b": ["x", "y"], "c": [0.5, None]})
    assert parquet_table(parquet_bytes(table)).equals(table)
    assert parquet_table(parquet_bytes(table), ["c", "a"]).to_pylist() == table.select(["c", "a"]).to_pylist()


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_reading_starts_no_thread() -> None:
    done = subprocess.run([sys.executable, "-c", _COUNTING], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
