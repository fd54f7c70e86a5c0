"""Operations a token by the parameters of the language model's layers, against the device's peak."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.model.ranks import Ranks
from mht.training.utilisation import Arithmetic, memory_bytes, peak
from tests.training import ranked


def test_a_cpu_has_no_known_peak_and_memory_is_the_process_s() -> None:
    assert peak(ranked.CPU) is None
    assert 100 << 20 < memory_bytes(ranked.CPU) < 1 << 36


@pytest.mark.parametrize(("words", "times"), [(["method=full"], 6), ([], 4)])
def test_operations_a_token(llava: Path, words: list[str], times: int) -> None:
    """Two tiny layers: four projections of attention, three of the MLP, two norms."""
    trainee = ranked.trainee_of(ranked.config_of(llava, *words), Ranks())
    hidden, kv, wide = 64, 32, 128
    layer = 2 * hidden * hidden + 2 * hidden * kv + 3 * hidden * wide + 2 * hidden
    adapters = 16 * (2 * (hidden + hidden) + 2 * (hidden + kv) + 3 * (hidden + wide))
    found = Arithmetic(trainee.learner, ranked.CPU)
    found._peak = 1e12
    more = 0 if words else 6 * adapters
    assert found.share(1e4, devices=2) == pytest.approx(2 * (times * layer + more) * 1e4 / 2e12)
