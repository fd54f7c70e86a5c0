"""What a folder stands for, and what is said where a base is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mht.errors import ConfigError, InputError, IntegrityError
from mht.pretrained.bases import Meant, full_model, meant

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return folder(tmp_path / "base", "config.json")


def folder(place: Path, name: str, **content: object) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(json.dumps(content))
    return place


def adapter(place: Path, **content: object) -> Path:
    return folder(place, "adapter_config.json", **content)


def test_a_checkpoint_and_a_hub_id_stand_for_themselves(base: Path) -> None:
    assert meant(str(base), None, "an adapter") == Meant(str(base), None, "an adapter")
    assert meant("owner/name", COMMIT) == Meant("owner/name", COMMIT, None)
    both = adapter(base, base_model_name_or_path="gone")
    assert meant(str(both)) == Meant(str(base), None, None)


def test_an_adapter_stands_for_its_base_and_itself(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No `../base` may lie beside where the tests are run.
    (tmp_path / "x/y").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "x/y")
    alone = adapter(tmp_path / "a", base_model_name_or_path=str(base))
    assert meant(str(alone)) == Meant(str(base), None, str(alone))
    beside = adapter(tmp_path / "b", base_model_name_or_path="../base")
    assert meant(str(beside)) == Meant(str(beside / "../base"), None, str(beside))
    hub = adapter(tmp_path / "c", base_model_name_or_path="owner/name", revision=COMMIT)
    assert meant(str(hub)) == Meant("owner/name", COMMIT, str(hub))


def test_a_run_stands_for_its_final_model(base: Path, tmp_path: Path) -> None:
    full = folder(tmp_path / "full" / "model", "config.json")
    assert meant(str(tmp_path / "full")) == Meant(str(full), None, None)
    lora = adapter(tmp_path / "lora" / "model", base_model_name_or_path=str(base))
    assert meant(str(tmp_path / "lora")) == Meant(str(base), None, str(lora))
    halfway = folder(tmp_path / "halfway", "run.json")
    with pytest.raises(InputError, match=r"halfway is a run without a final model; finish it"):
        meant(str(halfway))


def test_training_begins_with_a_full_model(base: Path, tmp_path: Path) -> None:
    assert full_model(str(base)) == base
    assert full_model("owner/name") is None
    full = folder(tmp_path / "full" / "model", "config.json")
    assert full_model(str(tmp_path / "full")) == full
    halfway = folder(tmp_path / "halfway", "run.json")
    with pytest.raises(InputError, match=r"halfway is a run without a final model; finish it"):
        full_model(str(halfway))


def test_an_adapter_is_to_be_merged_before_training_goes_on_with_it(base: Path, tmp_path: Path) -> None:
    run = folder(tmp_path / "lora", "run.json")
    inner = adapter(run / "model", base_model_name_or_path=str(base))
    for given in (run, inner):
        with pytest.raises(
            InputError, match=f"{inner} is an adapter.*`mht export-model {run} OUT merge=true`"
        ):
            full_model(str(given))
    alone = adapter(tmp_path / "alone", base_model_name_or_path=str(base))
    with pytest.raises(InputError, match=r"`mht export-model RUN OUT merge=true`, and then model\.path=OUT"):
        full_model(str(alone))


def test_a_base_that_is_not_there_is_named_with_the_remedy(base: Path, tmp_path: Path) -> None:
    gone = str(adapter(tmp_path / "gone", base_model_name_or_path="/models/llava-1.5"))
    with pytest.raises(
        InputError, match=r"on '/models/llava-1.5', which is not here; give where the base is as model"
    ):
        meant(gone)
    assert meant(str(base), None, gone).adapter == gone
    with pytest.raises(ConfigError, match="'owner/name' of the hub without its revision"):
        meant(str(adapter(tmp_path / "hub", base_model_name_or_path="owner/name", revision="main")))
    with pytest.raises(InputError, match="names no base"):
        meant(str(adapter(tmp_path / "none", base_model_name_or_path=None)))


def test_what_cannot_be_meant_is_refused(base: Path, tmp_path: Path) -> None:
    first = adapter(tmp_path / "first", base_model_name_or_path=str(base))
    with pytest.raises(ConfigError, match="is an adapter itself, and adapter 'other' another"):
        meant(str(first), None, "other")
    second = adapter(tmp_path / "second", base_model_name_or_path=str(first))
    with pytest.raises(InputError, match="an adapter on another one"):
        meant(str(second))
    (first / "adapter_config.json").write_text("{")
    with pytest.raises(IntegrityError, match=r"adapter_config\.json cannot be read"):
        meant(str(first))
