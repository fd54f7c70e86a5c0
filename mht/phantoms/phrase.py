"""How one finding is put into words: the noun, its side, site, grade and size, and a sentence around it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from mht.phantoms import attribute, template
from mht.phantoms.scene import Entity
from mht.phantoms.wording import Noun, Wording


@dataclass(frozen=True, slots=True)
class Style:
    """How this reader writes: in fragments, with abbreviations, with British spelling."""

    terse: bool
    abbreviated: bool
    british: bool


@dataclass(frozen=True, slots=True)
class Clause:
    """Words about one entity, with the details and the attributes that the words carry."""

    text: str
    plural: bool
    said: frozenset[str]


NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_BRITISH = (
    ("edema", "oedema"),
    ("hemorrhag", "haemorrhag"),
    ("hematoma", "haematoma"),
    ("ischemi", "ischaemi"),
)
_VOWEL_SOUNDS = (
    "8 ",
    "8.",
    "11 ",
    "18 ",
    "80 ",
    "RUL",
    "RML",
    "RLL",
    "LUL",
    "LLL",
    "ETT",
    "NGT",
    "SAH",
    "SDH",
    "EDH",
)

_SINGULAR_FRAMES = (
    "There is {np}.",
    "There is {np}.",
    "{np} is seen.",
    "{np} is noted.",
    "{np} is present.",
    "{np} is identified.",
    "{np} is visible.",
    "Note is made of {np}.",
    "The image shows {np}.",
)
_PLURAL_FRAMES = (
    "There are {np}.",
    "There are {np}.",
    "{np} are seen.",
    "{np} are noted.",
    "{np} are present.",
    "{np} are identified.",
    "{np} are visible.",
    "Note is made of {np}.",
    "The image shows {np}.",
)
_PAIR_FRAMES = ("There is {}, and also {}.", "{} is seen, as well as {}.", "{} is present, together with {}.")
_PLURAL_PAIR_FRAMES = ("The image shows {} and {}.", "{} and {} are seen.", "{} and {} are present.")


def upper_first(text: str) -> str:
    """The text with its first letter in capitals."""
    return text[:1].upper() + text[1:]


def join_or(names: list[str]) -> str:
    """'a', 'a or b', 'a, b or c'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def indefinite(text: str) -> str:
    """The text after 'a' or 'an', by its sound."""
    vowel = text[0] in "aeiou" or text.startswith(_VOWEL_SOUNDS)
    return f"{'an' if vowel and not text.startswith('uni') else 'a'} {text}"


def number_words(count: int) -> str:
    """'three', '14'."""
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)


def names(text: str, finding: str, wording: Wording) -> bool:
    """Whether one of the finding's names stands in the text."""
    lower = text.lower()
    short = wording.abbreviations.get(finding, "").lower()
    return any(noun.text.lower() in lower for noun in wording.nouns[finding]) or bool(
        short and short in lower
    )


def spell(text: str, style: Style) -> str:
    """American spelling as it stands in the tables, or British."""
    if style.british:
        for american, british in _BRITISH:
            text = text.replace(american, british).replace(upper_first(american), upper_first(british))
    return text


class Speaker:
    """One reader's voice: a wording, a style and the row's random numbers."""

    def __init__(self, wording: Wording, style: Style, rng: random.Random) -> None:
        self.wording = wording
        self.style = style
        self.rng = rng

    def name(self, finding: str, use: str) -> Noun:
        """One of the finding's names for `use`, "shown" or "denied"."""
        short = self.wording.abbreviations.get(finding)
        if short and self.style.abbreviated and self.rng.random() < 0.7:
            return Noun(short, plural=f"{short}s")
        return self.rng.choice([noun for noun in self.wording.nouns[finding] if noun.use in ("both", use)])

    def sentence(self, entity: Entity) -> Clause:
        """A whole sentence about the entity, with the details that it states."""
        texts = self.wording.sentences.get(entity.finding, ())
        fitting = [text for text in texts if template.fits(text, entity)]
        whole = fitting and not self.style.terse and self.rng.random() < 0.55
        if whole or not self.has_clause(entity):
            return self._fill(self.rng.choice(fitting), entity)
        fragment = self.style.terse or self.rng.random() < 0.12
        words = self._clause(entity, articled=not fragment)
        if fragment:
            return Clause(f"{upper_first(words.text)}.", words.plural, words.said)
        frame = self.rng.choice(_PLURAL_FRAMES if words.plural else _SINGULAR_FRAMES)
        return Clause(upper_first(frame.format(np=words.text)), words.plural, words.said)

    def has_clause(self, entity: Entity) -> bool:
        """Whether the finding goes into a noun phrase; if not, only its whole sentences say it well."""
        return any(noun.use != "denied" for noun in self.wording.nouns[entity.finding])

    def pair(self, first: Entity, second: Entity) -> tuple[str, Clause, Clause]:
        """Two findings in one sentence, each with its own side."""
        one = self._clause(first, articled=not self.style.terse)
        two = self._clause(second, articled=not self.style.terse)
        frame = "{} and {}."
        if not self.style.terse:
            frame = self.rng.choice(_PLURAL_PAIR_FRAMES if one.plural else _PAIR_FRAMES)
        return upper_first(frame.format(one.text, two.text)), one, two

    def _clause(self, entity: Entity, articled: bool) -> Clause:
        """A noun phrase, for instance "a small left apical pneumothorax measuring 17 mm"."""
        noun = self.name(entity.finding, "shown")
        many = noun.plural is not None and (entity.side == "bilateral" or (entity.count or 1) > 1)
        said: set[str] = set()
        before, after = self._place(entity, noun.plural is not None, said)
        size_before, size_after = self._size(entity, said)
        number = self._number(entity, noun, many, said)
        course, described = self._attributes(entity, said)
        grade = self._grade(entity, said)
        head = noun.plural if many and noun.plural else noun.text
        words = (number, course, grade, size_before, *described, before, head, after, size_after)
        text = " ".join(word for word in words if word)
        if articled and noun.article and noun.plural is not None and not many and number != "one":
            text = indefinite(text)
        return Clause(text, many or not noun.article, frozenset(said))

    def definite(self, entity: Entity) -> Clause:
        """The finding as one that has been spoken of: "the left pleural effusion"."""
        noun = self.name(entity.finding, "shown" if self.has_clause(entity) else "denied")
        many = noun.plural is not None and (entity.side == "bilateral" or (entity.count or 1) > 1)
        side, said = "", frozenset[str]()
        if entity.side and self.wording.organ is None and self.has_clause(entity) and self.rng.random() < 0.3:
            side, said = f"{entity.side} ", frozenset({"side"})
        name = noun.plural if many and noun.plural else noun.text
        return Clause(f"the {side}{name}", many or not noun.article, said)

    def _number(self, entity: Entity, noun: Noun, many: bool, said: set[str]) -> str:
        """The word for how many: none for some of those that stand alone."""
        if entity.count is None or noun.plural is None:
            return ""
        if many:
            return self._count_words(entity.count, said)
        if self.rng.random() >= 0.3:
            return ""
        said.add("count")
        return self.rng.choice(("single", "single", "solitary" if entity.size_mm else "one"))

    def _count_words(self, count: int, said: set[str]) -> str:
        """ "three"; of more than five also "multiple", which gives no number."""
        if count > 5 and self.rng.random() < 0.5:
            return self.rng.choice(("multiple", "numerous"))
        said.add("count")
        return number_words(count)

    def _grade(self, entity: Entity, said: set[str]) -> str:
        if not entity.severity or self.rng.random() >= 0.9:
            return ""
        said.add("severity")
        return entity.severity

    def _attributes(self, entity: Entity, said: set[str]) -> tuple[str, list[str]]:
        """The adjective for the change, and those for other attributes."""
        terms = attribute.some(entity, 0.45, self.rng)
        course = attribute.change(entity)
        if course is not None and self.rng.random() >= 0.45:
            course = None
        said.update(terms, (course,) if course else ())
        words = [attribute.adjective(term, self.rng) for term in terms]
        return attribute.adjective(course, self.rng) if course else "", words

    def _place(self, entity: Entity, countable: bool, said: set[str]) -> tuple[str, str]:
        """The words before and after the noun that say where."""
        if entity.site is None:
            return self._side_only(entity, countable, said)
        said.add("site")
        if self.wording.organ:
            return self._site_of_organ(entity, said)
        side = entity.side or ""
        said.update(("side",) if side else ())
        where = f"{side} {entity.site}".strip()
        short = self.wording.abbreviations.get(where)
        if short and self.style.abbreviated:
            return short, ""
        whole = self.wording.adjectives.get(where)
        words = self.wording.adjectives.get(entity.site)
        if whole or (words and self.rng.random() < 0.55):
            return self.rng.choice(
                whole
            ) if whole else f"{side} {self.rng.choice(words or ('',))}".strip(), ""
        return "", f"{self.wording.prepositions.get(entity.site, 'in the')} {where}"

    def _side_only(self, entity: Entity, countable: bool, said: set[str]) -> tuple[str, str]:
        side = entity.side
        if side is None or (side == "bilateral" and not countable and self.rng.random() < 0.55):
            return "", ""
        if self.wording.organ:
            return self._of_organ(side, "in", said)
        said.add("side")
        return (f"{side}-sided" if side != "bilateral" and self.rng.random() < 0.2 else side), ""

    def _site_of_organ(self, entity: Entity, said: set[str]) -> tuple[str, str]:
        site = entity.site or ""
        words = self.wording.adjectives.get(site)
        if words and self.rng.random() < 0.5:
            _, after = self._of_organ(entity.side, "in", said)
            return self.rng.choice(words), after
        _, after = self._of_organ(entity.side, "of", said)
        return "", f"{self.wording.prepositions.get(site, 'in the')} {site} {after}".strip()

    def _of_organ(self, side: str | None, preposition: str, said: set[str]) -> tuple[str, str]:
        if side is None or self.rng.random() < 0.5:
            return "", ""
        said.add("side")
        return "", f"{preposition} the {side} {self.wording.organ}"

    def _size(self, entity: Entity, said: set[str]) -> tuple[str, str]:
        if entity.size_mm is None or self.rng.random() < 0.15:
            return "", ""
        said.add("size_mm")
        words = self._size_words(entity.size_mm)
        if self.rng.random() < 0.5:
            return words, ""
        if entity.count is not None and entity.count > 1:
            return "", self.rng.choice((f"each measuring {words}", f"of {words} each"))
        return "", self.rng.choice(
            (f"measuring {words}", f"measuring {words} in size", f"({words})", f"of {words}")
        )

    def _size_words(self, size_mm: float) -> str:
        """Millimetres or, without loss, centimetres."""
        if size_mm >= 10 and self.rng.random() < 0.4:
            return f"{size_mm / 10:g} cm"
        return f"{size_mm:g} mm"

    def _fill(self, text: str, entity: Entity) -> Clause:
        grade = entity.severity or ""
        said = set(template.said(text)) - {"count"}
        filled = text.format(
            side=entity.side,
            site=entity.site,
            grade=grade,
            a_grade=indefinite(grade) if grade else "",
            adverb=template.ADVERBS.get(grade, ""),
            size=self._size_words(entity.size_mm) if entity.size_mm else "",
            count=self._count_words(entity.count, said) if "{count}" in text and entity.count else "",
        )
        return Clause(upper_first(filled), False, frozenset(said))
