"""Where examples stand in rows, and who sees whom there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mht.model.conversation import Prepared, Suffix
from tests.model.conftest import Family, example

SIZES = st.lists(
    st.tuples(st.integers(1, 30), st.lists(st.integers(2, 12), min_size=1, max_size=6)),
    min_size=1,
    max_size=8,
)
Sizes = Sequence[tuple[int, Sequence[int]]]


def placed(sizes: Sizes) -> list[Any]:
    """Examples of so many prefix tokens, with exchanges of so many; the first half of an exchange is its question."""
    import torch

    from mht.model.packing import Placed

    made = []
    tokens = itertools.count(1)
    for number, (prefix, exchanges) in enumerate(sizes):
        suffixes = tuple(
            Suffix(
                f"{number}-{k}", [next(tokens) for _ in range(n)], [i >= n // 2 for i in range(n)], 1.0 + k
            )
            for k, n in enumerate(exchanges)
        )
        one = Prepared(f"{number}", [next(tokens) for _ in range(prefix)], suffixes, {})
        made.append(Placed(one, torch.arange(prefix)[None], prefix))
    return made


@settings(deadline=None, max_examples=60)
@given(SIZES, st.integers(20, 200), st.booleans(), st.booleans())
def test_every_exchange_is_learnt_once_within_the_budget(
    sizes: Sizes, tokens: int, share: bool, several: bool
) -> None:
    from mht.model.packing import pack

    batches = pack(placed(sizes), tokens, share, several)
    wanted = {
        s.exchange_id: [t for t, own in zip(s.ids, s.learnt, strict=True) if own]
        for one in placed(sizes)
        for s in one.example.suffixes
    }
    found: dict[str, list[int]] = {}
    for batch in batches:
        assert batch.tokens <= tokens or len(batch.names) == 1
        for place, name in enumerate(batch.names):
            assert name not in found
            found[name] = batch.targets[batch.owner == place].tolist()
    assert found == wanted


@settings(deadline=None, max_examples=40)
@given(SIZES, st.integers(20, 200), st.booleans())
def test_a_token_sees_its_own_row_of_old(sizes: Sizes, tokens: int, several: bool) -> None:
    """What a learnt token's predictor sees, in order, is the exchange as it would stand alone, up to there."""
    from mht.model.packing import pack, visible

    alone = {s.exchange_id: (one.example.prefix, s) for one in placed(sizes) for s in one.example.suffixes}
    for batch in pack(placed(sizes), tokens, True, several):
        mask, columns = visible(batch)[:, 0], batch.ids.shape[1]
        for at, target, owner in zip(
            batch.at.tolist(), batch.targets.tolist(), batch.owner.tolist(), strict=True
        ):
            prefix, suffix = alone[batch.names[owner]]
            row, column = divmod(at, columns)
            behind = suffix.ids.index(target)
            seen = mask[row, column]
            assert batch.ids[row][seen].tolist() == prefix + suffix.ids[:behind]
            assert batch.positions[0, row][seen].tolist() == list(range(len(prefix) + behind))


@settings(deadline=None, max_examples=30)
@given(SIZES, st.integers(20, 200), st.booleans(), st.sampled_from([None, 3, 10]), st.booleans())
def test_the_block_mask_is_the_same(
    sizes: Sizes, tokens: int, several: bool, window: int | None, image: bool
) -> None:
    import torch

    from mht.model.block_mask import block_mask
    from mht.model.packing import pack, visible

    for batch in pack(placed(sizes), tokens, True, several):
        image_id = 1 if image else None
        if image:  # each prefix is an image but for its first token
            inside = (batch.exchange == 0) & (batch.example >= 0) & (batch.logical > 0)
            batch = replace(batch, ids=torch.where(inside, 1, batch.ids + 2))
            ahead = visible(batch, window, image_id).triu(1)
            assert not (ahead & ~(inside[:, None, :, None] & inside[:, None, None])).any()
        mask = visible(batch, window, image_id)
        blocks = block_mask(batch, window, image_id, block=16)
        rows, columns = batch.ids.shape
        at = torch.arange(columns)
        made = torch.stack(
            [
                blocks.mask_mod(torch.tensor(row), torch.tensor(0), at[:, None], at[None])
                for row in range(rows)
            ]
        )
        assert torch.equal(made, mask[:, 0])
        same_blocks(blocks, columns, rows)


def same_blocks(blocks: Any, columns: int, rows: int) -> None:
    """As the library makes them of the whole mask."""
    import torch
    from torch.nn.attention.flex_attention import create_block_mask

    wanted = create_block_mask(
        blocks.mask_mod, rows, None, columns, columns, device="cpu", BLOCK_SIZE=blocks.BLOCK_SIZE
    )
    for name in (
        "kv_num_blocks",
        "kv_indices",
        "full_kv_num_blocks",
        "full_kv_indices",
        "q_num_blocks",
        "q_indices",
    ):
        found, its = getattr(blocks, name), getattr(wanted, name)
        assert (found.dtype, found.shape) == (its.dtype, its.shape)
        assert torch.equal(found, its), name
    assert (blocks.seq_lengths, blocks.shape) == (wanted.seq_lengths, wanted.shape)


def test_a_block_mask_needs_no_mask_of_the_whole_row() -> None:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    from mht.model.block_mask import block_mask
    from mht.model.packing import pack

    largest = 0

    class Watched(TorchDispatchMode):
        def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal largest
            made = call(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor):
                largest = max(largest, made.numel())
            return made

    [batch] = pack(placed([(576, [60] * 10)] * 13), 16_384, share=True, several=True)
    columns = batch.ids.shape[1]
    assert columns > 15_000
    with Watched():
        blocks = block_mask(batch)
    assert blocks.sparsity() > 85
    assert largest < columns**2 / 1000


def test_examples_behind_each_other_fill_the_rows() -> None:
    from mht.model.packing import pack

    sizes = [(10, [5, 5])] * 7
    one = pack(placed(sizes), 60, share=True, several=True)
    assert [batch.examples for batch in one] == [3, 3, 1]
    assert [batch.ids.shape[0] for batch in one] == [1, 1, 1]
    beside = pack(placed(sizes), 60, share=True)
    assert [batch.ids.shape for batch in beside] == [(3, 20), (3, 20), (1, 20)]


def test_weights_and_wrong_answers_are_kept(family: Callable[[str], Family]) -> None:
    from mht.model.packing import pack

    one = family("llava")
    prepared = one.preparer.prepare(example(0, 2), rejected=True)
    (batch,) = pack([one.learner().place(prepared)], 4000, share=True)
    assert batch.names == ("0-0", "0-0", "0-1", "0-1")
    assert batch.rejected.tolist() == [False, True, False, True]
    assert batch.weights.tolist() == [1.0] * 4
    assert batch.to(batch.ids.device).names == batch.names


def test_images_of_different_sizes_come_together(family: Callable[[str], Family]) -> None:
    """Idefics3 cuts a larger picture in more tiles: the smaller one's are filled up as its processor does."""
    from mht.model.examples import Example
    from mht.model.packing import pack
    from tests.engines import tiny

    one = family("idefics3")
    examples = [Example(f"{side}", tiny.png(side, side), example(side, 2).exchanges) for side in (56, 112)]
    prepared = [one.preparer.prepare(e) for e in examples]
    learner = one.learner().eval()
    (batch,) = pack([learner.place(p) for p in prepared], 4000, share=True)
    assert batch.pixels["pixel_values"].shape[:2] == (2, 5)
    import torch

    with torch.no_grad():
        together = dict(zip(batch.names, learner(batch).sums.tolist(), strict=True))
        for p in prepared:
            (alone,) = pack([learner.place(p)], 4000, share=True)
            for name, loss in zip(alone.names, learner(alone).sums.tolist(), strict=True):
                assert together[name] == pytest.approx(loss, rel=1e-5)
