"""A row's licence, in whatever words, as one of the identifiers that a dataset card may name.

The identifiers are those of the Hugging Face Hub's card metadata, https://huggingface.co/docs/hub/repositories-licenses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

OTHER = "other"
UNSAID = "unsaid"

_SPDX = "https://spdx.org/licenses/"
_CREATIVE = "https://creativecommons.org/licenses/"
_ADDRESSES = {
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "mit": _SPDX + "MIT",
    "apache-2.0": _SPDX + "Apache-2.0",
    "bsd-2-clause": _SPDX + "BSD-2-Clause",
    "bsd-3-clause": _SPDX + "BSD-3-Clause",
    "odc-by": _SPDX + "ODC-By-1.0",
    "pddl": _SPDX + "PDDL-1.0",
}
_PLAIN = {
    "cc0": "cc0-1.0",
    "cc0 1 0": "cc0-1.0",
    "cc0 1 0 universal": "cc0-1.0",
    "creativecommons org publicdomain zero 1 0": "cc0-1.0",
    "mit": "mit",
    "mit license": "mit",
    "apache 2 0": "apache-2.0",
    "apache license 2 0": "apache-2.0",
    "bsd 2 clause": "bsd-2-clause",
    "bsd 3 clause": "bsd-3-clause",
    "odc by": "odc-by",
    "odc by 1 0": "odc-by",
    "pddl": "pddl",
    "pddl 1 0": "pddl",
}
# `CC BY-NC 4.0`, `cc-by-nc-4.0`, `https://creativecommons.org/licenses/by-nc/4.0/`, spaces for what is no word.
_CC = re.compile(r"(?:cc|creativecommons org licenses) (by(?: nc)?(?: nd| sa)?) ([234]) ([05])")
_NOISE = re.compile(r"[^a-z0-9]+")


def licence_id(text: str | None) -> str:
    """`cc-by-4.0` and the like; `unsaid` for none, `other` for words that name no licence known here."""
    words = _NOISE.sub(" ", (text or "").lower()).strip()
    if not words:
        return UNSAID
    words = re.sub(r"^https? ", "", words)
    words = re.sub(r"^www ", "", words)
    found = _CC.fullmatch(words)
    if found:
        return f"cc-{found[1].replace(' ', '-')}-{found[2]}.{found[3]}"
    return _PLAIN.get(words, OTHER)


def address(licence: str) -> str | None:
    """Where the licence's text is, None for `other` and `unsaid`."""
    if licence.startswith("cc-"):
        kind, _, version = licence.removeprefix("cc-").rpartition("-")
        return f"{_CREATIVE}{kind}/{version}/"
    return _ADDRESSES.get(licence)


def of_all(images: Mapping[str, int]) -> str:
    """The one licence that every image has, else `other`. `images` counts them by `licence_id`."""
    named = [licence for licence, count in images.items() if count]
    return named[0] if len(named) == 1 and named[0] != UNSAID else OTHER
