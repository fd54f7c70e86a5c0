"""A decoding child that misbehaves on request: what the first word of an "image" says, it does.

Started as `python -m tests.imaging.fake_child <settings>`; it speaks the real protocol through the real
modules.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

from mht.imaging import child
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, Reason, Refusal


def misbehave(data: bytes, params: ImagingParams) -> NormalisedImage | Refusal:
    """Obeys; anything that is no order comes back as a refusal that quotes it."""
    order, _, rest = data.partition(b" ")
    if order == b"once":  # the first time only: the file says whether it was
        place, _, order = rest.partition(b" ")
        marker = Path(os.fsdecode(place))
        if marker.exists():
            return Refusal(Reason.CORRUPT, "came back")
        marker.touch()
    act = ORDERS.get(order)
    if act is not None:
        act()
    return Refusal(Reason.CORRUPT, data.decode())


def _hang() -> None:
    """In native code, with the interpreter's lock held: no Python thread of this process runs any more."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    re.match(r"(a+)+$", "a" * 60 + "b")


def _out_of_memory() -> None:
    raise MemoryError


def _say(line: bytes) -> None:
    os.write(1, line)


def _close_pipe() -> None:
    os.close(1)
    time.sleep(600)


ORDERS = {
    b"segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    b"exit": lambda: os._exit(0),
    b"hang": _hang,
    b"oom": _out_of_memory,
    b"close": _close_pipe,
    b"babble": lambda: _say(b"\xff\xfe this is no JSON\n"),
    b"flood": lambda: _say(b"x" * 60_000),
    b"nonsense": lambda: _say(b'{"index": 0}\n'),
    b"other": lambda: _say(b"[7,10,0]\n"),
    b"long": lambda: _say(b"[0,4096,999999999]\n"),
    b"negative": lambda: _say(b"[0,-1,-1]\n"),
    b"hollow": lambda: _say(b"[0,40,40]\n"),
    b"raise": lambda: (_ for _ in ()).throw(LookupError("unforeseen")),
}

if __name__ == "__main__":
    child.serve(child.prepare(sys.argv[1]), misbehave)
