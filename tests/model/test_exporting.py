"""The final folder: what others load from it, and `mht export-model`."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoProcessor, LlavaForConditionalGeneration

from mht.cli import main
from mht.errors import IntegrityError
from mht.model.exporting import Export, export_model, fetch_model, publish
from mht.pretrained.loading import model_in
from tests.engines import tiny
from tests.model.adapted import PLAIN, card_of, inputs, job, logits
from tests.model.processes import in_ranks
from tests.model.stores import Watched

Trained = tuple[Path, list[dict[str, Any]]]
"""A run's folder, and what each rank says of it."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.llava(tmp_path_factory.mktemp("base"), layers=1)


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of two ranks that trained an adapter."""
    root = tmp_path_factory.mktemp("adapter") / "run"
    return root, in_ranks(2, job, base, root, True)


def plain(folder: Path) -> Any:
    return LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)


def same(one: torch.Tensor, other: Any) -> bool:
    return torch.allclose(one, torch.from_numpy(other), atol=2e-4, rtol=1e-4)


def test_the_adapter_of_two_ranks_is_what_plain_peft_loads(base: Path, adapter: Trained) -> None:
    root, both = adapter
    batch = inputs(base)
    before = logits(plain(base), batch)
    loaded = PeftModel.from_pretrained(plain(base), root / "model")
    for rank in both:
        assert same(logits(loaded, batch), rank["logits"])
        assert not same(before, rank["logits"])
    assert not (root / "model/config.json").exists()
    AutoProcessor.from_pretrained(root / "model")


def test_the_merged_model_of_two_ranks_is_what_plain_transformers_loads(base: Path, adapter: Trained) -> None:
    root, both = adapter
    batch = inputs(root / "merged")
    assert same(logits(plain(root / "merged"), batch), both[0]["logits"])
    assert not list((root / "merged").glob("adapter*"))
    before, after = (
        plain(one).model.multi_modal_projector.linear_1.weight for one in (base, root / "merged")
    )
    assert not torch.allclose(before, after, atol=1e-3), "the projector was trained beside the adapter"


def test_a_checkpoint_of_an_adapter_holds_no_base_and_resumes_bit_for_bit(
    base: Path, adapter: Trained
) -> None:
    root, both = adapter
    stored = sum(path.stat().st_size for path in (root / "checkpoints").rglob("*") if path.is_file())
    assert stored < 0.4 * (base / "model.safetensors").stat().st_size
    for rank in both:
        assert rank["resumed"] == rank["on"]
        assert rank["known"] == {"step": 2}
        assert rank["warned"] == []


def test_a_full_model_of_two_ranks_is_what_plain_transformers_loads(base: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    both = in_ranks(2, job, base, root, False)
    assert both[0]["resumed"] == both[0]["on"]
    assert same(logits(plain(root / "model"), inputs(root / "model")), both[0]["logits"])
    names = {path.name for path in base.iterdir()}
    assert names <= {path.name for path in (root / "model").iterdir()}
    with (
        safe_open(base / "model.safetensors", "pt") as one,
        safe_open(root / "model/model.safetensors", "pt") as other,
    ):
        assert set(one.keys()) == set(other.keys())


def test_tied_weights_and_another_number_format(tmp_path: Path) -> None:
    base = tiny.text_only(tmp_path / "base", layers=1, tie_word_embeddings=True)
    model = model_in(base, torch.float32)
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(0.5)
    export_model(model, PLAIN, str(tmp_path / "out"), Export(base, card_of(base), dtype=torch.bfloat16))
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert again.dtype == torch.bfloat16
    assert again.lm_head.weight.equal(model.get_input_embeddings().weight.bfloat16())


def test_the_manifest_is_written_last_and_names_every_file(
    base: Path, adapter: Trained, tmp_path: Path
) -> None:
    folder = adapter[0] / "model"
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    named = {one["path"]: one["sha256"] for one in manifest["files"]}
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    del there["MANIFEST.json"]
    assert named == there
    order: list[str] = []
    publish(Watched(order.append), folder, str(tmp_path / "out"))
    assert [order[0], order[-1]] == [str(tmp_path / "out/MANIFEST.json")] * 2
    assert len(order) == len(set(order)) + 1


def test_the_card_says_what_the_model_is(base: Path, adapter: Trained) -> None:
    text = (adapter[0] / "model/README.md").read_text()
    head = yaml.safe_load(text.split("---")[1])
    assert head["base_model"] == str(base)
    assert head["library_name"] == "peft"
    assert head["license"] == "apache-2.0"
    assert r"| false premises \| accepted | 0.5 | 0.25 | 40 |" in text
    assert "no clinical use" in text
    assert "| Data hash | `5f0c` |" in text
    settings = text.split("```json")[1].split("```")[0]
    assert json.loads(settings)["lr"] == 1e-3
    merged = yaml.safe_load((adapter[0] / "merged/README.md").read_text().split("---")[1])
    assert merged["library_name"] == "transformers"
    assert (adapter[0] / "model/run.0.csv").read_text() == "step,loss\n1,2.5\n"


@pytest.fixture
def finished(adapter: Trained, tmp_path: Path) -> Path:
    """A run of one's own to spoil."""
    shutil.copytree(adapter[0] / "model", tmp_path / "run/model")
    return tmp_path / "run"


def test_export_model_merges_into_the_base_that_is_named(
    base: Path, adapter: Trained, finished: Path, tmp_path: Path, capsys: Any
) -> None:
    moved = shutil.copytree(base, tmp_path / "moved")
    out = tmp_path / "out"
    assert main(["export-model", str(finished), str(out), "merge=true", f"base={moved}"]) == 0
    assert "the base with the adapter merged in" in capsys.readouterr().out
    assert same(logits(plain(out), inputs(out)), adapter[1][0]["logits"])
    assert {"MANIFEST.json", "README.md", "run.0.csv", "tokenizer.json"} <= {
        path.name for path in out.iterdir()
    }
    assert not list(out.glob("adapter*"))
    assert not (out / "_EXPORTING").exists()
    fetch_model(PLAIN, str(out), tmp_path)


def test_a_base_of_equal_shapes_that_is_another_is_refused(
    finished: Path, tmp_path: Path, capsys: Any
) -> None:
    other = tiny.llava(tmp_path / "other", seed=1, layers=1)
    out = tmp_path / "out"
    assert main(["export-model", str(finished), str(out), "merge=true", f"base={other}"]) == 65
    said = capsys.readouterr().err
    assert f"{other} is not the base that the adapter was trained on" in said
    assert "base=PATH" in said
    assert not (out / "MANIFEST.json").exists()


def test_export_model_copies_as_it_is(finished: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    out.mkdir()
    # A copy of the same run that was killed.
    (out / "_EXPORTING").write_text(str(finished))
    (out / "README.md").write_text("half")
    assert main(["export-model", str(finished), str(out)]) == 0
    assert "an adapter" in capsys.readouterr().out
    ours, theirs = (
        {p.name: p.read_bytes() for p in folder.iterdir()} for folder in (out, finished / "model")
    )
    assert ours == theirs
    assert main(["export-model", str(finished), str(out)]) == 73
    assert "something is there already" in capsys.readouterr().err


def test_export_model_writes_nothing_where_local_takes_nothing(
    finished: Path, tmp_path: Path, capsys: Any
) -> None:
    out, gone = tmp_path / "out", tmp_path / "gone"
    assert main(["export-model", str(finished), str(out), f"local={gone}"]) == 2
    assert (
        f"local: nothing can be written there: [Errno 2] No such file or directory: '{gone}"
        in capsys.readouterr().err
    )
    assert not out.exists()


def cut(run: Path) -> None:
    path = run / "model/adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def flip(run: Path) -> None:
    path = run / "model/adapter_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def lose_base(run: Path) -> None:
    path, manifest = run / "model/adapter_config.json", run / "model/MANIFEST.json"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(
        path.read_text().replace('"base_model_name_or_path": "', '"base_model_name_or_path": "/gone')
    )
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    plain = json.loads(manifest.read_text().replace(before, after))
    for one in plain["files"]:
        one["bytes"] = (run / "model" / one["path"]).stat().st_size
    manifest.write_text(json.dumps(plain))


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (cut, 65, "adapter_model.safetensors has"),
        (flip, 65, "adapter_model.safetensors was altered"),
        (lambda run: (run / "model/MANIFEST.json").unlink(), 65, "no finished model"),
        (lose_base, 66, "base=PATH"),
    ],
)
def test_export_model_says_what_is_wrong(
    finished: Path, tmp_path: Path, capsys: Any, spoil: Callable[[Path], None], code: int, said: str
) -> None:
    spoil(finished)
    assert main(["export-model", str(finished), str(tmp_path / "out"), "merge=true"]) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out/MANIFEST.json").exists()


def test_a_manifest_that_names_a_place_outside_is_refused(finished: Path, tmp_path: Path) -> None:
    manifest = finished / "model/MANIFEST.json"
    manifest.write_text(manifest.read_text().replace('"README.md"', '"../README.md"'))
    with pytest.raises(IntegrityError, match="no manifest of a model"):
        fetch_model(PLAIN, str(finished / "model"), tmp_path)
