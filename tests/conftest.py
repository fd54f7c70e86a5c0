"""What the tests share: reference data where it is present, drawn phantoms, one Ray for the whole session."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports ray: a private, local cluster needs no token file in the user's home.
os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
os.environ["PYTHONHASHSEED"] = "random"
# Nobody hears what the session's Ray and its idle processes would report: a twentieth of two cores.
os.environ.update({"RAY_enable_metrics_collection": "0", "RAY_task_events_report_interval_ms": "0"})

_LONG = (
    "training/test_driver.py", "dataset/test_kills.py", "training/test_launch.py", "dataset/test_stores.py",
    "dataset/asked/test_build.py", "dataset/asked/test_kills.py", "dataset/test_disk.py", "test_jobs.py",
    "dataset/test_stall.py", "dataset/test_nodes.py",
)  # fmt: skip
"""The files that take minutes each, the longest first: clusters that are started, killed and waited for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, so that of two workers none is left alone with one of them at the end."""
    root = Path(__file__).parent
    assert all((root / name).is_file() for name in _LONG)
    place = {root / name: at for at, name in enumerate(_LONG)}
    items.sort(key=lambda item: place.get(item.path, len(_LONG)))


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Real images and text beside the checkout, or $MHT_REFERENCE_DATA; skipped where there are none."""
    place = os.environ.get("MHT_REFERENCE_DATA") or Path(__file__).parents[2] / "shared" / "data"
    if not Path(place).is_dir():
        pytest.skip(f"no reference data at {place}; set MHT_REFERENCE_DATA to run this")
    return Path(place)


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """One private cluster of eight logical CPUs for every test that builds in this process."""
    import ray

    # A short path: Ray puts sockets below it.
    with tempfile.TemporaryDirectory(prefix="mht-ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray.init(
            address="local",
            num_cpus=8,
            object_store_memory=200 << 20,
            include_dashboard=False,
            log_to_driver=False,
            _temp_dir=folder,
        )
        yield
        ray.shutdown()
