"""R21: a mistake in the configuration is found before Ray or storage is touched, and named well."""

import string
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mht import catalog
from mht.config import SECTIONS, BuildConfig, load
from mht.config_identity import identity
from mht.errors import ConfigError


def fault(*overrides: str, yaml: str | None = None, folder: Path | None = None) -> str:
    path = None
    if yaml is not None:
        assert folder is not None
        path = str(folder / "build.yaml")
        Path(path).write_text(yaml, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, overrides)
    return str(caught.value)


def keys_below(model: type, prefix: str) -> Iterator[str]:
    """Every dotted key of a model and of the models in it."""
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]
        yield prefix + name
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
            yield from keys_below(field.annotation, f"{prefix}{name}.")


def valid_keys() -> Iterator[str]:
    """Every dotted key that a command line may hold."""
    yield from keys_below(BuildConfig, "")
    for name in catalog.names("perturbations"):
        yield f"perturbations.{name}"
        yield from keys_below(catalog.load("perturbations", name).Params, f"perturbations.{name}.")


def source_keys() -> Iterator[tuple[str, str]]:
    for name in catalog.names("sources"):
        for key in catalog.load("sources", name).Params.model_fields:
            yield name, key


def single_edits(word: str) -> Iterator[str]:
    letters = string.ascii_lowercase + "_"
    for i in range(len(word) + 1):
        yield from (word[:i] + letter + word[i:] for letter in letters)
        if i < len(word):
            yield word[:i] + word[i + 1 :]
            yield from (word[:i] + letter + word[i + 1 :] for letter in letters)
        if i + 1 < len(word):
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def test_every_single_edit_typo_of_every_key_is_caught() -> None:
    known = set(valid_keys())
    # Keys whose children are free words (a plug-in's name) are checked through the plug-in's own keys.
    for dotted in sorted(known):
        parent, _, last = dotted.rpartition(".")
        for typo in sorted(set(single_edits(last)) - {last, ""}):
            wrong = f"{parent}.{typo}" if parent else typo
            if wrong in known or not typo[0].isalpha() or typo.startswith("kind"):
                continue
            tree: object = {}
            for step in reversed(wrong.split(".")):
                tree = {step: tree}
            with pytest.raises((ConfigError, ValueError)):
                _check(tree)


def _check(tree: object) -> None:
    config = BuildConfig.model_validate(tree)
    for section in SECTIONS:
        config.plugin_params(section)
    for engine in config.engines.values():
        engine.params()
    for name, params in config.perturbations.items():
        catalog.load("perturbations", name).Params(**params)


@pytest.mark.parametrize(("name", "key"), list(source_keys()))
def test_typos_of_a_source_key_are_caught(name: str, key: str) -> None:
    params = catalog.load("sources", name).Params
    for typo in sorted(set(single_edits(key)) - {key, ""} - set(params.model_fields)):
        with pytest.raises(ValueError, match="Extra inputs"):
            params(**{typo: 1})


def test_an_unknown_key_names_file_line_key_and_the_nearest(tmp_path: Path) -> None:
    text = fault(yaml="seed: 1\nbuild:\n  shard_image: 10\n", folder=tmp_path)
    assert "build.yaml:3: build.shard_image: unknown key; did you mean 'shard_images'?" in text


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = fault("build.workers=-1", yaml="sede: 1\nsplits: {train: 2}\n", folder=tmp_path)
    assert "sede" in text
    assert "command line: build.workers" in text
    assert "splits.train" in text


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("seed: 1\nseed: 2\n", "build.yaml:2: seed is given twice, first at"),
        ("seed: 1e-5\n", "build.yaml:1: seed"),
        ("seed: no\n", "build.yaml:1: seed"),
        ("seed: 12:30:00\n", "build.yaml:1: seed"),
        ("build: {max_quarantined: .nan}\n", "build.max_quarantined"),
        ("imaging: {side_px: -3}\n", "imaging.side_px"),
        ("imaging: {side_px: [1]}\n", "imaging.side_px"),
        ("output: &a x\nray: {address: *a}\n", "anchors and aliases"),
        ("output: !!python/object/apply:os.system ['true']\n", "tags"),
        ("output: ${oc.env:HOME}\n", "resolvers"),
        ("output: ${oc.env:HOME\n", "build.yaml"),
        ("output: '???'\n", "output"),
        ("- a\n- b\n", "expected keys"),
        ("seed: [1\n", "build.yaml:"),
        ("seed: 1\n  output: x\n", "build.yaml:2"),
        ("a.b: 1\n", "one word"),
        ("source: {kind: foldr, path: x}\n", "did you mean 'folder'"),
        ("source: {kind: folder}\n", "source.path: required"),
        ("source: {kind: phantoms, cuont: 3}\n", "did you mean 'count'"),
        ("checks: [unchangd]\n", "did you mean 'unchanged'"),
        ("perturbations: {lateralty: {}}\n", "did you mean 'laterality'"),
        ("splits: {train: .5, validation: .2, test: .2}\n", "must add up to 1"),
        ("source: {kind: folder, path: data}\noutput: data\n", "same place"),
        ("source: {kind: folder, path: data}\noutput: data/out\n", "inside the other"),
    ],
)
def test_a_mistake_in_the_file(yaml: str, says: str, tmp_path: Path) -> None:
    assert says in fault(yaml=yaml, folder=tmp_path)


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert "anchors and aliases" in fault(yaml="\n".join(lines), folder=tmp_path)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["seed"], "is not key=value"),
        (["seed=1", "seed=2"], "given twice"),
        (["sed=1"], "did you mean 'seed'"),
        (["build=3", "build.workers=2"], "build"),
        (["source.kind=folder", "source.path=s3://user:secret@bucket/x"], "source"),
    ],
)
def test_a_mistake_on_the_command_line(words: list[str], says: str) -> None:
    text = fault(*words)
    assert says in text
    assert "secret" not in text


def test_later_wins(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("seed: 3\nbuild: {workers: 2, shard_images: 10}\n")
    config = load(str(path), ["build.workers=5", "source.count=7", "source.kinds=[head_ct]"])
    assert (config.seed, config.build.workers, config.build.shard_images) == (3, 5, 10)
    assert config.resolved()["source"]["kinds"] == ["head_ct"]


def test_another_plug_in_on_the_command_line_replaces_the_files_section(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("source: {kind: phantoms, count: 7}\n")
    assert load(str(path), ["source.kind=folder", "source.path=x"]).resolved()["source"]["path"] == "x"
    assert load(str(path), ["source.kind=phantoms"]).resolved()["source"]["count"] == 7


def test_yaml_reads_numbers_and_words_as_meant(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("build: {max_quarantined: 1e-2}\noutput: no\nstorage: {region: on}\n")
    config = load(str(path))
    assert (config.build.max_quarantined, config.output, config.storage.region) == (0.01, "no", "on")


def test_a_perturbation_is_left_out_by_null_and_tuned_by_name() -> None:
    config = load(None, ["perturbations.location=null"])
    assert set(config.perturbations) == set(catalog.names("perturbations")) - {"location"}


def test_what_may_change_between_a_run_and_its_resume() -> None:
    keys = identity(load().resolved())
    assert "seed" in keys
    assert "imaging.side_px" in keys
    assert not any(key.startswith(("ray.", "storage.", "build.workers", "output")) for key in keys)


def test_a_mistake_costs_less_than_two_seconds_and_touches_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mht.cli", "build", "sedd=1", "output=o"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )
    seconds = time.monotonic() - began
    assert done.returncode == 2
    assert "did you mean 'seed'" in done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "import time" in line}
    assert not imported & {"ray", "torch", "s3fs", "transformers"}
    assert list(tmp_path.iterdir()) == []
    assert seconds < 6, "three times the promised 2 s"
