"""WordNet 3.0 read by NLTK from any folder, Debian's too, which lacks NLTK's list of lexicographers' files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from mht.evaluation.metrics._library import library

# lexnames(5WN): the files by number; NLTK reads the second of three columns.
_LEXNAMES = (
    "adj: all pert",
    "adv: all",
    "noun: Tops act animal artifact attribute body cognition communication event feeling food group location",
    "noun: motive object person phenomenon plant possession process quantity relation shape state substance time",
    "verb: body change cognition communication competition consumption contact creation emotion motion",
    "verb: perception possession social stative weather",
    "adj: ppl",
)


def reader(folder: Path) -> Any:
    """NLTK's reader over a folder of WordNet files, which NLTK is told that it may read."""
    allowed = library("nltk", "meteor").data.path
    if str(folder) not in allowed:
        allowed.append(str(folder))
    base = library("nltk.corpus.reader.wordnet", "meteor").WordNetCorpusReader

    class Reader(base):  # type: ignore[misc, valid-type]
        def open(self, file: str) -> Any:
            if file == "lexnames":
                return io.StringIO("".join(f"{i:02d}\t{name}\t0\n" for i, name in enumerate(_lexnames())))
            return super().open(file)

        def map_wn(self, version: str = "wordnet") -> None:
            """The map to other versions, which only languages other than English need."""

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The multilingual functions")
        return Reader(str(folder), None)


def _lexnames() -> list[str]:
    parts = (line.split(": ") for line in _LEXNAMES)
    return [f"{part}.{name}" for part, names in parts for name in names.split()]
