"""Does the answer speak of the image, and not of the text that it was made from?"""

from __future__ import annotations

from mht.records import Pair, Reading

_SOURCE = ("caption", "annotation", "annotated", "metadata", "label", "ground truth", "according to the", "given text",
           "provided text", "the description says", "as stated in", "as mentioned in", "as described in")  # fmt: skip


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`names_source` for an answer, right or rejected, that gives away where its knowledge is from."""
    said = f"{pair.answer}\n{pair.rejected}".casefold()
    return "names_source" if any(words in said for words in _SOURCE) else None
