"""A checkpoint in memory, ready to be asked, on its device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mht.engines._attention import group_heads
from mht.engines._model import Loaded, loaded
from mht.engines._prompts import Reader
from mht.pretrained import loading

if TYPE_CHECKING:
    from mht.engines.transformers import Params


def load(params: Params) -> Loaded:
    """The model in memory. Raises ConfigError, InputError or IntegrityError, naming the file or the tensor."""
    folder = loading.folder_of(params.model, params.revision, params.trust_remote_code)
    device = loading.device_of(params.device)
    model = loading.model_in(folder, loading.dtype_of(params.dtype, device), params.trust_remote_code)
    if params.adapter is not None:
        # Merged it is as fast as without.
        model = loading.adapted(model, Path(params.adapter)).merge_and_unload()
    model = model.to(device).eval()
    tokenizer, processor = loading.reader_in(folder, model, params.trust_remote_code)
    made = loaded(model, Reader(tokenizer, processor))
    if made.shares:
        group_heads(model.config.get_text_config())
    return made
