"""The race on a few questions: every contestant says the same, and the ratios are those of what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.evaluate import EIGHT, ENGINE, LONG, ONE, OURS, SHORT, Runs, lines, race, ratio, same


@pytest.mark.parametrize("ends", [LONG, SHORT])
def test_contestants_say_the_same(ends: int, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    runs = race(tmp_path, images=2, per_image=4, repeats=1, ends=ends)
    torch.set_num_threads(threads)
    assert list(runs) == [ONE, EIGHT, ENGINE, OURS]
    texts = runs[ONE].texts
    assert len(texts) == 8
    assert None not in texts
    assert len(set(texts)) > 2
    assert all(one.texts == texts for one in runs.values())
    assert all(len(one.rates) == len(one.cpu_ms) == 1 for one in runs.values())
    told = lines("few", runs)
    assert [line[1] for line in told] == list(runs)
    assert all(line[-1] == "8 of 8" for line in told)


def test_ratios_are_of_medians_and_a_difference_is_told() -> None:
    slow, fast = Runs(["a", None]), Runs(["a", "b"])
    for wall_s, cpu_s in ((2.0, 1.0), (4.0, 2.0), (100.0, 3.0)):
        slow.add(2, wall_s, cpu_s)
    for _ in range(3):
        fast.add(2, 1.0, 1.0)
    assert ratio({"slow": slow, "fast": fast}, "fast", "slow") == pytest.approx(4)
    assert ratio({"slow": slow, "fast": fast}, "fast", "slow", cpu=True) == pytest.approx(2)
    assert same(fast.texts, slow.texts) == "1 of 2"
