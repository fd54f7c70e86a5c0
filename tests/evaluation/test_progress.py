"""The live line of an evaluation."""

from __future__ import annotations

import io

from mht.evaluation.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_tells_questions_speed_and_how_long_it_takes_yet() -> None:
    screen, now = Terminal(), [0.0]
    line = ProgressLine(screen, lambda: now[0])
    line.begin(1000, 200)
    line.show(0, 0, 16)
    now[0] = 10.0
    line.show(100, 2500, 12)
    assert screen.getvalue().endswith(
        "answers  300 / 1,000 questions  10.0/s  250 tokens/s  12 waiting  ETA 1:10"
    )
    line.say("a line")
    assert "a line" in screen.getvalue()


def test_off_it_says_nothing() -> None:
    screen = Terminal()
    line = ProgressLine(screen, on=False)
    line.begin(10, 0)
    line.show(1, 1, 1)
    line.say("a line")
    assert screen.getvalue() == ""
