"""What a question or an answer claims, read as a caption is read."""

from __future__ import annotations

import re
from functools import lru_cache

from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import is_study
from mht.knowledge.spelling import normal_words
from mht.knowledge.vocabulary import find
from mht.records import Fact

_LENGTH = re.compile(r"\d [mc]m")
_IDLE = frozenset({"with", "skip"})  # cues that open a statement or say nothing


@lru_cache(maxsize=1 << 13)
def mentioned(text: str) -> frozenset[str]:
    """The findings that a text names, whatever it says of them: a quarter of the work of `claims`."""
    return frozenset(match.value for match in find(normal_words(text)) if match.kind == "finding")


@lru_cache(maxsize=1 << 14)
def claims(text: str) -> tuple[Fact, ...]:
    """The facts of the text; a mention of the image's kind counts only where nothing else is claimed."""
    facts = read_facts(text).facts
    return tuple(f for f in facts if not is_study(f.finding)) or facts
