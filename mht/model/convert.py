"""`mht convert`: a checkpoint of LLaVA's own layout as a transformers LLaVA, and back.

The output appears whole, under its own name, or not at all: it is written beside and renamed. MANIFEST.json, written
last, lists every file with its sha256.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ByteSize, ConfigDict
from transformers import AutoConfig

import mht
from mht.artifacts import MANIFEST, FileRecord, dump_json
from mht.config_file import read_overrides
from mht.config_reading import validated
from mht.errors import ConfigError, DiskFull, InputError, RunConflict
from mht.model import llava_config as configs
from mht.model import llava_layout as layout
from mht.model import llava_reader as reader
from mht.model.tensors import Parts, parts_in, read_json, refuse_other, write_shards
from mht.pretrained.files import check_folder, digest
from mht.pretrained.loading import folder_of

FORMAT = "mht-model/1"
_ROUND = 64
"""Rows of a vocabulary that grows are a multiple of this, which matrix units like."""


class Params(BaseModel):
    """What `mht convert` can be told.

    `layout` is the output's. `vision_tower` is a folder of a CLIP: its config and picture settings, and its weights
    where the source has none within. `tower_inside` says whether `layout=original` writes the vision tower's weights;
    None does as the source of the conversion did. `revision` is the commit of a source on the hub.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: Literal["transformers", "original"] = "transformers"
    vision_tower: str | None = None
    tower_inside: bool | None = None
    max_shard_size: ByteSize = ByteSize(5_000_000_000)
    revision: str | None = None


def convert(source: str, output: str, words: Sequence[str]) -> str:
    """Convert a checkpoint, a folder or a hub id, and say what was written.

    Raises ConfigError for settings that cannot be used, InputError for a source that is of another kind,
    IntegrityError for weights that are not whole, RunConflict for an output that is there, DiskFull.
    """
    placed = read_overrides(words)
    params = validated(Params, placed.values, placed.lines)
    folder = folder_of(source, params.revision, trust_remote_code=False)
    with _whole(output) as draft:
        made = _to_original if params.layout == "original" else _to_transformers
        said = made(folder, draft, params)
        (draft / MANIFEST).write_bytes(_manifest(folder, draft, params))
    return f"{Path(output) / MANIFEST}: {said}"


@contextmanager
def _whole(output: str) -> Iterator[Path]:
    """A folder beside the output that takes its name at the end, and is removed when anything fails."""
    if "://" in output:
        raise ConfigError(f"{output}: a checkpoint is converted into a folder here; copy it on from there")
    target = Path(output)
    if target.exists() or target.is_symlink():
        raise RunConflict(f"{output} is there already; name another output, or remove it")
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.partial"
    try:
        draft.mkdir(parents=True)
        yield draft
        draft.rename(target)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFull(f"{output}: no room left on its disk; make room, or name another output") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _to_transformers(folder: Path, draft: Path, params: Params) -> str:
    if params.tower_inside is not None:
        raise ConfigError(
            "tower_inside is for layout=original; transformers' LLaVA has its vision tower within"
        )
    original = configs.original_in(folder)
    everything = parts_in(folder)
    parts = layout.without_buffers(everything)
    buffers = len(everything) - len(parts)
    inside = any(name.startswith(layout.TOWER) for name in parts)
    tower = _tower(original, params.vision_tower, inside)
    if not inside and tower is not None:
        check_folder(tower)
        parts |= layout.tower_of(parts_in(tower))
    vision = configs.vision_config(original, parts, tower)
    made = layout.to_transformers(parts, original.projector)
    tokenizer, added = reader.tokenizer_of(original)
    processor, same = reader.processor_of(original, tokenizer, vision, tower)
    image, rows = tokenizer.convert_tokens_to_ids(reader.IMAGE), layout.rows_of(made)
    wanted = -(-(image + 1) // _ROUND) * _ROUND if image >= rows else rows
    made = layout.grown(made, wanted)
    config = configs.llava_config(original, vision, image, wanted, tokenizer.pad_token_id)
    _refuse_other(made, config, folder)
    config.dtype = configs.dtype_name(made)
    setattr(config, configs.RECORD, configs.record_of(original, rows, inside, added))
    files = write_shards(made, draft, params.max_shard_size)
    config.save_pretrained(draft)
    processor.save_pretrained(draft)
    _settings(original, draft, tokenizer)
    return "\n".join(
        [
            f"{_face(made, files)} as a transformers LLaVA",
            f"  language model {original.text}, {wanted:,} rows of vocabulary ({wanted - rows} new), "
            f"vision tower from {'the source' if inside else tower}",
            f"  chat template {reader.TEMPLATES[original.text][0]}, pictures "
            f"{'padded to a square' if original.pads else 'cut to their middle square'}",
            *_notes(buffers, same),
        ]
    )


def _to_original(folder: Path, draft: Path, params: Params) -> str:
    if params.vision_tower is not None:
        raise ConfigError("vision_tower is for layout=transformers; leave it out")
    record = configs.recorded_in(folder)
    parts = layout.as_published(parts_in(folder))
    _refuse_other(parts, AutoConfig.from_pretrained(folder), folder)
    inside = record["tower_inside"] if params.tower_inside is None else params.tower_inside
    kept = dict(record["files"]["config.json"])
    projector = str(kept.get("mm_projector_type", "linear"))
    made = layout.to_original(parts, projector, int(record["rows"]), inside)
    for key in {"torch_dtype", "dtype"} & kept.keys():
        kept[key] = configs.dtype_name(made)
    files = write_shards(made, draft, params.max_shard_size)
    for name, plain in (record["files"] | {"config.json": kept}).items():
        (draft / name).write_bytes(dump_json(plain))
    _tokenizer_back(folder, draft, record["image_token_added"])
    tower = "within" if inside else f"left out: {kept.get('mm_vision_tower')} is read in its place"
    return f"{_face(made, files)} as a {kept.get('model_type')} of LLaVA's own layout\n  vision tower {tower}"


def _tower(original: configs.Original, given: str | None, inside: bool) -> Path | None:
    """The folder of the vision tower: the one given, or what the source's config names where that is a folder."""
    if given is not None:
        if not (Path(given) / "config.json").is_file():
            raise InputError(f"vision_tower: {given} is no folder with a config.json; correct the path")
        return Path(given)
    name = str(original.plain.get("mm_vision_tower") or "")
    named = [
        path for path in (original.folder / name, Path(name)) if name and (path / "config.json").is_file()
    ]
    if not named and not inside:
        raise InputError(
            f"{original.folder} holds no vision tower, and {name or 'none'} is no folder here; "
            "give one: vision_tower=FOLDER"
        )
    return named[0] if named else None


def _refuse_other(parts: Parts, config: Any, folder: Path) -> None:
    wanted = configs.tensors_of(config)
    if config.tie_word_embeddings:
        wanted = {name: shape for name, shape in wanted.items() if not name.endswith("lm_head.weight")}
        parts = {name: part for name, part in parts.items() if not name.endswith("lm_head.weight")}
    refuse_other(parts, wanted, folder)


def _settings(original: configs.Original, draft: Path, tokenizer: Any) -> None:
    """Beside the config: the tokens that begin and end a reply, and the tokenizer's own file where there is one."""
    given = original.folder / "generation_config.json"
    if given.is_file():
        shutil.copyfile(given, draft / given.name)
    else:
        ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
        (draft / given.name).write_bytes(dump_json(ends | {"pad_token_id": tokenizer.pad_token_id}))
    model = original.folder / "tokenizer.model"
    if model.is_file():
        shutil.copyfile(model, draft / model.name)


def _tokenizer_back(folder: Path, draft: Path, drop: bool) -> None:
    """The tokenizer without the image's token, which LLaVA's own code does not look up."""
    if (folder / "tokenizer.model").is_file():
        shutil.copyfile(folder / "tokenizer.model", draft / "tokenizer.model")
        return
    plain = read_json(folder / "tokenizer.json")
    tokens = plain["added_tokens"]
    assert isinstance(tokens, list)
    plain["added_tokens"] = [token for token in tokens if not (drop and token["content"] == reader.IMAGE)]
    (draft / "tokenizer.json").write_bytes(dump_json(plain))


def _notes(buffers: int, same: bool) -> Iterator[str]:
    if buffers:
        yield f"  left out: {buffers} constants of an old version, which are computed"
    if not same:
        yield "  the tokens around an image are not those of LLaVA's own code: the tokenizer is of an unknown kind"


def _face(parts: Parts, files: int) -> str:
    gigabytes, dtype = sum(part.bytes for part in parts.values()) / 1e9, configs.dtype_name(parts)
    return f"{len(parts):,} tensors, {gigabytes:,.2f} GB {dtype} in {files} file{'s' * (files > 1)},"


def _manifest(folder: Path, draft: Path, params: Params) -> bytes:
    files = [_file_record(path) for path in sorted(draft.iterdir())]
    made = {
        "by": "mht convert",
        "mht_version": mht.__version__,
        "layout": params.layout,
        "source": digest(folder),
    }
    return dump_json({"format": FORMAT, "made": made, "files": [asdict(record) for record in files]})


def _file_record(path: Path) -> FileRecord:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(path.name, 0, path.stat().st_size, sha256)
