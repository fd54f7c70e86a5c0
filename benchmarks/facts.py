"""Claim: facts are read with >= 95 % precision and >= 85 % recall, from >= 95 % of real captions, 1,000 a second.

    python -m benchmarks.facts --save
    python -m benchmarks.facts --errors

Precision and recall are of finding, presence and side together, on tests/knowledge/marked.tsv: sentences written and
marked by hand before the reader was run on them, and then used to mend it. marked_later.tsv holds sentences that it was
not mended on: the figure to expect on new text. What a caption yields, and how fast, is measured on real captions
(ROCO, MedPix) where $MHT_REFERENCE_DATA or ../shared/data holds them; without them that half is left out. Facts about
what the image is (`CT image`) are no findings: the marks leave them out, the counts of captions stand with and without.
A statement is what an edit can make false: `axial CT of the left kidney` is one fact and says three things.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import ROOT, describe
from benchmarks.report import markdown, page, save
from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import GENERIC, is_study, lexicon
from mht.knowledge.presence import ABSENT, UNCERTAIN
from mht.knowledge.vocabulary import concept
from mht.records import Fact, Reading

MARKED = ROOT / "tests" / "knowledge" / "marked.tsv"
LATER = MARKED.with_name("marked_later.tsv")
DEPTHS = {"finding": 1, "finding, presence": 2, "finding, presence, side": 3}
NOT_JUDGED = "*"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a sentence states, as marked by hand or as read; an `optional` one counts neither way."""

    finding: str
    presence: str
    side: str
    optional: bool = False

    def agrees(self, read: Mark, depth: int) -> bool:
        """Whether what was read says the same in the first `depth` of finding, presence and side."""
        if self.finding != read.finding or (depth > 1 and self.presence != read.presence):
            return False
        return depth < 3 or NOT_JUDGED in (self.side, read.side) or self.side == read.side


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its marks; `trait` is what makes it hard."""

    modality: str
    trait: str
    text: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The marks of one sentence that were read, that were missed, and what was read beside them."""

    sentence: Sentence
    right: tuple[Mark, ...]
    missed: tuple[Mark, ...]
    wrong: tuple[Mark, ...]


def _mark(cell: str) -> Mark:
    optional = cell.startswith("(")
    finding, presence, side = cell.strip("()").split(", ")
    known = concept(finding[1:]) if finding.startswith("?") else None
    return Mark(known[1] if known else finding, presence, side, optional)


def sentences(path: Path = MARKED) -> list[Sentence]:
    """The marked sentences of a table as marked.tsv describes itself."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    rows = [line.split("\t") for line in lines[1:]]
    return [
        Sentence(modality, trait, text, tuple(_mark(cell) for cell in marks.split("; ")))
        for modality, trait, text, marks in rows
    ]


def read(text: str) -> list[Mark]:
    """What the reader finds in a sentence, each once, without what it says of the kind of image."""
    facts = [f for f in read_facts(text).facts if not is_study(f.finding)]
    return list(dict.fromkeys(Mark(f.finding, f.presence, f.side or "-") for f in facts))


def judge(sentence: Sentence, found: Sequence[Mark], depth: int = 3) -> Outcome:
    """Each mark takes one agreeing reading; a reading left over is wrong unless an optional mark allows it."""
    left = list(found)
    right, missed = [], []
    for mark in sentence.marks:
        if mark.optional:
            continue
        taken = next((other for other in left if mark.agrees(other, depth)), None)
        if taken is None:
            missed.append(mark)
        else:
            right.append(mark)
            left.remove(taken)
    wrong = [o for o in left if not any(m.optional and m.agrees(o, min(depth, 2)) for m in sentence.marks)]
    return Outcome(sentence, tuple(right), tuple(missed), tuple(wrong))


def outcomes(
    depth: int = 3, reader: Callable[[str], list[Mark]] = read, path: Path = MARKED
) -> list[Outcome]:
    return [judge(sentence, reader(sentence.text), depth) for sentence in sentences(path)]


def precision_recall(judged: Iterable[Outcome]) -> tuple[float, float]:
    """Both over all marks; 1.0 where nothing was read, or nothing was to be read."""
    right = missed = wrong = 0
    for outcome in judged:
        right += len(outcome.right)
        missed += len(outcome.missed)
        wrong += len(outcome.wrong)
    return right / (right + wrong or 1), right / (right + missed or 1)


@dataclass(frozen=True, slots=True)
class Yield:
    """What one set of real captions gives: shares of captions, and captions read in a second on one core."""

    captions: int
    one: float
    two: float
    one_statement: float
    two_statements: float
    one_finding: float
    two_findings: float
    per_second: float


def captions(folder: str) -> list[tuple[str, str | None]]:
    """The captions of a reference set with the modality that its metadata name; empty where it is not there."""
    root = Path(os.environ.get("MHT_REFERENCE_DATA") or ROOT.parent / "shared" / "data")
    path = root / folder / "captions.jsonl"
    if not path.is_file():
        return []
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [(row["caption"], row.get("modality")) for row in rows]


def statements(reading: Reading) -> int:
    """What of a reading an edit can make false: a stated finding or kind of image, and the one side, the place that
    could be mistaken for another, the grade, the length and each attribute that is said of it; a denial counts once.
    """
    return sum(_statements(fact) for fact in reading.facts if fact.presence != UNCERTAIN)


def _statements(fact: Fact) -> int:
    if fact.presence == ABSENT:
        return 1
    lex = lexicon()
    own = fact.finding != lex.modalities[GENERIC].noun  # an image of no kind is only what is said of it
    mistaken = fact.site is not None and bool(lex.siblings[fact.site])
    told = (
        own,
        fact.side in ("left", "right"),
        mistaken,
        fact.severity is not None,
        fact.size_mm is not None,
    )
    return sum(told) + len(fact.attributes)


def measure(rows: Sequence[tuple[str, str | None]], rounds: int = 3) -> Yield:
    """Shares, and the best of a few timed rounds; the tables are loaded before the clock starts."""
    read_facts("A pleural effusion.")
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        readings = [read_facts(caption, modality) for caption, modality in rows]
        best = min(best, time.process_time() - began)
    every = [len(r.facts) for r in readings]
    said = [statements(r) for r in readings]
    findings = [sum(not is_study(f.finding) for f in r.facts) for r in readings]
    return Yield(
        captions=len(rows),
        one=sum(n >= 1 for n in every) / len(rows),
        two=sum(n >= 2 for n in every) / len(rows),
        one_statement=sum(n >= 1 for n in said) / len(rows),
        two_statements=sum(n >= 2 for n in said) / len(rows),
        one_finding=sum(n >= 1 for n in findings) / len(rows),
        two_findings=sum(n >= 2 for n in findings) / len(rows),
        per_second=len(rows) / best,
    )


def table(sets: Mapping[str, Yield]) -> str:
    """One table: a line a figure, with the goal it is held against."""
    lines = []
    for sort, path in (("marked", MARKED), ("later", LATER)):
        for name, depth in DEPTHS.items():
            precision, recall = precision_recall(outcomes(depth, path=path))
            goals = ("95 %", "85 %") if depth == max(DEPTHS.values()) else ("", "")
            lines += [[f"{sort}: precision, {name}", f"{precision:.1%}", goals[0]]]
            lines += [[f"{sort}: recall, {name}", f"{recall:.1%}", goals[1]]]
    for name, got in sets.items():
        lines += [
            [f"{name}: captions", f"{got.captions:,}", ""],
            [f"{name}: at least one fact", f"{got.one:.1%}", "95 %"],
            [f"{name}: at least two facts", f"{got.two:.1%}", "85 %"],
            [f"{name}: at least one statement", f"{got.one_statement:.1%}", "95 %"],
            [f"{name}: at least two statements", f"{got.two_statements:.1%}", "85 %"],
            [f"{name}: at least one finding", f"{got.one_finding:.1%}", ""],
            [f"{name}: at least two findings", f"{got.two_findings:.1%}", ""],
            [f"{name}: captions/s on one core", f"{got.per_second:,.0f}", "1,000"],
        ]
    return markdown(["", "measured", "goal"], lines)


def by_trait(judged: Sequence[Outcome]) -> list[str]:
    """Precision and recall of each kind of sentence, worst recall first."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in judged:
        groups.setdefault(outcome.sentence.trait, []).append(outcome)
    told = sorted((*reversed(precision_recall(group)), name, len(group)) for name, group in groups.items())
    return [
        f"{name}: precision {precision:.0%}, recall {recall:.0%}, {size} sentences"
        for recall, precision, name, size in told
    ]


def _errors(judged: Iterable[Outcome]) -> Iterable[str]:
    for outcome in judged:
        if outcome.missed or outcome.wrong:
            yield f"{outcome.sentence.trait} | {outcome.sentence.text}"
            for name, marks in (("missed", outcome.missed), ("wrong", outcome.wrong)):
                for mark in marks:
                    yield f"    {name}: {mark.finding}, {mark.presence}, {mark.side}"


def _read_words(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.facts", description="Facts from text.")
    parser.add_argument("--errors", action="store_true", help="print every marked sentence that is misread")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="print N real captions with what is read from them"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    return parser.parse_args(words)


def _sample(size: int, seed: int) -> Iterable[str]:
    for folder in ("medpix", "roco"):
        rows = captions(folder)
        for caption, modality in random.Random(seed).sample(rows, min(size, len(rows))):
            yield f"{folder} | {caption}"
            for f in read_facts(caption, modality).facts:
                yield f"    {f.finding}, {f.presence}, {f.side or '-'}, {f.site or '-'} [{f.text}]"


def main(words: Sequence[str] | None = None) -> int:
    given = _read_words(words)
    if given.errors or given.sample:
        print("\n".join(_errors(outcomes()) if given.errors else _sample(given.sample, given.seed)))
        return 0
    judged = outcomes()
    sets = {name: measure(rows) for name in ("medpix", "roco") if (rows := captions(name))}
    counts = Counter(mark.optional for outcome in judged for mark in outcome.sentence.marks)
    later = sum(not mark.optional for sentence in sentences(LATER) for mark in sentence.marks)
    facts = describe() | {
        "marked": f"{len(judged)} sentences, {counts[False]} marks",
        "later": f"{len(sentences(LATER))} sentences, {later} marks, not used to mend the reader",
    }
    text = page("Facts read from text", facts, table(sets), by_trait(judged))
    print("\n" + text)
    if given.save:
        print(f"kept in {save('facts', text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
