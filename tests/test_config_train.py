"""R21 for training: a mistake in the configuration is found before Ray, torch or storage is touched, and named well."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from mht import catalog
from mht.config_identity import identity
from mht.config_train import FREE_KEYS, TrainConfig, load
from mht.errors import ConfigError
from tests.test_config import keys_below, single_edits

GIVEN = ("model.path=models/small", "data.path=out/dataset")


def fault(*words: str, yaml: str | None = None, folder: Path | None = None) -> str:
    path = None
    if yaml is not None:
        assert folder is not None
        path = str(folder / "train.yaml")
        Path(path).write_text(yaml, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, words)
    return str(caught.value)


def test_every_single_edit_typo_of_every_key_is_caught() -> None:
    known = set(keys_below(TrainConfig, ""))
    known |= set(keys_below(catalog.load("training.sources", "mht").Params, "data."))
    good = load(None, GIVEN).model_dump(exclude_unset=True)
    for dotted in sorted(known):
        parent, _, last = dotted.rpartition(".")
        for typo in sorted(set(single_edits(last)) - {last, ""}):
            wrong = f"{parent}.{typo}" if parent else typo
            if wrong in known or not typo[0].isalpha() or dotted.startswith("data.kind"):
                continue
            tree: dict[str, object] = {section: dict(values) for section, values in good.items()}
            here = tree
            for step in wrong.split(".")[:-1]:
                here = here.setdefault(step, {})  # type: ignore[assignment]
            here[typo] = {}
            with pytest.raises((ConfigError, ValueError)):
                TrainConfig.model_validate(tree).data_params()


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("lora: {rnk: 3}\n", "train.yaml:1: lora.rnk: unknown key; did you mean 'rank'"),
        ("run:\n  wrokers: 2\n", "train.yaml:2: run.wrokers: unknown key; did you mean 'workers'"),
        ("data: {path: x, splt: [train]}\n", "data.splt: unknown key; did you mean 'split'"),
        ("data: {kind: mth, path: x}\n", "did you mean 'mht'"),
        ("optimizer: {learning_rate: .nan}\n", "optimizer.learning_rate"),
        ("optimizer: {betas: [0.9, 1.0]}\n", "less than 1"),
        ("lora: {targets: '(q_proj'}\n", "not a regular expression"),
        ("vision: trained\n", "train.yaml:1: vision: 'trained' is of method=full"),
        ("method: qlora\n", "'lora' or 'full'"),
        ("model: {path: a/b, trust_remote_code: true}\n", "full commit id"),
        ("tracking: {mlflow: runs}\n", "pip install mlflow"),
        ("output: out/dataset/model\n", "inside the other"),
        ("output: https://x/y\n", "is not object storage"),
    ],
)
def test_a_mistake_in_the_file(yaml: str, says: str, tmp_path: Path) -> None:
    given = [word for word in GIVEN if not yaml.startswith(f"{word.split('.')[0]}:")]
    assert says in fault(*given, yaml=yaml, folder=tmp_path)


def test_what_must_be_given_is_named() -> None:
    text = fault()
    assert "model.path: required" in text
    assert "data.path: required" in fault("model.path=x")


def test_the_file_that_comes_with_it_needs_a_model_and_data_and_nothing_else() -> None:
    config = load("conf/train.yaml", GIVEN)
    assert config == load(None, GIVEN)
    assert config.resolved()["optimizer"]["learning_rate"] == 2e-4
    assert load(None, [*GIVEN, "method=full"]).learning_rate == 1e-5


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (["method=lora"], "frozen"),
        (["method=full"], "trained"),
        (["method=lora", "projector=trained"], "trained"),
        (["method=full", "projector=frozen", "vision=trained"], "frozen"),
    ],
)
def test_what_is_done_with_the_projector_is_told(words: list[str], state: str) -> None:
    assert load(None, [*GIVEN, *words]).resolved()["projector"] == state


def test_what_may_change_when_a_run_is_resumed() -> None:
    keys = identity(load(None, GIVEN).resolved(), FREE_KEYS)
    assert {"seed", "lora.rank", "step_examples", "data.state", "optimizer.learning_rate"} <= keys.keys()
    free = ("ray.", "run.", "storage.", "checkpoints.", "validation.", "output", "new_run")
    assert not any(key.startswith(free) for key in keys)


def test_a_mistake_costs_less_than_two_seconds_and_touches_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mht.cli", "train", *GIVEN, "epoch=1"],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - began
    assert done.returncode == 2
    assert "did you mean 'epochs'" in done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "import time" in line}
    assert not imported & {"ray", "torch", "s3fs", "transformers", "peft"}
    assert list(tmp_path.iterdir()) == []
    assert seconds < 6, "three times the promised 2 s"
