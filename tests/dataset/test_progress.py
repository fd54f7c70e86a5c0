"""What a person sees: one live line, plain lines without a terminal."""

import io

from mht.dataset.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def run(stream: io.StringIO, on: bool = True) -> str:
    clock = Clock()
    line = ProgressLine(stream, clock, on)
    line.stage("pairs", 1000, 200)
    for second in range(0, 31):
        clock.now_s = float(second)
        line.show(second * 20, second * 200, second)
    line.clear()
    return stream.getvalue()


def test_a_terminal_has_one_line_that_is_drawn_again() -> None:
    text = run(Terminal())
    assert "\n" not in text
    assert "800 / 1,000 images  20/s  6,000 pairs  30 quarantined  ETA 0:10" in text
    assert text.endswith("\r")


def test_elsewhere_there_are_plain_lines_now_and_then() -> None:
    lines = run(io.StringIO()).splitlines()
    assert len(lines) == 3
    assert lines[-1].startswith("pairs ")
    assert "\r" not in "".join(lines)


def test_silence_can_be_had() -> None:
    assert run(io.StringIO(), on=False) == ""


def test_a_stage_that_asks_a_model_shows_its_tokens_and_what_waits() -> None:
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, clock)
    line.stage("describe", 200, 40)
    line.show(0, 0, 0)
    clock.now_s = 10.0
    line.show(25, 0, 0, tokens=3_000, waiting=103)
    assert "describe  65 / 200 images  2.5/s  300 tokens/s  103 waiting  ETA 0:54" in stream.getvalue()
