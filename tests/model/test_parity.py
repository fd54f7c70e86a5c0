"""Sharing an image changes nothing: loss and whole gradient equal those of separate rows, for every family admitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from mht.engines import _model
from mht.model.architectures import ADMITTED
from mht.model.certificate import TOLERANCE, certify
from mht.model.packing import pack
from tests.engines import tiny
from tests.model.conftest import EYES, TEXT, Family, causal, example, losses_of


@pytest.mark.parametrize("name", EYES)
def test_packed_equals_separate(family: Callable[[str], Family], name: str) -> None:
    one = family(name)
    prepared = [one.preparer.prepare(example(number, 4)) for number in range(3)]
    found = certify(one.learner(), prepared)
    assert found.holds, found
    assert found.exchanges == 12
    assert found.packed_tokens < 0.75 * found.separate_tokens
    assert (found.architecture, found.dtype) == (one.model.config.model_type, "float32")


@pytest.mark.parametrize("name", TEXT)
def test_text_shares_what_it_begins_with(family: Callable[[str], Family], name: str) -> None:
    one = family(name)
    prepared = [one.preparer.prepare(example(number, 3, image=False, turns=2)) for number in range(2)]
    found = certify(one.learner(), prepared)
    assert found.holds, found


@pytest.fixture
def gathering(family: Callable[[str], Family]) -> Iterator[Callable[[str], Any]]:
    """A family's learner that attends by gathering; the family is as before afterwards."""
    kept = []

    def made(name: str) -> Any:
        learner = family(name).learner()
        config = learner.whole.get_decoder().config
        kept.append((config, config._attn_implementation))
        learner.gather()
        return learner

    yield made
    for config, before in kept:
        config._attn_implementation = before


@pytest.mark.parametrize("name", [*EYES, *TEXT])
def test_attention_by_gathering_equals_separate(
    family: Callable[[str], Family], gathering: Callable[[str], Any], name: str
) -> None:
    """Loss and gradient, of examples of one exchange and of more behind each other in a row."""
    one, image = family(name), name in EYES
    prepared = [one.preparer.prepare(example(number, 1 + number, image)) for number in range(3)]
    learner = gathering(name)
    assert learner.several == (name != "gemma3")  # its images see themselves both ways
    found = certify(learner, prepared)
    assert found.holds, found


@pytest.mark.parametrize("name", ["llava", "llama"])
@pytest.mark.parametrize(("share", "several"), [(True, True), (True, False), (False, False)])
def test_gathering_takes_every_layout(
    family: Callable[[str], Family], gathering: Callable[[str], Any], name: str, share: bool, several: bool
) -> None:
    one = family(name)
    plain = one.learner().eval()
    prepared = [one.preparer.prepare(example(number, 1 + number, name in EYES)) for number in range(3)]
    placed = [plain.place(p) for p in prepared]
    wanted = losses_of(plain, pack(placed, 1 << 30, share=False))
    found = losses_of(gathering(name).eval(), pack(placed, 120, share, several))
    assert found == pytest.approx(wanted, rel=TOLERANCE)


@pytest.mark.parametrize("name", EYES)
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("tokens", [60, 150, 4000])
def test_the_budget_changes_no_loss(
    family: Callable[[str], Family], name: str, several: bool, tokens: int
) -> None:
    one = family(name)
    learner = one.learner().eval()
    placed = [learner.place(one.preparer.prepare(example(number, 4))) for number in range(3)]
    wanted = losses_of(learner, pack(placed, 1 << 30, share=False))
    batches = pack(placed, tokens, share=True, several=several)
    found = losses_of(learner, batches)
    assert found.keys() == wanted.keys()
    assert all(found[name] == pytest.approx(loss, rel=TOLERANCE) for name, loss in wanted.items())
    assert len(batches) == 1 if tokens == 4000 else len(batches) > 1
    assert all(batch.tokens <= tokens or len(batch.names) == 1 for batch in batches)


def test_a_mask_that_leaks_is_found(family: Callable[[str], Family], monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is not blind: with a plainly causal mask an exchange sees those before it."""

    from mht.model import learner as module

    one = family("llava")
    prepared = [one.preparer.prepare(example(0, 3))]
    assert certify(one.learner(), prepared).holds
    monkeypatch.setattr(module, "visible", causal)
    found = certify(one.learner(), prepared)
    assert found.loss > 100 * TOLERANCE
    assert found.gradient > 100 * TOLERANCE


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("mistral", {}),
        ("qwen2", {"use_sliding_window": True, "layer_types": ["sliding_attention", "full_attention"]}),
        ("gemma3_text", {"layer_types": ["sliding_attention", "full_attention"]}),
    ],
)
def test_layers_that_see_a_window_are_packed_too(
    windowed: Callable[..., Family], kind: str, more: dict[str, Any]
) -> None:
    one = windowed(kind, sliding_window=6, **more)
    prepared = [one.preparer.prepare(example(number, 3, image=False)) for number in range(2)]
    found = certify(one.learner(), prepared)
    assert found.holds, found


def test_an_image_that_sees_itself_both_ways_needs_its_mask(family: Callable[[str], Family]) -> None:
    one = family("gemma3")
    learner = one.learner()
    prepared = [one.preparer.prepare(example(0, 3))]
    learner.architecture = replace(learner.architecture, image_id=None)
    assert certify(learner, prepared).loss > 10 * TOLERANCE


@pytest.mark.parametrize("name", EYES)
def test_the_tiny_models_are_not_blind(name: str, family: Callable[[str], Family]) -> None:
    """Another picture of the same size gives another loss, so what is compared above went through the image."""
    one = family(name)
    shown = [replace(example(0, 1), image=tiny.png(number)) for number in (1, 2)]
    learner = one.learner().eval()
    batches = [pack([learner.place(one.preparer.prepare(e))], 4000, share=True) for e in shown]
    first, second = (losses_of(learner, batch)["0-0"] for batch in batches)
    assert abs(first - second) > 1e-3 * first


def test_every_admitted_family_is_tested() -> None:
    assert {*EYES, *TEXT, "qwen2_5_vl_text", "qwen3_vl_text", "gemma3_text"} == ADMITTED
    assert _model.ADMITTED <= ADMITTED


@pytest.mark.parametrize("name", ["llava", "gemma3", "qwen3_vl"])
def test_what_is_not_admitted_goes_in_rows_of_its_own(
    family: Callable[[str], Family], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from mht.model import architectures

    one = family(name)
    prepared = [one.preparer.prepare(example(number, 3)) for number in range(2)]
    monkeypatch.setattr(architectures, "ADMITTED", frozenset())
    learner = one.learner()
    assert not learner.architecture.admitted
    found = certify(learner, prepared)
    assert found.holds, found
    assert found.packed_tokens == found.separate_tokens
