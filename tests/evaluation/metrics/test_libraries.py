"""What the wrapped libraries say by themselves, on a thousand rows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mht import catalog
from mht.errors import ConfigError
from mht.evaluation.metrics import bertscore, bleu, meteor, rouge
from mht.evaluation.metrics._library import library
from mht.predictions import Measured, Prediction, score
from tests.evaluation.metrics.settings import LAYER, encoder, wordnet
from tests.pairing.corpus import pairs_of_phantoms

ROWS = 1000


def rows(n: int) -> list[Prediction]:
    """Replies against references: the right answer, the wrong one, another question's, one cut short, none."""
    rng = random.Random(4)
    pairs = pairs_of_phantoms(15)
    made = []
    for k in range(n):
        pair, other = rng.choice(pairs), rng.choice(pairs)
        reply = rng.choice((pair.answer, pair.rejected, other.answer, pair.answer[:25], ""))
        made.append(Prediction("b", str(k), pair.image_id, pair.question, pair.answer, reply))
    return made


def read(measured: Measured, at: int = 0) -> list[float]:
    return [unit.parts[at] for unit in measured.units if unit.parts is not None]


def test_rouge() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    found = rouge.measure(rows(ROWS), rouge.Params(stemmer=True))
    scorer = RougeScorer(["rougeL", "rouge1", "rouge2"], use_stemmer=True)
    for at, kind in enumerate(("rougeL", "rouge1", "rouge2")):
        theirs = [scorer.score(row.truth, str(row.reply))[kind].fmeasure for row in rows(ROWS)]
        assert read(found[at], at) == pytest.approx(theirs, abs=1e-9)
        assert score(found[at]).value == pytest.approx(sum(theirs) / ROWS, abs=1e-9)


@pytest.mark.parametrize("some", [ROWS, 3, 1])
def test_bleu(some: int) -> None:
    import sacrebleu

    for lowercase in (False, True):
        chosen = rows(ROWS)[:some]
        found = score(bleu.measure(chosen, bleu.Params(lowercase=lowercase))[0])
        theirs = sacrebleu.corpus_bleu(
            [str(row.reply) for row in chosen], [[row.truth for row in chosen]], lowercase=lowercase
        )
        assert found.value == pytest.approx(theirs.score / 100, abs=1e-9)


def test_bleu_of_few_matches_is_smoothed_as_theirs() -> None:
    import sacrebleu

    pairs = [
        ("the heart is large", "the lung is clear now"),
        ("a b", "c d e"),
        ("x", "y"),
        ("a mass", "a mass"),
    ]
    for reply, truth in pairs:
        row = Prediction("b", "1", "i", "q", truth, reply)
        theirs = sacrebleu.corpus_bleu([reply], [[truth]]).score / 100
        assert score(bleu.measure([row], bleu.Params())[0]).value == pytest.approx(theirs, abs=1e-9)


def test_meteor() -> None:
    """Over our reader's words: NLTK's own cannot open Debian's files. `benchmarks/golden.py` has it over NLTK's."""
    from nltk.translate.meteor_score import single_meteor_score

    folder = wordnet()
    found = meteor.measure(rows(ROWS), meteor.Params(wordnet=folder))
    words = meteor._wordnet(folder)
    theirs = [
        single_meteor_score(row.truth.split(), str(row.reply).split(), wordnet=words) for row in rows(ROWS)
    ]
    assert read(found[0]) == pytest.approx(theirs, abs=1e-9)
    assert words.synsets("lung")[0].lexname() == "noun.body"


def test_bertscore() -> None:
    import bert_score

    chosen = rows(ROWS)
    found = bertscore.measure(chosen, bertscore.Params(model=encoder(), layer=LAYER))
    full = [row for row in chosen if row.reply]
    theirs = bert_score.score(
        [str(row.reply) for row in full], [row.truth for row in full], model_type=encoder(), num_layers=LAYER
    )
    for at, side in ((0, theirs[2]), (1, theirs[0]), (2, theirs[1])):
        ours = [value for value, row in zip(read(found[at], at), chosen, strict=True) if row.reply]
        assert ours == pytest.approx(side.tolist(), abs=1e-4)
    assert {value for value, row in zip(read(found[0]), chosen, strict=True) if not row.reply} == {0.0}


def test_a_library_that_is_not_there_is_named_with_its_remedy() -> None:
    with pytest.raises(ConfigError, match=r"metric rouge: no_such_library .*pip install 'mht\[evaluate\]'"):
        library("no_such_library", "rouge")


def test_a_model_or_a_corpus_that_is_not_there_is_named(tmp_path: Path) -> None:
    row = rows(1)
    with pytest.raises(ConfigError, match=r"holds no config\.json"):
        bertscore.measure(row, bertscore.Params(model=str(tmp_path), layer=1))
    with pytest.raises(ConfigError, match=r"no WordNet 3.0 .*wordnet-base"):
        meteor.measure(row, meteor.Params(wordnet=str(tmp_path)))


def test_importing_every_metric_loads_no_library() -> None:
    import subprocess
    import sys

    names = ", ".join(f"mht.evaluation.metrics.{name}" for name in catalog.names("evaluation.metrics"))
    heavy = "('torch', 'ray', 'nltk', 'rouge_score', 'sacrebleu', 'bert_score', 'transformers', 'sklearn')"
    code = f"import sys, {names}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
