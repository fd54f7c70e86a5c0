"""One step: the same loss and gradient however examples are packed and divided, with ranks that have nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mht.errors import Diverged
from mht.model.packing import pack
from mht.model.ranks import Ranks
from mht.training.preparation import Tokeniser
from tests.model.processes import in_ranks
from tests.training import ranked

LORA = ["lora.dropout=0"]
PROJECTOR = [*LORA, "projector=trained"]
FULL = ["method=full", "vision=trained", "optimizer.learning_rate=1e-3"]


def alone(model: Path, words: list[str], text_only: list[int], budget: int = 4096) -> dict[str, Any]:
    return ranked.steps(str(model), [*words, f"run.batch_tokens={budget}"], [list(range(6))], text_only)


def same(found: dict[str, Any], wanted: dict[str, Any], tolerance: float = 1e-5) -> None:
    for one, other in zip(found["steps"], wanted["steps"], strict=True):
        assert one.loss == pytest.approx(other.loss, rel=tolerance)
        assert one.norm == pytest.approx(other.norm, rel=1e-4)
        assert (one.images, one.exchanges, one.learnt) == (other.images, other.exchanges, other.learnt)
        assert (one.margin is None) == (other.margin is None)
        assert one.margin is None or one.margin == pytest.approx(other.margin, rel=1e-3, abs=1e-4)
        assert one.preferred == other.preferred
    assert found["values"] == pytest.approx(wanted["values"], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("words", [LORA, FULL], ids=["lora", "full"])
def test_packing_changes_neither_loss_nor_gradient(llava: Path, words: list[str]) -> None:
    wanted = alone(llava, words, text_only=[1])
    assert wanted["steps"][0].loss > wanted["steps"][2].loss
    same(alone(llava, words, text_only=[1], budget=40), wanted)


def test_padding_is_no_token_that_was_learnt_from(llava: Path) -> None:
    """Whatever stands beside each other in a batch: a padded run has no better speed or utilisation for it."""
    trainee = ranked.trainee_of(ranked.config_of(llava, *LORA), Ranks())
    prepared = Tokeniser(trainee.speech, trainee.chat).prepare(ranked.examples(6))
    for share in (True, False):
        batches = pack([trainee.learner.place(one) for one in prepared], 1 << 20, share)
        stepped = trainee.stepper.step(batches, trainee.spare, stop=False)
        again = 0 if share else sum(len(one.prefix) * (len(one.suffixes) - 1) for one in prepared)
        assert stepped.tokens == sum(one.tokens for one in prepared) + again
        padded = sum(batch.tokens for batch in batches)
        assert stepped.tokens < padded if share else stepped.tokens == padded, (
            "rows of one pair are as long here"
        )


@pytest.mark.parametrize("words", [LORA, [*LORA, "preference.beta=0.3"]], ids=["answers", "preference"])
@pytest.mark.parametrize("share", [True, False])
def test_an_example_that_was_divided_is_one_image(llava: Path, words: list[str], share: bool) -> None:
    trainee = ranked.trainee_of(ranked.config_of(llava, *words), Ranks())
    prepared = Tokeniser(trainee.speech, trainee.chat).prepare(ranked.examples(6))
    longest = max(len(one.prefix) + len(suffix.ids) for one in prepared for suffix in one.suffixes)
    batches = pack([trainee.learner.place(one) for one in prepared], longest, share)
    assert sum(batch.examples for batch in batches) > 6
    stepped = trainee.stepper.step(batches, trainee.spare, stop=False)
    assert (stepped.images, stepped.exchanges) == (6, 12)


@pytest.mark.parametrize(
    "words",
    [LORA, PROJECTOR, FULL, [*PROJECTOR, "preference.beta=0.3"]],
    ids=["lora", "projector", "full", "preference"],
)
def test_dividing_among_ranks_changes_neither(llava: Path, words: list[str]) -> None:
    """The second rank has more passes, and one of them without an image where the first has one with."""
    wanted = alone(llava, words, text_only=[4, 5])
    few = [*words, "run.batch_tokens=60"]
    found = in_ranks(2, ranked.steps, str(llava), few, [[0, 2], [4, 1, 3, 5]], [4, 5])
    same(found[0], wanted)
    same(found[1], wanted)
    assert [step.stop for step in found[0]["steps"]] == [True] * 3, "one rank was asked to stop, and all know"


def test_a_rank_may_have_nothing_to_learn(llava: Path) -> None:
    found = in_ranks(2, ranked.steps, str(llava), LORA, [list(range(6)), []], [])
    same(found[1], alone(llava, LORA, text_only=[]))


def test_layers_that_are_computed_twice_give_the_same(llava: Path) -> None:
    words = [*LORA, "run.activation_checkpointing=true"]
    wanted = alone(llava, LORA, text_only=[])
    same(alone(llava, words, text_only=[]), wanted)
    same(in_ranks(2, ranked.steps, str(llava), words, [[0, 1], [2, 3, 4, 5]], [])[0], wanted)


def test_weights_and_rejected_answers_count_as_they_should(llava: Path) -> None:
    """The loss is the mean over learnt tokens of right answers, each weighted as its exchange."""
    import torch

    trainee = ranked.trainee_of(ranked.config_of(llava, *LORA, "preference.sft_weight=1"), Ranks())
    prepared = Tokeniser(trainee.speech, trainee.chat).prepare(ranked.examples(3))
    above = below = 0.0
    for batch in trainee.batches(prepared):
        with torch.no_grad():
            losses = trainee.learner.eval()(batch)
        right = ~batch.rejected
        above += float((losses.sums * batch.weights)[right].sum())
        below += float((losses.counts * batch.weights)[right].sum())
    stepped = trainee.stepper.step(trainee.batches(prepared), trainee.spare, stop=False)
    # Before the first step the model is its own reference: each pair costs log 2.
    assert stepped.loss == pytest.approx(above / below + 0.6931472, rel=1e-5)
    assert stepped.exchanges == 6, "wrong answers are not counted"
    assert (stepped.margin, stepped.preferred) == (0.0, 0.0)


def test_preference_has_the_gradient_of_its_loss(llava: Path) -> None:
    """Against the formula written out, with all answers in one graph."""
    import torch

    config = ranked.config_of(
        llava, *LORA, "preference.beta=0.5", "preference.sft_weight=0", "optimizer.clip_norm=1e9"
    )
    trainee = ranked.trainee_of(config, Ranks())
    prepared = Tokeniser(trainee.speech, trainee.chat).prepare(ranked.examples(4))
    [batch] = trainee.batches(prepared)
    trainee.stepper.step([batch], trainee.spare, stop=False)  # away from the reference
    learner = trainee.learner.eval()
    with torch.no_grad(), trainee.base.disable_adapter():
        before = learner(batch).sums
    fewer = before - learner(batch).sums
    at = {
        (name, bool(wrong)): i
        for i, (name, wrong) in enumerate(zip(batch.names, batch.rejected, strict=True))
    }
    losses, weights, margins = [], [], []
    for (name, wrong), place in at.items():
        if not wrong:
            margins.append(fewer[place] - fewer[at[name, True]])
            losses.append(-torch.nn.functional.logsigmoid(0.5 * margins[-1]))
            weights.append(batch.weights[place])
    shares = torch.stack(weights) / torch.stack(weights).sum()
    loss = (torch.stack(losses) * shares).sum()
    learner.zero_grad()
    loss.backward()
    wanted = torch.stack([p.grad.norm() for p in learner.parameters() if p.grad is not None]).norm()
    stepped = trainee.stepper.step([batch], trainee.spare, stop=False)
    assert stepped.loss == pytest.approx(float(loss.detach()), rel=1e-5)
    assert stepped.norm == pytest.approx(float(wanted), rel=1e-4)
    margin = torch.stack(margins).detach()
    assert stepped.margin == pytest.approx(float((margin * shares).sum()), rel=1e-4)
    assert stepped.preferred == pytest.approx(float(shares[margin > 0].sum()), rel=1e-6)
    assert stepped.margin > 0


def test_full_training_by_preference_keeps_the_model_before(llava: Path) -> None:
    words = ["method=full", "preference.beta=0.5", "preference.sft_weight=0", "optimizer.learning_rate=1e-3"]
    first, *_, last = alone(llava, words, text_only=[])["steps"]
    assert first.loss == pytest.approx(0.6931472, rel=1e-5)
    assert last.loss < first.loss


def test_a_loss_that_is_no_number_ends_it(llava: Path) -> None:
    import torch

    trainee = ranked.trainee_of(ranked.config_of(llava, *LORA), Ranks())
    before = [p.detach().clone() for p in trainee.learner.parameters() if p.requires_grad]
    prepared = Tokeniser(trainee.speech, trainee.chat).prepare(ranked.examples(1))
    with torch.no_grad():
        next(p for n, p in trainee.learner.named_parameters() if "embed_tokens" in n).fill_(float("nan"))
    with pytest.raises(Diverged, match="loss nan"):
        trainee.stepper.step(trainee.batches(prepared), trainee.spare, stop=False)
    after = [p for p in trainee.learner.parameters() if p.requires_grad]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
