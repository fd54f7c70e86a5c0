"""What a folder must hold before anything is loaded from it."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mht.errors import InputError, IntegrityError
from mht.pretrained.files import check_folder, digest, is_commit, local_folder, read_header, weights
from tests.engines import tiny


def test_a_whole_checkpoint_passes(copy: Path) -> None:
    check_folder(copy)
    assert "lm_head.weight" in read_header(copy / "model.safetensors")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _long(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _header_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _bomb(path: Path) -> None:
    path.write_bytes((1 << 60).to_bytes(8, "little") + path.read_bytes()[8:])


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weight": [0.0] * 1000}))


def _no_json(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(body[:8] + b"}" + body[9:])


def _no_offsets(path: Path) -> None:
    header = json.dumps({"weight": {"dtype": "F32", "shape": [1]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize("spoil", [_cut, _long, _header_cut, _empty, _bomb, _pickled, _no_json, _no_offsets])
def test_weights_that_are_not_whole_are_named(copy: Path, spoil: Callable[[Path], None]) -> None:
    spoil(copy / "model.safetensors")
    with pytest.raises(IntegrityError, match=r"copy/model\.safetensors"):
        check_folder(copy)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.pkl"])
def test_a_pickle_is_refused_and_not_opened(copy: Path, name: str) -> None:
    (copy / "model.safetensors").unlink()
    (copy / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(IntegrityError, match=rf"{name} is a pickle"):
        check_folder(copy)


def test_a_pickle_beside_safetensors_is_left_alone(copy: Path) -> None:
    (copy / "training_args.bin").write_bytes(b"\x80")
    check_folder(copy)


def test_a_folder_without_config_or_weights_is_refused(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "model.weights")
    with pytest.raises(IntegrityError, match=r"no \*\.safetensors"):
        check_folder(copy)
    (copy / "config.json").unlink()
    with pytest.raises(InputError, match=r"no config\.json"):
        check_folder(copy)


def test_an_index_names_the_weights_and_each_must_be_there(copy: Path) -> None:
    index = copy / "model.safetensors.index.json"
    shutil.copy(copy / "model.safetensors", copy / "other.safetensors")
    index.write_text(json.dumps({"weight_map": {"a": "model.safetensors"}}))
    assert weights(copy) == [copy / "model.safetensors"]
    for wrong in ("gone.safetensors", "../model.safetensors"):
        index.write_text(json.dumps({"weight_map": {"a": wrong}}))
        with pytest.raises(IntegrityError, match="which is not there"):
            check_folder(copy)
    for text in ("[]", "{", '{"weight_map": [1]}'):
        index.write_text(text)
        with pytest.raises(IntegrityError, match="no index"):
            check_folder(copy)


def test_a_digest_follows_the_content_not_the_place(copy: Path, llama: Path, tmp_path: Path) -> None:
    other = tiny.text_only(tmp_path / "other", layers=1, kind="qwen2")
    assert digest(copy) == digest(llama) != digest(other)


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"]
)
def test_a_digest_changes_with_each_file_that_decides_replies(copy: Path, name: str) -> None:
    before = digest(copy)
    body = bytearray((copy / name).read_bytes())
    body[-2] ^= 1
    (copy / name).write_bytes(body)
    assert digest(copy) != before


def test_a_digest_of_large_weights_reads_blocks_of_them(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mht.pretrained.files._READ_WHOLE", 0)
    monkeypatch.setattr("mht.pretrained.files._BLOCK", 16)
    before = digest(copy)
    body = (copy / "model.safetensors").read_bytes()
    length = 8 + int.from_bytes(body[:8], "little")
    (copy / "model.safetensors").write_bytes(body[:length] + bytes(byte ^ 1 for byte in body[length:]))
    assert digest(copy) != before


def test_what_a_model_s_name_may_be(copy: Path) -> None:
    assert local_folder(str(copy)) == copy
    assert local_folder("owner/name-1.5_b") is None
    for wrong in ("/no/such/folder", "./no", "../no/such", "name", "a/b/c", str(copy / "config.json")):
        with pytest.raises(InputError, match="is no folder here"):
            local_folder(wrong)


def test_only_a_whole_commit_id_pins() -> None:
    assert is_commit("0123456789abcdef0123456789abcdef01234567")
    for loose in (None, "", "main", "v1.0", "0123456", "0123456789ABCDEF0123456789abcdef01234567"):
        assert not is_commit(loose)
