"""Heads that share keys are further queries to them: the same numbers, and no copy of the keys for each head."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from mht.engines import _attention, _loading
from mht.engines.transformers import Params


def attended(heads: int, masked: bool, tokens: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """(ours, the library's) over two rows, two heads of keys and twelve columns."""
    draws = torch.Generator().manual_seed(heads)
    query = torch.randn(2, heads, tokens, 8, generator=draws)
    key, value = (torch.randn(2, 2, 12, 8, generator=draws) for _ in range(2))
    mask = torch.rand(2, 1, tokens, 12, generator=draws) > 0.4 if masked else None
    module = SimpleNamespace(num_key_value_groups=heads // 2, is_causal=True)
    given = (module, query, key, value, mask)
    ours, _ = _attention._attend(*given, scaling=0.3)
    theirs, _ = sdpa_attention_forward(*given, scaling=0.3)  # type: ignore[arg-type]
    return ours, theirs


def test_numbers_are_the_library_s() -> None:
    for heads in (2, 4, 8):
        for masked in (True, False):
            for tokens in (1, 5):
                ours, theirs = attended(heads, masked, tokens)
                assert torch.allclose(ours, theirs, atol=1e-6)


def test_the_language_model_attends_so_and_the_eyes_as_before(llava: Path) -> None:
    config = _loading.load(Params(model=str(llava))).model.config
    assert config.get_text_config()._attn_implementation == _attention._NAME
    assert config.vision_config._attn_implementation == "sdpa"
