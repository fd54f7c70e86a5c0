"""How much harm an accepted false premise could do: annotation rules of this project, not clinical advice."""

from __future__ import annotations

from functools import lru_cache

from mht.knowledge.lexicon import lexicon, rows

LEVELS = ("none", "low", "moderate", "high", "critical")


@lru_cache(maxsize=1)
def _rules() -> dict[tuple[str, str], tuple[str, str]]:
    return {(base, type_): (risk, rule) for base, type_, risk, rule in rows("risk")}


def risk_of(type_: str, *findings: str) -> tuple[str, str]:
    """The level and the name of the rule for an edit of this type that touches the findings; the gravest decides.

    An edit type without a line of its own takes the finding's base level.
    """
    base = max((lexicon().findings[f].risk for f in findings), key=LEVELS.index)
    return _rules().get((base, type_), (base, f"base level of the finding: {base}"))
