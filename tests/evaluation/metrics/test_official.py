"""Golden figures of half of the official validation split, computed once with the reference packages alone.

By `benchmarks/golden.py`, which prints them under these names: rouge-score 0.1.2, sacrebleu 2.6.0, NLTK 3.10.4 with
WordNet 3.0, and the judge's first line split at spaces; the polarity by regular expressions over the rows where both
texts begin with one of the words.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mht.evaluation.intervals import IntervalParams, clustered_error, with_interval
from mht.evaluation.metrics import bleu, false_premise, judged, meteor, polarity, rouge
from mht.knowledge.polarity import first_word, opening
from mht.predictions import score
from tests.evaluation.metrics.settings import wordnet
from tests.evaluation.official import official

ROWS = {"positive": (556, 99), "negative": (561, 99)}
JUDGED = {
    "positive": (6.3147482014388485, 6.841726618705036, 5.543165467625899, 7.388489208633094),
    "negative": (4.909090909090909, 5.242424242424242, 4.80035650623886, 5.714795008912656),
}
# L, 1, 2
ROUGE = {
    "positive": (0.35822684954628237, 0.40273254990432106, 0.248846621611751),
    "negative": (0.2695048311105907, 0.3707700734581083, 0.16331550320383031),
}
BLEU = {"positive": 13.768703909489407, "negative": 10.767702726485675}
METEOR = {"positive": 0.3901982354302628, "negative": 0.23408587144013485}
WORDS = {"positive": (337, 0.8694362017804155), "negative": (85, 0.3176470588235294)}
REFUTED, STRICT = 165, (58, 23)
# The formula of inspect_ai 0.3.285, whose stderr(cluster="image") of the accuracy score is the same.
ERROR = {"positive": 0.10095946540742248, "negative": 0.10904025967394333}

parts = pytest.mark.parametrize("part", sorted(ROWS))


@parts
def test_every_judgement_is_read(reference_data: Path, part: str) -> None:
    rows = official(reference_data, part)
    assert (len(rows), len({row.cluster for row in rows})) == ROWS[part]
    found = [score(one) for one in judged.measure(rows, judged.Params())]
    assert [(s.n, s.n_asked, s.unscored) for s in found] == [(len(rows), len(rows), ())] * 4
    assert [s.value for s in found] == pytest.approx(JUDGED[part], abs=1e-6)


@parts
def test_words(reference_data: Path, part: str) -> None:
    rows = official(reference_data, part)
    found = [score(one).value for one in rouge.measure(rows, rouge.Params())]
    assert found == pytest.approx(ROUGE[part], abs=1e-6)
    assert score(bleu.measure(rows, bleu.Params())[0]).value == pytest.approx(BLEU[part] / 100, abs=1e-6)


@parts
def test_meteor(reference_data: Path, part: str) -> None:
    measured = meteor.measure(official(reference_data, part), meteor.Params(wordnet=wordnet()))
    assert score(measured[0]).value == pytest.approx(METEOR[part], abs=1e-6)


@parts
def test_polarity(reference_data: Path, part: str) -> None:
    """Where both begin with the word, nothing but the word counts; elsewhere more is read, and no less."""
    rows = official(reference_data, part)
    bare = re.compile(r"(?:yes|no)\b", re.IGNORECASE)
    both = re.compile(r"(?:yes\W+no|no\W+yes)\b", re.IGNORECASE)
    texts = [(row, (row.truth, str(row.reply))) for row in rows]
    worded = [row for row, two in texts if all(bare.match(text) and not both.match(text) for text in two)]
    found = score(polarity.measure(worded, polarity.Params())[0])
    assert (found.n, found.n_asked) == (WORDS[part][0],) * 2
    assert found.value == pytest.approx(WORDS[part][1], abs=1e-6)
    every = score(polarity.measure(rows, polarity.Params())[0])
    assert every.n_asked == sum(first_word(row.truth) is not None for row in rows)
    assert found.n < every.n < every.n_asked


def test_premises_that_the_reference_refutes_in_a_word(reference_data: Path) -> None:
    """Of the 165 that the reference answers with no, the reply opens with yes in 58, with no in 23."""
    rows = [row for row in official(reference_data, "negative") if opening(row.truth) == "no"]
    worded = [row for row in rows if opening(str(row.reply)) is not None]
    strict = score(false_premise.measure(worded, false_premise.Params())[0])
    assert (strict.value, strict.n) == (pytest.approx(STRICT[0] / sum(STRICT)), sum(STRICT))
    assert len(rows) == REFUTED
    every = score(false_premise.measure(rows, false_premise.Params())[0])
    assert strict.n < every.n < every.n_asked


@parts
def test_an_interval_of_the_official_scores_is_a_fifth_of_a_point(reference_data: Path, part: str) -> None:
    for one in judged.measure(official(reference_data, part), judged.Params()):
        found = with_interval(one, IntervalParams())
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.value < found.high  # type: ignore[operator]
        assert 0.1 < (found.high - found.low) / 2 < 0.3


@parts
def test_the_clustered_error_is_that_of_inspect(reference_data: Path, part: str) -> None:
    accuracy = judged.measure(official(reference_data, part), judged.Params())[0]
    assert clustered_error(accuracy) == pytest.approx(ERROR[part], rel=1e-12)
