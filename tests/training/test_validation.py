"""Held-out loss is that of separate rows; answers are the engine's own, on one rank and on two."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.engines.transformers import Engine, Params
from mht.generation import Failure, Reply, Request
from mht.model.ranks import Ranks
from mht.training.answers import Answers, measured, predicted
from mht.training.shards import HeldOut
from mht.training.validation import Validation
from tests.engines import tiny
from tests.model.processes import in_ranks
from tests.training import ranked


def on_and_on(validation: Validation) -> dict[str, float]:
    found = validation(lambda share: False)
    assert found is not None
    return found


def test_the_loss_is_the_mean_over_the_rows_tokens(llava: Path) -> None:
    rows = ranked.held_out()
    trainee = ranked.trainee_of(ranked.config_of(llava, "run.batch_tokens=50"), Ranks())
    above = below = 0.0
    for row in rows:
        one = Validation(trainee, [row], Ranks(), None)
        [batch] = one._batches
        count = int(batch.targets.numel())
        above, below = above + on_and_on(one)["loss"] * count, below + count
    found = on_and_on(Validation(trainee, rows, Ranks(), None))
    assert found == {"loss": pytest.approx(above / below, rel=1e-5)}
    assert in_ranks(2, ranked.validated, str(llava))[1]["loss"] == pytest.approx(found["loss"], rel=1e-5)


def test_a_stop_is_heard_between_the_batches_by_all_ranks(llava: Path) -> None:
    [(found, shares)] = in_ranks(1, ranked.left, str(llava), 0.5)
    assert found is None
    assert shares[0] == 0.0
    assert shares[-2] < 0.5 <= shares[-1] < 1.0
    first, second = in_ranks(2, ranked.left, str(llava), 0.5)
    assert first == second
    assert first[0] is None


def test_what_is_measured_has_a_digest_of_its_own(llava: Path) -> None:
    """Of the rows, of those that are answered and of how long an answer may be."""
    rows = ranked.held_out()
    trainee = ranked.trainee_of(ranked.config_of(llava), Ranks())

    def of(many: int, asked: int | None = None, tokens: int = 8) -> str:
        answers = None if asked is None else Answers(trainee, rows[:asked], tokens, str(llava))
        return Validation(trainee, rows[:many], Ranks(), answers).rows

    every = [of(4), of(5), of(4, asked=2), of(4, asked=3), of(4, asked=3, tokens=9)]
    assert len(set(every)) == len(every)
    assert of(4, asked=3) == every[3]


@pytest.mark.parametrize("window", [None, 9])
def test_answers_are_the_engine_s(window: int | None, llava: Path, tmp_path: Path) -> None:
    """Whether the engine shares what questions begin with, or leaves them to the library's own generate."""
    model = llava if window is None else tiny.llava(tmp_path / "windowed", window=window)
    rows = ranked.held_out()
    requests = [Request(r.exchange.exchange_id, r.question, image=r.image, max_tokens=8) for r in rows]
    with Engine(Params(model=str(model))) as engine:
        assert engine.loaded.shares == (window is None)
        wanted = [(one.request_id, one.text, one.failure) for one in engine.generate(requests)]
    assert len({text for _, text, _ in wanted}) > 1
    for found in [ranked.answered(str(model)), *in_ranks(2, ranked.answered, str(model))]:
        assert found == wanted


def row(state: str, number: int) -> HeldOut:
    made = ranked.held_out()[number]
    return HeldOut(
        made.example_id, None, made.exchange, state=state, type="existence", form="yes_no", risk="low",
        polarity="yes" if state == "faithful" else "no", premise="There is an effusion.", twin_id="t",
    )  # fmt: skip


def test_the_metrics_of_the_premise_read_the_answers() -> None:
    twins = [row("faithful", 0), row("hallucinated", 1)]
    says_yes = [predicted(one, Reply("r", "Yes, there is an effusion.", None)) for one in twins]
    found = measured(says_yes)
    assert found["false_premise"] == 1.0
    assert found["polarity"] == 0.5
    right = [predicted(twins[0], Reply("r", "Yes.", None)), predicted(twins[1], Reply("r", "No.", None))]
    assert measured(right)["false_premise"] == 0.0
    assert measured(right)["polarity"] == 1.0


def test_a_failed_answer_is_no_answer() -> None:
    failed = predicted(row("hallucinated", 1), Reply("r", None, Failure.CUT_SHORT, "no end"))
    assert (failed.reply, failed.failure) == (None, "cut_short")
    assert measured([failed]) == {}


def test_several_turns_are_not_asked(llava: Path) -> None:
    trainee = ranked.trainee_of(ranked.config_of(llava), Ranks())
    made = ranked.held_out()[0]
    longer = HeldOut("x", made.image, type(made.exchange)("x", made.exchange.turns * 2))
    assert Answers(trainee, [longer], 8, str(llava))() == {}
