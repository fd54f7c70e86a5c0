"""Claim: >= 99.5 % of faithful premises are true and of hallucinated ones false; every edit is undone by a twin.

    python -m benchmarks.pairs --save
    python -m benchmarks.pairs --images 500 --wrong        every failure with its caption, question and why
    python -m benchmarks.pairs --images 500 --open         what the scenes do not decide

Phantoms of every kind (5,000 of each), pairs made from their captions by the default settings, truth from the scene
that picture and caption are made of. What the scene leaves open is counted apart: a diagnosis that may be seen in what
is there, a length that rounding moved. The shape of the set (polarity in every form 50 +- 3 %, no type under 2 % or
over 25 %, >= 200 different questions in 1,000) is measured on the phantoms and on real captions (ROCO, MedPix) where
$MHT_REFERENCE_DATA or ../shared/data holds them. Text only: nothing is drawn.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from benchmarks.machine import describe
from benchmarks.report import markdown, page, save
from benchmarks.shortcut import SETS, pairs_of, readings, reference
from benchmarks.verdicts import NEVER, OPEN, OPTION, UNREAD, Verdict, beside, evidence, statement
from mht.catalog import names
from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import lexicon
from mht.phantoms import caption
from mht.phantoms.scene import KINDS, Scene, draw_scene
from mht.records import Pair, State

GOAL = "99.5 %"
BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair with the verdicts on its premise, on what its question says beside it, and on its evidence."""

    pair: Pair
    premise: Verdict
    beside: Verdict
    evidence: Verdict

    @property
    def right(self) -> bool | None:
        """Whether the premise is what its state says, and nothing beside it wrong; None where that is not known."""
        if self.beside.true is False:
            return False
        if self.premise.true is None or self.beside.true is None:
            return None
        return self.premise.true == (self.pair.state == State.FAITHFUL)


def scenes(per_kind: int, seed: int = 0) -> dict[str, Scene]:
    """So many phantoms of every kind, by image id."""
    return {f"{kind}/{i}": draw_scene(kind, i, seed) for i in range(per_kind) for kind in KINDS}


def told(scene: Scene) -> str:
    """The scene's own caption."""
    return caption.describe(scene, caption.caption_rng(scene))


def judge(pairs: Iterable[Pair], drawn: Mapping[str, Scene]) -> list[Judged]:
    with_scenes = ((pair, drawn[pair.image_id]) for pair in pairs)
    return [Judged(p, statement(p, s), beside(p, s), evidence(p, s)) for p, s in with_scenes]


def restored(pairs: Sequence[Pair]) -> int:
    """Hallucinated pairs with one faithful twin on the same image, in the same form, whose question comes back word for
    word when the span is put back; and whose own edit leads to them.
    """
    twins: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.state == State.FAITHFUL:
            twins[pair.twin_id].append(pair)
    false = [pair for pair in pairs if pair.state != State.FAITHFUL]
    return sum(len(twins[pair.twin_id]) == 1 and _undone(pair, twins[pair.twin_id][0]) == 2 for pair in false)


def _undone(pair: Pair, twin: Pair) -> int:
    """In how many of the two directions the edit leads from one question to the other."""
    same = ("image_id", "form", "type", "slot", "span_start", "split")
    if any(getattr(pair, name) != getattr(twin, name) for name in same):
        return 0
    return sum(_edited(one) == other.question for one, other in ((pair, twin), (twin, pair)))


def _edited(pair: Pair) -> str:
    return pair.question[: pair.span_start] + pair.counterpart + pair.question[pair.span_end :]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def truth_rows(judged: Sequence[Judged]) -> list[list[str]]:
    """The table's lines on truth: shares of what is decided, and beside them how much is not."""
    rows = []
    for state, word in ((State.FAITHFUL, "true"), (State.HALLUCINATED, "false")):
        own = [j for j in judged if j.pair.state == state]
        decided = [j for j in own if j.right is not None]
        right = sum(bool(j.right) for j in decided)
        never = sum(j.premise.by == NEVER for j in decided)
        rows += [
            [f"{state} premises {word}", _share(right, len(decided)), GOAL],
            [f"{state}, what is not decided counted as wrong", _share(right, len(own)), ""],
            [f"{state}: wrong, of those decided", f"{len(decided) - right:,} of {len(decided):,}", ""],
            [f"{state}: no phantom of the kind shows it (counted as absent)", f"{never:,}", ""],
            [f"{state}: left open by the scene", _by(own, OPEN), ""],
            [f"{state}: not read", _by(own, UNREAD), ""],
        ]
    shown = [j.evidence for j in judged]
    held = [one for one in shown if one.true is not None]
    rows += [
        ["evidence true", _share(sum(bool(one.true) for one in held), len(held)), ""],
        [
            "evidence not decided",
            f"{len(shown) - len(held):,} ({_share(len(shown) - len(held), len(shown))})",
            "",
        ],
    ]
    pairs = [j.pair for j in judged]
    false = sum(p.state == State.HALLUCINATED for p in pairs)
    rows.append(["hallucinated pairs whose twin restores them", _share(restored(pairs), false), "100 %"])
    return rows


def _by(own: Sequence[Judged], why: str) -> str:
    n = sum(j.right is None and why in (j.premise.by, j.beside.by) for j in own)
    return f"{n:,} ({_share(n, len(own))})"


@cache
def _image() -> re.Pattern[str]:
    nouns = ["image", "picture", "study", *(m.noun for m in lexicon().modalities.values())]
    return re.compile(rf"\b(?:this|the) (?:{'|'.join(map(re.escape, nouns))})\b", re.IGNORECASE)


def surface(pair: Pair) -> str:
    """The question with the image's name masked."""
    return _image().sub("@", pair.question)


def template(pair: Pair) -> str:
    """The question with the image's name, its premise and the options of a choice masked: what the form wrote."""
    bare = pair.question.replace(pair.premise, "#", 1)
    return _image().sub("@", OPTION.sub(") #", bare))


def per_block(texts: Sequence[str]) -> float:
    """Different texts in 1,000, the mean over full blocks; over all of them where there are fewer."""
    blocks = [texts[i : i + BLOCK] for i in range(0, len(texts) - BLOCK + 1, BLOCK)] or [texts]
    return sum(len(set(block)) for block in blocks) / len(blocks)


def shape_rows(pairs: Sequence[Pair], images: int) -> list[list[str]]:
    """(what, measured, goal) of one set: polarity, types and surfaces."""
    types, forms = Counter(dict.fromkeys(names("perturbations"), 0)), Counter(p.form for p in pairs)
    types.update(p.type for p in pairs)
    states = {
        form: sum(p.form == form and p.state == State.FAITHFUL for p in pairs) / n
        for form, n in forms.items()
    }
    yes = {form: _yes([p for p in pairs if p.form == form and p.polarity]) for form in forms}
    worst = max(
        [*states.items(), *((f, y) for f, y in yes.items() if y is not None)], key=lambda s: abs(s[1] - 0.5)
    )
    rare, common = min(types, key=lambda t: types[t]), max(types, key=lambda t: types[t])
    return [
        ["images with facts", f"{images:,}", ""],
        ["pairs", f"{len(pairs):,}", ""],
        ["pairs an image", f"{len(pairs) / images:.1f}", ""],
        ["polarity, the worst form", f"{worst[1]:.1%} ({worst[0]})", "50 ± 3 %"],
        ["types under 2 %", f"{sum(n < 0.02 * len(pairs) for n in types.values())} of {len(types)}", "none"],
        ["smallest type", f"{types[rare] / len(pairs):.1%} ({rare})", "2 %"],
        ["largest type", f"{types[common] / len(pairs):.1%} ({common})", "25 %"],
        ["different questions in 1,000", f"{per_block([surface(p) for p in pairs]):.0f}", "200"],
        ["different templates in 1,000", f"{per_block([template(p) for p in pairs]):.0f}", ""],
        ["different templates in all", f"{len({template(p) for p in pairs}):,}", ""],
    ]  # fmt: skip


def _yes(pairs: Sequence[Pair]) -> float | None:
    return sum(p.polarity == "yes" for p in pairs) / len(pairs) if pairs else None


def shares(sets: Mapping[str, Sequence[Pair]], column: str) -> str:
    """One column of the pairs, its values against the sets."""
    counts = {name: Counter(getattr(p, column) for p in pairs) for name, pairs in sets.items()}
    values = sorted({value for count in counts.values() for value in count})
    rows = [[value, *(_share(counts[name][value], len(sets[name])) for name in sets)] for value in values]
    return markdown([column, *sets], rows)


def by_type(judged: Sequence[Judged]) -> str:
    """Where the failures lie."""
    rows = []
    for type_ in sorted({j.pair.type for j in judged}):
        own = [j for j in judged if j.pair.type == type_]
        wrong = [sum(j.right is False and j.pair.state == state for j in own) for state in State]
        rows.append([type_, f"{len(own):,}", *map(str, wrong), str(sum(j.right is None for j in own))])
    return markdown(["type, phantoms", "pairs", "faithful but false", "hallucinated but true", "open"], rows)


def _failures(judged: Sequence[Judged], drawn: Mapping[str, Scene], wanted: bool | None) -> Iterator[str]:
    for j in judged:
        if j.right is wanted:
            p, scene = j.pair, drawn[j.pair.image_id]
            held = "; ".join(str(e).partition(", box=")[0] for e in scene.present)
            yield f"{p.state} {p.type} {p.form} | {j.premise} | beside {j.beside} | evidence {j.evidence}"
            yield f"    {p.question}"
            yield f"    span {p.span!r}, twin {p.counterpart!r}, evidence {p.evidence!r}"
            yield f"    {p.image_id}: {told(scene)}\n    scene: {held}; absent {', '.join(scene.absent)}"


def _read_words(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pairs", description="Truth and shape of pairs."
    )
    parser.add_argument("--images", type=int, default=5_000, metavar="N", help="phantoms of every kind")
    parser.add_argument("--seed", type=int, default=0, help="of the phantoms")
    parser.add_argument("--wrong", action="store_true", help="print every failure")
    parser.add_argument("--open", action="store_true", help="print what is not decided")
    parser.add_argument("--save", action="store_true", help="keep the tables in benchmarks/results/")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    given = _read_words(words)
    drawn = scenes(given.images, given.seed)
    corpus = [(image, read_facts(told(scene))) for image, scene in drawn.items()]
    judged = judge(pairs_of([row for row in corpus if row[1].facts]), drawn)
    if given.wrong or given.open:
        print("\n".join(_failures(judged, drawn, False if given.wrong else None)))
        return 0
    sets = {"phantoms": [j.pair for j in judged]}
    images = {"phantoms": len(drawn)}
    for name in SETS:
        if (reference() / name / "captions.jsonl").is_file():
            real = readings(name)
            sets[name], images[name] = pairs_of(real), len(real)
    rows = truth_rows(judged)
    rows += [
        [f"{name}: {what}", *rest] for name in sets for what, *rest in shape_rows(sets[name], images[name])
    ]
    tables = [markdown(["", "measured", "goal"], rows), by_type(judged)]
    tables += [shares(sets, column) for column in ("type", "form", "risk")]
    facts = describe() | {"phantoms": f"{given.images:,} of each of {', '.join(KINDS)}, seed {given.seed}"}
    text = page("Truth and shape of the pairs", facts, "\n\n".join(tables))
    print("\n" + text)
    if given.save:
        print(f"kept in {save('pairs', text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
