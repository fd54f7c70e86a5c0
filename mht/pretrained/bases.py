"""Which model is meant by a folder: the checkpoint in it, a training run's final model, or an adapter on its base."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mht.errors import ConfigError, InputError, IntegrityError
from mht.pretrained.files import digest, is_commit, local_folder

CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"
CARD = "card.json"
"""The record beside a trained model's README, so that another form of the same model can say the same."""
BASE_DIGEST = "base_digest"
"""Among a card's settings: the digest of the base's folder."""
_FINAL, _RUN = "model", "run.json"
"""Where `mht train` puts the final model, and what it writes before anything else."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A checkpoint, a folder or a hub id with its revision, and the folder of an adapter on it."""

    model: str
    revision: str | None
    adapter: str | None


def meant(model: str, revision: str | None = None, adapter: str | None = None) -> Meant:
    """What is to be loaded. A folder that holds an adapter alone stands for it and the base that it names.

    Raises InputError where a base or a run's final model is not there, ConfigError where a second adapter is given or
    the base lacks its revision, IntegrityError for settings that cannot be read.
    """
    folder = local_folder(model)
    if folder is None:
        return Meant(model, revision, adapter)
    folder = _final(folder)
    if (folder / CONFIG).is_file() or not (folder / ADAPTER_CONFIG).is_file():
        return Meant(str(folder), revision, adapter)
    if adapter is not None:
        raise ConfigError(
            f"model {model!r} is an adapter itself, and adapter {adapter!r} another; give the base as model"
        )
    base, its_revision = _base_of(folder)
    return Meant(base, revision or its_revision, str(folder))


def full_model(model: str) -> Path | None:
    """The folder of the model that training begins with: the one named, or a run's final one; None for a hub id.

    Raises InputError for an adapter or the run of one, and for a run without a final model.
    """
    folder = local_folder(model)
    if folder is None:
        return None
    folder = _final(folder)
    if (folder / CONFIG).is_file() or not (folder / ADAPTER_CONFIG).is_file():
        return folder
    run = folder.parent if folder.name == _FINAL and (folder.parent / _RUN).is_file() else "RUN"
    raise InputError(
        f"model.path: {folder} is an adapter, and training begins with a full model; merge it into its base first: "
        f"`mht export-model {run} OUT merge=true`, and then model.path=OUT"
    )


def check_base(base: Path, adapter: Path, remedy: str) -> None:
    """Raises IntegrityError for another base than the adapter was trained on: of equal shapes, it would be silent.

    `remedy` says where the right one is to be given. An adapter without our card (`mht train` writes it) says nothing
    of its base's content and passes.
    """
    card = _card_of(adapter)
    settings = card.get("settings")
    wanted = settings.get(BASE_DIGEST) if isinstance(settings, dict) else None
    if wanted is None:
        return
    found = digest(base)
    if wanted != found:
        raise IntegrityError(
            f"{base} is not the base that the adapter was trained on: its digest is {found[:16]}, and "
            f"{card.get('base_model')} had {str(wanted)[:16]}. Give that one, its folder's files as they were: {remedy}"
        )


def check_commit(base: str, revision: str, adapter: Path) -> None:
    """Raises IntegrityError where the adapter was trained on another commit of this very hub id.

    What another id holds is not known; it passes, as a mirror's would.
    """
    card = _card_of(adapter)
    wanted = card.get("base_revision")
    if card.get("base_model") == base and wanted not in (None, revision):
        raise IntegrityError(
            f"the adapter {adapter} was trained on {base} at {wanted}, and {revision} is given; give revision={wanted}"
        )


def _card_of(adapter: Path) -> dict[str, Any]:
    """What the adapter's card says; nothing where there is none."""
    try:
        card = json.loads((adapter / CARD).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise IntegrityError(f"{adapter / CARD} cannot be read; copy the adapter again") from None
    return card if isinstance(card, dict) else {}


def _final(folder: Path) -> Path:
    """The folder itself, or where it is a training run, that of the run's final model."""
    if any((folder / name).is_file() for name in (CONFIG, ADAPTER_CONFIG)):
        return folder
    inner = folder / _FINAL
    if any((inner / name).is_file() for name in (CONFIG, ADAPTER_CONFIG)):
        return inner
    if (folder / _RUN).is_file():
        raise InputError(f"{folder} is a run without a final model; finish it (`mht train`), or name a model")
    return folder


def _base_of(adapter: Path) -> tuple[str, str | None]:
    """The base that an adapter names: a folder that is there, or a hub id with the revision."""
    remedy = f"give where the base is as model, and {str(adapter)!r} as adapter"
    try:
        plain = json.loads((adapter / ADAPTER_CONFIG).read_text("utf-8"))
        base, revision = plain.get("base_model_name_or_path"), plain.get("revision")
    except (ValueError, AttributeError):
        raise IntegrityError(f"{adapter / ADAPTER_CONFIG} cannot be read; copy the adapter again") from None
    if not isinstance(base, str) or not base:
        raise InputError(f"{adapter} is an adapter that names no base; {remedy}")
    for place in (Path(base), adapter / base):
        if (place / CONFIG).is_file():
            return str(place), None
        if (place / ADAPTER_CONFIG).is_file():
            raise InputError(
                f"{adapter} is an adapter on another one, {place}; merge that one into its base first"
            )
    try:
        local_folder(base)
    except InputError:
        raise InputError(f"{adapter} is an adapter on {base!r}, which is not here; {remedy}") from None
    if not is_commit(revision):
        raise ConfigError(
            f"{adapter} is an adapter on {base!r} of the hub without its revision, a full commit id; {remedy}, and "
            "the revision"
        )
    return base, str(revision)
