"""The stages of a build by fingerprint: what each depends on, so that its output is reused when nothing did change.

A fingerprint covers the stage's settings, its code and tables, and the fingerprint of the stage before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from mht import catalog
from mht.code_digest import code_digest
from mht.config import SECTIONS
from mht.pairing.context import PairingContext, perturbation
from mht.pairing.params import PairingParams
from mht.prompts import prompt
from mht.seeds import digest

# The rooms whose code decides a stage's output.
_CAPTION_ROOMS = ("knowledge", "captioners", "sources")
_IMAGE_ROOMS = ("imaging", "sources")
_PAIR_ROOMS = ("knowledge", "perturbations", "pairing", "checks")
_IMAGE_LIBRARIES = ("pillow", "cykooz-resizer", "pydicom", "python-gdcm", "pylibjpeg-openjpeg", "numpy")


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """16 hex digits a stage; None for a stage that this run does not have, since no model is asked there."""

    caption: str
    image: str
    pair: str
    text: str | None = None
    wording: str | None = None
    verdict: str | None = None


def fingerprints(resolved: Mapping[str, Any]) -> Fingerprints:
    """The fingerprints of a resolved configuration under the code as it is installed here.

    A text is paid for, so its stage does not hang on how pixels are resized or facts are read; what model, what prompt
    and what settings made it is all in there, as it is for wordings and verdicts.
    """
    source = resolved["source"]
    images = {"imaging": resolved["imaging"], "source": source}
    pairs = {key: resolved[key] for key in ("seed", "pairing", "perturbations", "checks")}
    libraries = [f"{name} {metadata.version(name)}" for name in _IMAGE_LIBRARIES]
    drawn = {"seed": resolved["seed"]} if resolved["captioner"].get("temperature") else {}
    text = _asking(resolved, "captioner", images, drawn, code_digest(("captioners",)))
    captions = {"captioner": _without_engine(resolved["captioner"]), "source": source}
    caption = _of(captions, code_digest(_CAPTION_ROOMS), text)
    pair = _of(pairs, code_digest(_PAIR_ROOMS), caption)
    wording = _asking(resolved, "writer", pair)
    verdict = _asking(
        resolved, "verifier", {"imaging": resolved["imaging"]}, code_digest(("verifiers",)), wording or pair
    )
    return Fingerprints(
        caption=caption,
        image=_of(images, code_digest(_IMAGE_ROOMS), libraries),
        pair=pair,
        text=text,
        wording=wording,
        verdict=verdict,
    )


def _asking(resolved: Mapping[str, Any], section: str, *parts: object) -> str | None:
    """The fingerprint of a stage that asks a model; None where the section's plug-in asks none."""
    chosen = resolved.get(section, {})
    if "engine" not in chosen:
        return None
    module = catalog.load(SECTIONS[section], chosen["kind"])
    words = [prompt(name).text() for name in (getattr(module, "PROMPTS", None) or (module.PROMPT,))]
    return _of(_without_engine(chosen), resolved["models"][chosen["engine"]], words, *parts)


def _without_engine(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without the engine's name, which is but a name: what it is stands under `models`."""
    return {key: value for key, value in chosen.items() if key != "engine"}


def _of(*parts: object) -> str:
    return digest(*(json.dumps(part, sort_keys=True) for part in parts), size=8).hex()


def pairing_context(resolved: Mapping[str, Any]) -> PairingContext:
    """The pair stage's settings with its plug-ins loaded; its table is empty, as while the corpus is counted."""

    params = PairingParams(**resolved["pairing"])
    perturbations = []
    for name, given in sorted(resolved["perturbations"].items()):
        module = catalog.load("perturbations", name)
        perturbations.append(perturbation(name, module, module.Params(**given), params.draws_per_fact))
    checks = tuple((name, catalog.load("checks", name).judge) for name in resolved["checks"])
    return PairingContext(
        seed=resolved["seed"],
        params=params,
        perturbations=tuple(perturbations),
        checks=checks,
    )
