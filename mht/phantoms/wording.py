"""What a kind of picture can be said with: the tables that each kind fills in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """A name of a finding; `plural` is None for what has none ("edema").

    `article` is False where none is put; `use` is "shown" or "denied" for a name that only goes with one of them.
    """

    text: str
    plural: str | None = None
    article: bool = True
    use: str = "both"


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything a kind can say.

    `openers` name the picture, by view. `sentences` are whole sentences for one finding; a slot in braces takes
    the entity's detail. `normal` are sentences that deny the findings beside them. `deniable` weighs what is
    denied by name. `adjectives` turn a site, or a side with a site, into words before the noun ("apical").
    `prepositions` default to "in the". `abbreviations` stand for a noun, or for a side with a site. `organ` is
    what has the side where the site itself has none ("macula of the left eye"). `denies_in_plural`: "no blasts".
    """

    openers: dict[str | None, tuple[str, ...]]
    nouns: dict[str, tuple[Noun, ...]]
    sentences: dict[str, tuple[str, ...]]
    normal: tuple[tuple[str, tuple[str, ...]], ...]
    deniable: dict[str, float]
    adjectives: dict[str, tuple[str, ...]]
    prepositions: dict[str, str]
    abbreviations: dict[str, str]
    organ: str | None = None
    denies_in_plural: bool = False
