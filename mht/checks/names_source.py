"""Does the answer speak of the image, and not of the text that it was made from?"""

from __future__ import annotations

import re

from mht.records import Pair, Reading

_SOURCE = re.compile(
    r"\b(?:captions?|annotations?|metadata|labels?|ground truth|the (?:given|provided) (?:text|information|context)"
    r"|according to the (?:text|description)|as (?:stated|mentioned|described) in)\b",
    re.IGNORECASE,
)


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`names_source` for an answer, right or rejected, that gives away where its knowledge is from."""
    return "names_source" if _SOURCE.search(pair.answer) or _SOURCE.search(pair.rejected) else None
