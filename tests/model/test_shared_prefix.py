"""What each family must be given for exchanges to share an image: the logits are those of rows of their own.

One packed row [prefix, exchange, exchange, ...] under a block mask, against a row for each exchange with the masks and
positions that the model makes itself. A family needs no more than what stands in `given` and `by_token`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from mht.model.packing import Batch, Placed, pack, visible
from tests.engines import tiny
from tests.model.conftest import Family, example

FLAT = ("internvl", "llava_next", "llava_onevision", "smolvlm")
AXES = ("qwen2_5_vl", "qwen3_vl")
WINDOW = 6


def by_token(model: Any, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    """What a row of its own wants to be told of each token."""
    name = {"gemma3": "token_type_ids"} | dict.fromkeys(AXES, "mm_token_type_ids")
    kind = model.config.model_type
    return {name[kind]: (ids == model.config.image_token_id).int()} if kind in name else {}


def placed(model: Any, prepared: Any) -> Placed:
    """Positions of the prefix: the number of the token, or three axes of which an image's tokens have a grid."""
    prefix = torch.tensor([prepared.prefix])
    if model.config.model_type not in AXES:
        return Placed(prepared, torch.arange(prefix.shape[1])[None], prefix.shape[1])
    kinds = by_token(model, prefix)["mm_token_type_ids"]
    at, delta = model.model.get_rope_index(prefix, kinds, image_grid_thw=prepared.pixels["image_grid_thw"])
    return Placed(prepared, at[:, 0], prefix.shape[1] + int(delta))


def positions(model: Any, batch: Batch) -> torch.Tensor:
    """[rows, columns], or [3, rows, columns]."""
    return batch.positions if model.config.model_type in AXES else batch.positions[0]


def masks(model: Any, batch: Batch) -> Any:
    """[rows, 1, columns, columns]; by the kind of the layer where a model has layers that see a window."""
    text = model.config.get_text_config()
    if text.model_type == "mistral":
        return visible(batch, text.sliding_window)
    if model.config.model_type == "gemma3":
        both = visible(batch) | one_image(batch, batch.ids == model.config.image_token_id)
        near = (batch.logical[:, :, None] - batch.logical[:, None] < text.sliding_window)[:, None]
        return {"full_attention": both, "sliding_attention": both & near}
    if "sliding_attention" in (getattr(text, "layer_types", None) or ()):
        return {"full_attention": visible(batch), "sliding_attention": visible(batch, text.sliding_window)}
    return visible(batch)


def one_image(batch: Batch, image: torch.Tensor) -> torch.Tensor:
    """Tokens of one image, which see each other both ways: a run of them without another token between."""
    begins = image & ~torch.nn.functional.pad(image, (1, 0))[:, :-1]
    run = torch.where(image, begins.cumsum(1), 0)
    return ((run[:, :, None] == run[:, None]) & image[:, None])[:, None]


def differences(
    model: Any, prepared: list[Any], several: bool, seen: Callable[[Any, Batch], Any] = masks
) -> dict[str, float]:
    """The largest difference of a logit in each exchange, packed under the masks that `seen` gives, against alone."""
    batches = pack([placed(model, one) for one in prepared], 1 << 20, share=True, several=several)
    found = {}
    with torch.no_grad():
        for batch in batches:
            hidden = model.model(
                input_ids=batch.ids, use_cache=False, attention_mask=seen(model, batch),
                position_ids=positions(model, batch), **batch.pixels,
            ).last_hidden_state  # fmt: skip
            for name, logits in by_exchange(batch, model.lm_head(hidden)).items():
                found[name] = float((logits - alone(model, prepared, name)).abs().max())
    return found


def causal(model: Any, batch: Batch) -> torch.Tensor:
    """As if the row were one text."""
    rows, columns = batch.ids.shape
    return torch.ones(rows, 1, columns, columns, dtype=torch.bool).tril()


def by_exchange(batch: Batch, logits: torch.Tensor) -> dict[str, torch.Tensor]:
    """[tokens, vocabulary] of each exchange, in the order in which they stand in the batch."""
    names = iter(batch.names)
    made = {}
    for row in range(len(batch.ids)):
        for number in range(int(batch.example[row].max()) + 1):
            of = batch.example[row] == number
            for exchange in range(1, int(batch.exchange[row][of].max()) + 1):
                made[next(names)] = logits[row][of & (batch.exchange[row] == exchange)]
    return made


def alone(model: Any, prepared: list[Any], name: str) -> torch.Tensor:
    """[tokens, vocabulary] of an exchange in a row of its own, as the model's own forward has them."""
    one, suffix = next((one, s) for one in prepared for s in one.suffixes if s.exchange_id == name)
    ids = torch.tensor([one.prefix + suffix.ids])
    made = model(input_ids=ids, attention_mask=torch.ones_like(ids), **by_token(model, ids), **one.pixels)
    logits: torch.Tensor = made.logits[0, len(one.prefix) :]
    return logits


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", ["llava", "idefics3", *FLAT, *AXES, "gemma3"])
def test_packed_logits_are_those_of_separate_rows(
    name: str, several: bool, family: Callable[[str], Family]
) -> None:
    one = family(name)
    prepared = [one.preparer.prepare(example(number, 3)) for number in range(3)]
    found = differences(one.model.eval(), prepared, several)
    assert len(found) == 9
    assert max(found.values()) < 1e-5
    assert max(differences(one.model, prepared, several, causal).values()) > 1e-2


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("mistral", {}),
        ("qwen2", {"use_sliding_window": True, "layer_types": ["sliding_attention", "full_attention"]}),
        ("qwen3", {"use_sliding_window": True, "layer_types": ["sliding_attention", "full_attention"]}),
        ("gemma3_text", {"layer_types": ["sliding_attention", "full_attention"]}),
    ],
)
def test_layers_that_see_a_window_count_back_within_the_exchange(
    kind: str, more: dict[str, Any], windowed: Callable[..., Family]
) -> None:
    one = windowed(kind, sliding_window=WINDOW, **more)
    prepared = [one.preparer.prepare(example(number, 3, image=False)) for number in range(2)]
    found = differences(one.model.eval(), prepared, several=True)
    assert len(found) == 6
    assert max(found.values()) < 1e-5
    everything = differences(one.model, prepared, True, lambda model, batch: visible(batch))
    assert max(everything.values()) > 1e-2


def test_an_image_of_gemma_sees_itself_both_ways(family: Callable[[str], Family]) -> None:
    one = family("gemma3")
    prepared = [one.preparer.prepare(example(0, 3))]

    def one_way(model: Any, batch: Batch) -> dict[str, torch.Tensor]:
        window = model.config.text_config.sliding_window
        return {"full_attention": visible(batch), "sliding_attention": visible(batch, window)}

    assert max(differences(one.model.eval(), prepared, False, one_way).values()) > 1e-3


@pytest.mark.parametrize("name", [*FLAT, *AXES, "gemma3"])
def test_the_tiny_models_are_not_blind(name: str, family: Callable[[str], Family]) -> None:
    """Another picture of the same size gives other logits, so what is compared above went through the image."""
    one = family(name)
    asked = example(0, 1)
    shown = [replace(asked, image=tiny.png(number)) for number in (1, 2)]
    prepared = [one.preparer.prepare(example) for example in shown]
    with torch.no_grad():
        first, second = (alone(one.model.eval(), [other], "0-0") for other in prepared)
    assert (first - second).abs().max() > 1e-2
