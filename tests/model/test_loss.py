"""The loss by chunks is the loss, and the logits of all tokens are never there at once."""

from __future__ import annotations

import pytest

TOKENS, WIDTH, WORDS = 50, 8, 31


@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_value_and_gradient_are_those_of_the_whole(chunk: int) -> None:
    import torch

    from mht.model.loss import token_losses

    torch.manual_seed(0)
    head = torch.nn.Linear(WIDTH, WORDS)
    hidden = torch.randn(TOKENS, WIDTH, requires_grad=True)
    targets = torch.randint(WORDS, (TOKENS,))
    weights = torch.rand(TOKENS)
    seen: list[int] = []

    def watched(rows: torch.Tensor) -> torch.Tensor:
        seen.append(len(rows))
        return torch.nn.functional.linear(rows, head.weight, head.bias)

    def taken(losses: torch.Tensor) -> list[torch.Tensor]:
        (losses * weights).sum().backward()
        grads = [hidden.grad, head.weight.grad, head.bias.grad]
        hidden.grad = head.weight.grad = head.bias.grad = None
        return [losses.detach(), *[grad for grad in grads if grad is not None]]

    found = taken(token_losses(hidden, watched, targets, chunk))
    # All but the last chunk are computed twice, and in the order that frees one before the next is there.
    chunks = [min(chunk, TOKENS - start) for start in range(0, TOKENS, chunk)]
    assert seen == chunks + chunks[-2::-1]
    wanted = taken(torch.nn.functional.cross_entropy(head(hidden), targets, reduction="none"))
    assert len(found) == len(wanted) == 4
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)
    assert max(seen) == min(chunk, TOKENS)


def test_nothing_to_learn_still_reaches_the_model() -> None:
    import torch

    from mht.model.loss import token_losses

    hidden = torch.randn(1, WIDTH, requires_grad=True)
    losses = token_losses(hidden, torch.nn.Linear(WIDTH, WORDS), torch.zeros(0, dtype=torch.long), 4)
    losses.sum().backward()
    assert losses.tolist() == [0.0]
    assert hidden.grad is not None
    assert not hidden.grad.any()
