"""Claim: a question's text alone does not tell its state or its yes/no answer: <= 55 % by a bag of words.

    python -m benchmarks.shortcut --save
    python -m benchmarks.shortcut --terms        the words that give most away, for whoever tunes

Naive Bayes and logistic regression over the counts of words (and, beside the claim, of 1- to 3-grams), five folds split
by image. Ours: pairs made from the ROCO and MedPix captions (ROCO has text only; pairing needs no more) by the default
settings. Beside it the public half of MedHallTune's validation split, its states and its yes/no answers, by the same
code. The captions are read from $MHT_REFERENCE_DATA or ../shared/data. Needs scikit-learn (`pip install -e .[bench]`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, describe
from benchmarks.report import markdown, page, save
from mht.config import load
from mht.dataset.stages import pairing_context
from mht.knowledge.facts import read_facts
from mht.pairing.premises import PremiseTable
from mht.pairing.twins import make_pairs
from mht.records import Pair, Reading

GOAL = 0.55
FOLDS = 5
SETS = ("medpix", "roco")


@dataclass(frozen=True, slots=True)
class Sample:
    """A question, the image it stands on, and what its text must not tell."""

    question: str
    image: str
    label: bool


def reference() -> Path:
    """Where the reference data lie."""
    return Path(os.environ.get("MHT_REFERENCE_DATA") or ROOT.parent / "shared" / "data")


def readings(name: str) -> list[tuple[str, Reading]]:
    """(image id, reading) of every caption of a set that yields facts."""
    rows = map(json.loads, (reference() / name / "captions.jsonl").read_text("utf-8").splitlines())
    read = [(f"{name}/{row['id']}", read_facts(row["caption"], row.get("modality"))) for row in rows]
    return [(image, reading) for image, reading in read if reading.facts]


def pairs_of(corpus: Sequence[tuple[str, Reading]], settings: Sequence[str] = ()) -> list[Pair]:
    """The pairs of a corpus as a build makes them: one table over all captions, then row by row."""
    table = PremiseTable()
    for _, reading in corpus:
        table.add(reading)
    context = replace(pairing_context(load(None, settings).resolved()), table=table)
    return [pair for image, reading in corpus for pair in make_pairs(image, "train", reading, context).pairs]


def official() -> tuple[list[Sample], list[Sample]]:
    """(state, yes/no answer) samples of the public half: a positive question is the faithful state."""
    states, answers = [], []
    for name in ("positive", "negative"):
        for row in map(
            json.loads, (reference() / "medhalltune" / f"{name}.jsonl").read_text("utf-8").splitlines()
        ):
            question = row["text"].replace("<image>", "").strip()
            states.append(Sample(question, row["image"], name == "positive"))
            said = re.match(r"(yes|no)\b", row["gpt4_answer"].strip(), re.IGNORECASE)
            if said:
                answers.append(Sample(question, row["image"], said[1].lower() == "yes"))
    return states, answers


def _models() -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import MultinomialNB

    return {"naive Bayes": MultinomialNB(), "logistic regression": LogisticRegression(solver="liblinear")}


def accuracy(samples: Sequence[Sample], grams: int) -> dict[str, float]:
    """Each model's share of right guesses over five folds that never split an image."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.model_selection import GroupKFold

    texts = [s.question for s in samples]
    labels = np.array([s.label for s in samples])
    groups = [s.image for s in samples]
    right = dict.fromkeys(_models(), 0)
    for train, test in GroupKFold(FOLDS).split(texts, labels, groups):
        words = CountVectorizer(ngram_range=(1, grams), min_df=2, token_pattern=r"(?u)\b\w+\b")
        seen = words.fit_transform([texts[i] for i in train])
        unseen = words.transform([texts[i] for i in test])
        for name, model in _models().items():
            right[name] += int((model.fit(seen, labels[train]).predict(unseen) == labels[test]).sum())
    return {name: n / len(samples) for name, n in right.items()}


def telling(samples: Sequence[Sample], most: int = 40) -> list[tuple[str, float, int, int]]:
    """(n-gram, share of true labels, how often) of the n-grams that stand out most."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(ngram_range=(1, 3), min_df=20, binary=True, token_pattern=r"(?u)\b\w+\b")
    found = words.fit_transform([s.question for s in samples])
    labels = np.array([s.label for s in samples])
    n, true = np.asarray(found.sum(0)).ravel(), np.asarray(found[labels].sum(0)).ravel()
    z = (true - n / 2) / np.sqrt(n / 4)
    names = words.get_feature_names_out()
    return [(names[i], true[i] / n[i], int(n[i]), int(z[i])) for i in np.argsort(-abs(z))[:most]]


def samples_of(pairs: Sequence[Pair]) -> tuple[list[Sample], list[Sample]]:
    """(state, yes/no answer) samples of our pairs."""
    states = [Sample(p.question, p.image_id, p.state == "faithful") for p in pairs]
    answers = [Sample(p.question, p.image_id, p.polarity == "yes") for p in pairs if p.polarity is not None]
    return states, answers


def _rows(name: str, what: str, samples: Sequence[Sample], goal: str) -> list[list[str]]:
    images = len({s.image for s in samples})
    share = max(
        sum(s.label for s in samples) / len(samples), 1 - sum(s.label for s in samples) / len(samples)
    )
    rows = []
    for grams, told in ((1, "words"), (3, "1- to 3-grams")):
        for model, got in accuracy(samples, grams).items():
            held = goal if grams == 1 else ""
            rows.append(
                [
                    name,
                    what,
                    f"{len(samples):,}",
                    f"{images:,}",
                    f"{share:.1%}",
                    f"{model}, {told}",
                    f"{got:.1%}",
                    held,
                ]
            )
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--terms", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--images", type=int, default=None, help="only so many captions of each set")
    given = parser.parse_args(argv)
    corpora = {name: readings(name)[: given.images] for name in SETS}
    corpora["medpix + roco"] = [row for corpus in corpora.values() for row in corpus]
    rows = []
    for name, corpus in corpora.items():
        if given.terms and name != "medpix + roco":
            continue
        states, answers = samples_of(pairs_of(corpus, given.set))
        if given.terms:
            for samples in (states, answers):
                print(
                    *(f"{share:6.1%} {n:6d} {z:4d}  {term}" for term, share, n, z in telling(samples)),
                    sep="\n",
                )
            return 0
        rows += _rows(f"ours, {name}", "state", states, "55 %") + _rows(
            f"ours, {name}", "yes/no", answers, "55 %"
        )
    states, answers = official()
    rows += _rows("MedHallTune, public half", "state", states, "") + _rows(
        "MedHallTune, public half", "yes/no", answers, ""
    )
    head = [
        "pairs",
        "what the text tells",
        "questions",
        "images",
        "larger class",
        "classifier",
        "accuracy",
        "goal",
    ]
    text = page("What a question's text alone gives away", describe(), markdown(head, rows))
    print(text)
    if given.save:
        print(save("shortcut", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
