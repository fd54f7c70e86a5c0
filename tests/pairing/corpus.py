"""A small corpus with skewed frequencies and sides, drawn from a seed: what a real collection looks like."""

from __future__ import annotations

import random
from functools import cache

from mht import catalog
from mht.knowledge.facts import read_facts
from mht.pairing.context import perturbation
from mht.pairing.params import PairingParams
from mht.pairing.premises import PremiseTable
from mht.pairing.twins import PairingContext, make_pairs
from mht.phantoms.caption import caption_rng, describe
from mht.phantoms.scene import KINDS, Scene, draw_scene
from mht.records import Pair, Reading

FINDINGS = (
    "pleural effusion", "pneumothorax", "consolidation", "atelectasis", "rib fracture", "lung nodule", "emphysema",
    "pleural thickening", "bronchiectasis", "lung mass",
)  # fmt: skip
GRADES = ("small", "large", "mild", "severe")


def caption(rng: random.Random) -> str:
    """One or two findings, the frequent ones mostly on the right and small, and two or three denials."""
    order = sorted(FINDINGS, key=lambda f: rng.random() ** (1 + 0.5 * FINDINGS.index(f)), reverse=True)
    shown, denied = order[: rng.choice((1, 2))], order[2 : 2 + rng.choice((2, 3, 4))]
    sentences = [rng.choice(("Chest radiograph.", "CT of the chest."))]
    for finding in shown:
        side = "right" if rng.random() < 0.6 + 0.04 * FINDINGS.index(finding) else "left"
        grade = rng.choices(GRADES, (6, 2, 5, 1))[0]
        sentences.append(f"There is a {grade} {side}-sided {finding}.")
    sentences.append(f"No {', '.join(denied[:-1])} or {denied[-1]}.")
    return " ".join(sentences)


def readings(n: int, seed: int) -> list[tuple[str, Reading]]:
    """Image ids with the readings of their captions."""
    rng = random.Random(seed)
    return [(f"img{i:05d}", read_facts(caption(rng))) for i in range(n)]


def context(corpus: list[tuple[str, Reading]], seed: int = 1, **params: object) -> PairingContext:
    """All perturbations and checks with their defaults, over the corpus's own table."""
    table = PremiseTable()
    for _, reading in corpus:
        table.add(reading)
    settings = PairingParams(**params)
    plugins = [(name, catalog.load("perturbations", name)) for name in catalog.names("perturbations")]
    return PairingContext(
        seed=seed,
        params=settings,
        perturbations=tuple(
            perturbation(name, module, module.Params(), settings.draws_per_fact) for name, module in plugins
        ),
        checks=tuple((name, catalog.load("checks", name).judge) for name in catalog.names("checks")),
        table=table,
    )


@cache
def pairs_of_phantoms(n: int = 40, seed: int = 3) -> tuple[Pair, ...]:
    """The pairs of some phantoms, twins side by side, faithful first."""
    return tuple(pair for _, pairs in read_pairs(n, seed) for pair in pairs)


@cache
def read_pairs(n: int = 40, seed: int = 3) -> tuple[tuple[Reading, tuple[Pair, ...]], ...]:
    """The readings of some phantoms with their pairs."""
    corpus = [row for _, row in phantoms(n, seed)]
    known = context(corpus)
    return tuple((reading, make_pairs(name, "train", reading, known).pairs) for name, reading in corpus)


def phantoms(n: int, seed: int) -> list[tuple[Scene, tuple[str, Reading]]]:
    """`n` scenes of each kind, with image ids and the readings of their captions."""
    scenes = (draw_scene(kind, index, seed) for index in range(n) for kind in KINDS)
    return [(s, (f"{s.kind}{s.index}", read_facts(describe(s, caption_rng(s))))) for s in scenes]
