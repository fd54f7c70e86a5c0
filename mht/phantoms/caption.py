"""Captions: short reports that say only what is true of the scene, in varied words, with what each sentence says."""

from __future__ import annotations

import random
from dataclasses import dataclass

from mht.phantoms import phrase
from mht.phantoms.phrase import Clause, Speaker, Style
from mht.phantoms.remark import remarks
from mht.phantoms.scene import Entity, Scene, kind_module, pick_weighted
from mht.phantoms.wording import Wording

_DENIALS = (
    "No {x}.",
    "No {x}.",
    "No {x}.",
    "There is no {x}.",
    "There is no evidence of {x}.",
    "No evidence of {x}.",
    "No {x} is seen.",
    "No {x} is identified.",
    "No {x} is present.",
    "No visible {x}.",
    "Negative for {x}.",
)
_PLURAL_DENIALS = (
    "No {x}.",
    "No {x}.",
    "There are no {x}.",
    "No evidence of {x}.",
    "No {x} are seen.",
    "No {x} are identified.",
    "No {x} are present.",
    "No visible {x}.",
    "Negative for {x}.",
)
_TERSE_DENIALS = ("No {x}.", "No {x}.", "No evidence of {x}.", "Negative for {x}.")


@dataclass(frozen=True, slots=True)
class Statement:
    """What one piece of a caption says; `start` and `end` are the sentence's character offsets.

    A detail is None where the caption does not give it, though the scene may hold one; `attributes` are those of
    the entity's that the sentence gives. `named` is False where the sentence says it in other words: "the heart is
    enlarged", "the lungs are clear".
    """

    finding: str
    presence: str
    side: str | None
    site: str | None
    severity: str | None
    size_mm: float | None
    count: int | None
    named: bool
    start: int
    end: int
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Narrative:
    """A caption with its statements in the order of the text."""

    text: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    shown: tuple[tuple[Entity, frozenset[str]], ...] = ()
    denied: tuple[str, ...] = ()
    remarks: tuple[_Sentence, ...] = ()


def describe(scene: Scene, rng: random.Random) -> str:
    """The caption of a scene, two to six sentences and now and then a remark on one."""
    return narrate(scene, rng).text


def caption_rng(scene: Scene) -> random.Random:
    """The generator of the scene's own caption, as the phantom source gives it."""
    return scene.rng("caption")


def narrate(scene: Scene, rng: random.Random) -> Narrative:
    """The caption of a scene and the statements that it makes."""
    wording: Wording = kind_module(scene.kind, "wording").WORDING
    style = Style(terse=rng.random() < 0.25, abbreviated=rng.random() < 0.2, british=rng.random() < 0.1)
    speaker = Speaker(wording, style, rng)
    shown = _shown(speaker, scene.present)
    wanted = max(rng.choice((3, 4, 4, 5, 5, 6)), len(scene.present) + 1)
    body = [*shown, *_denials(speaker, scene.absent, max(1, wanted - len(scene.present)))]
    if rng.random() < 0.4:
        rng.shuffle(body)
    if not style.terse or rng.random() < 0.3 or len(body) == 1:
        openers = wording.openers.get(" ".join(scene.attributes) or scene.view) or wording.openers[None]
        body.insert(0, _Sentence(rng.choice(openers)))
    return _assemble([one for told in body for one in (told, *told.remarks)], wording, style)


def _shown(speaker: Speaker, present: tuple[Entity, ...]) -> list[_Sentence]:
    entities = list(present)
    speaker.rng.shuffle(entities)
    out: list[_Sentence] = []
    while entities:
        entity = entities.pop()
        joined = speaker.rng.random() < (0.18 if len(entities) < 3 else 0.5)
        if joined and entities and speaker.has_clause(entity) and speaker.has_clause(entities[-1]):
            other = entities.pop()
            text, one, two = speaker.pair(entity, other)
            after = (*_remarks(speaker, entity, one), *_remarks(speaker, other, two))
            out.append(_Sentence(text, ((entity, one.said), (other, two.said)), (), after))
            continue
        words = speaker.sentence(entity)
        out.append(_Sentence(words.text, ((entity, words.said),), (), _remarks(speaker, entity, words)))
    return out


def _remarks(speaker: Speaker, entity: Entity, words: Clause) -> tuple[_Sentence, ...]:
    told = remarks(speaker, entity, words.said)
    return tuple(_Sentence(one.text, ((entity, one.said),)) for one in told)


def _denials(speaker: Speaker, findings: tuple[str, ...], wanted: int) -> list[_Sentence]:
    """Sentences that deny about `wanted` findings, each finding once."""
    absent = set(findings)
    out: list[_Sentence] = []
    for chance in (0.6, 0.3):
        normal = [one for one in speaker.wording.normal if absent.issuperset(one[1])]
        if wanted > 0 and normal and speaker.rng.random() < chance:
            text, denied = speaker.rng.choice(normal)
            out.append(_Sentence(text, denied=denied))
            absent.difference_update(denied)
            wanted -= 1
    pool = {name: weight for name, weight in speaker.wording.deniable.items() if name in absent}
    while wanted > 0 and pool:
        group = [
            _take(pool, speaker.rng)
            for _ in range(min(wanted, speaker.rng.choice((1, 1, 2, 2, 3)), len(pool)))
        ]
        wanted -= len(group)
        out.append(_denial(speaker, group))
    return out


def _take(pool: dict[str, float], rng: random.Random) -> str:
    name = pick_weighted(rng, pool)
    del pool[name]
    return name


def _denial(speaker: Speaker, group: list[str]) -> _Sentence:
    """One denial of one to three findings; what is counted in a field is denied in the plural ("no blasts")."""
    names, plural = [], False
    for finding in group:
        noun = speaker.name(finding, "denied")
        plural = not noun.article or (speaker.wording.denies_in_plural and noun.plural is not None)
        names.append(noun.plural if plural and noun.plural else noun.text)
    frames = _TERSE_DENIALS if speaker.style.terse else _PLURAL_DENIALS if plural else _DENIALS
    return _Sentence(speaker.rng.choice(frames).format(x=phrase.join_or(names)), denied=tuple(group))


def _assemble(body: list[_Sentence], wording: Wording, style: Style) -> Narrative:
    statements: list[Statement] = []
    pieces: list[str] = []
    at = 0
    for one in body:
        text = phrase.spell(one.text, style)
        end = at + len(text)
        statements += [
            _present(entity, said, phrase.names(one.text, entity.finding, wording), at, end)
            for entity, said in one.shown
        ]
        statements += [
            Statement(
                name, "absent", None, None, None, None, None, phrase.names(one.text, name, wording), at, end
            )
            for name in one.denied
        ]
        pieces.append(text)
        at = end + 1
    return Narrative(" ".join(pieces), tuple(statements))


def _present(entity: Entity, said: frozenset[str], named: bool, start: int, end: int) -> Statement:
    return Statement(
        entity.finding,
        "present",
        entity.side if "side" in said else None,
        entity.site if "site" in said else None,
        entity.severity if "severity" in said else None,
        entity.size_mm if "size_mm" in said else None,
        entity.count if "count" in said else None,
        named,
        start,
        end,
        tuple(term for term in entity.attributes if term in said),
    )
