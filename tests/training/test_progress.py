"""The live line of a training, with rates over the last half minute."""

from __future__ import annotations

import io
from dataclasses import replace

from mht.training.progress import Beat, ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def beat(step: int, utilisation: float | None = None) -> Beat:
    return Beat(step, 900, step // 300, 0.8123, 60 * step, 4000 * step, 5 << 30, utilisation)


def shown(*beats: tuple[float, Beat]) -> str:
    stream = Terminal()
    now = [0.0]
    line = ProgressLine(stream, lambda: now[0])
    for at_s, one in beats:
        now[0] = at_s
        line.show(one)
    return stream.getvalue().rpartition("\r")[2].rstrip()


def test_loss_rates_memory_and_what_is_left() -> None:
    assert shown((0.0, beat(300)), (10.0, beat(320, 0.41))) == (
        "train  320 / 900 steps  epoch 2  loss 0.8123  120.0 samples/s  8,000 tokens/s  5.0 GiB  MFU 41%  ETA 4:50"
    )


def test_before_the_second_beat_there_is_no_rate() -> None:
    assert shown((0.0, beat(1))) == "train  1 / 900 steps  epoch 1  loss 0.8123  5.0 GiB"


def test_rows_are_looked_at_first() -> None:
    looking = replace(beat(0), checked=120)
    assert shown((0.0, looking)) == "checking rows  120 / 900 steps"
    assert "6.0 samples/s" in shown((0.0, looking), (100.0, beat(1)), (110.0, beat(2)))


def test_held_out_rows_are_looked_at_between_steps() -> None:
    looking = replace(beat(320), validated=0.25)
    assert (
        shown((0.0, beat(300)), (10.0, beat(320)), (20.0, looking))
        == "train  320 / 900 steps  held-out rows 25%"
    )
    assert "6.0 samples/s" in shown((0.0, beat(1)), (5.0, looking), (10.0, beat(2)))


def test_a_resume_measures_anew() -> None:
    text = shown((0.0, beat(300)), (10.0, beat(320)), (40.0, beat(301)), (50.0, beat(311)))
    assert "60.0 samples/s" in text
