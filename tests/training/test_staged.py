"""What is on its way to storage lies where checkpoints.local says; where that cannot be, the key is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.config_train import load
from mht.errors import ConfigError, DiskFull
from mht.model.staging import room
from tests.training import ranked


@pytest.fixture
def words(given: list[str], tmp_path: Path) -> list[str]:
    usual = [word for word in given if not word.startswith("validation")]
    return [*usual, f"output={tmp_path / 'run'}", "run.ray=false", "validation.rows=0", "max_steps=2"]


def test_nothing_goes_through_the_system_s_folder(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a checkpoint nor the model; the folder is empty again at the end."""
    places: list[Path] = []
    made = Path.mkdir

    def watched(path: Path, *args: object, **named: object) -> None:
        places.append(path)
        made(path, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", watched)
    local = tmp_path / "scratch"
    found, _ = ranked.run_command([*words, f"checkpoints.local={local}"])
    assert found is not None
    staged = [path for path in places if "mht-checkpoint-" in str(path) or "mht-model-" in str(path)]
    assert staged
    assert all(path.is_relative_to(local) for path in staged)
    assert list(local.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"checkpoints.local: nothing can be written there"):
        ranked.run_command([*words, f"checkpoints.local={tmp_path / 'file' / 'below'}"])
    with pytest.raises(ConfigError, match=r"checkpoints\.local.*absolute path"):
        load(None, ["model.path=m", "data.path=d", "checkpoints.local=s3://bucket/scratch"])


def test_a_full_disk_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=r"checkpoints\.local"), room(tmp_path):
        raise OSError(28, "No space left on device")
