"""The three parts of a vision-language model, told by the names of its modules.

What only an image passes through is of the tower or of the projector, so that a batch without one is told apart.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Part: TypeAlias = Literal["vision", "projector", "language"]

_PROJECTOR = re.compile(
    r"(?:^|\.)(?:multi_modal_projector|mm_projector|connector|aligner|merger|deepstack_merger_list|image_newline)(?:\.|$)"
)
_VISION = re.compile(
    r"(?:^|\.)(?:vision_tower|vision_model|vision_encoder|vision|visual|image_encoder|embed_vision)(?:\.|$)"
)


def part_of(name: str) -> Part:
    """The part that a module or a parameter of this name is of. Qwen's merger stands within the tower's module."""
    if _PROJECTOR.search(name):
        return "projector"
    return "vision" if _VISION.search(name) else "language"
