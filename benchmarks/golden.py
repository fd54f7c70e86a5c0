"""The golden figures of `tests/evaluation/metrics/test_official.py`, by the reference packages and nothing of ours.

    python -m benchmarks.golden FOLDER [WORDNET]

FOLDER holds `positive.jsonl` and `negative.jsonl` of the official MedHallTune validation split with the released
judge's `result`. WORDNET is a folder with WordNet 3.0 (Debian's by default). Needs rouge-score, sacrebleu and NLTK.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

PARTS = ("negative", "positive")
WORDNET = "/usr/share/wordnet"
_FILES = 45
_WORD = re.compile(r"(yes|no)\b", re.IGNORECASE)
_BOTH = re.compile(r"(?:yes\W+no|no\W+yes)\b", re.IGNORECASE)


def main(folder: str, wordnet: str = WORDNET) -> None:
    with tempfile.TemporaryDirectory() as room:
        words = nltk_wordnet(Path(wordnet), Path(room))
        for part in PARTS:
            lines = (Path(folder) / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
            rows = [json.loads(line) for line in lines]
            pairs = [(row["gpt4_answer"], row["answer"]) for row in rows]
            images = [row["image"] for row in rows]
            scores = np.array(
                [[float(word) for word in row["result"].split("\n")[0].split()] for row in rows]
            )
            told = {
                "ROWS": (len(rows), len(set(images))),
                "JUDGED": tuple(scores.mean(axis=0).tolist()),
                "ROUGE": rouge(pairs),
                "BLEU": bleu(pairs),
                "METEOR": meteor(pairs, words),
                "WORDS": polarity(pairs),
                "ERROR": clustered_error(scores[:, 0], images),
            }
            if part == "negative":
                told |= refuted(pairs)
            for name, value in told.items():
                print(part, name, value, flush=True)


def rouge(pairs: list[tuple[str, str]]) -> tuple[float, ...]:
    """Mean F of L, 1 and 2, without a stemmer."""
    from rouge_score.rouge_scorer import RougeScorer

    kinds = ["rougeL", "rouge1", "rouge2"]
    scorer = RougeScorer(kinds, use_stemmer=False)
    found = [scorer.score(truth, reply) for truth, reply in pairs]
    return tuple(float(np.mean([one[kind].fmeasure for one in found])) for kind in kinds)


def bleu(pairs: list[tuple[str, str]]) -> float:
    import sacrebleu

    return float(sacrebleu.corpus_bleu([reply for _, reply in pairs], [[truth for truth, _ in pairs]]).score)


def meteor(pairs: list[tuple[str, str]], words: Any) -> float:
    from nltk.translate.meteor_score import single_meteor_score

    return float(
        np.mean([single_meteor_score(truth.split(), reply.split(), wordnet=words) for truth, reply in pairs])
    )


def nltk_wordnet(source: Path, room: Path) -> Any:
    """NLTK's own reader over a copy of the files; names of lexicographers' files, which METEOR never reads, made up.

    Debian's packages lack `lexnames`, and NLTK refuses corpora that are links, or lie outside its own folders. The map
    to other versions of WordNet, for which NLTK wants an index of senses, serves languages other than English alone.
    """
    import nltk
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    class Reader(WordNetCorpusReader):  # type: ignore[misc]
        def map_wn(self, version: str = "wordnet") -> None:
            return None

    corpus = room / "corpora" / "wordnet"
    shutil.copytree(source, corpus)
    names = corpus / "lexnames"
    if not names.exists():
        names.write_text("".join(f"{number:02d}\tfile{number}\t0\n" for number in range(_FILES)))
    nltk.data.path.insert(0, str(room))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Reader(str(corpus), None)


def polarity(pairs: list[tuple[str, str]]) -> tuple[int, float]:
    """(rows where truth and reply both begin with yes or no, the share of them where it is the same word)."""
    found = [(opening(truth), opening(reply)) for truth, reply in pairs]
    both = [(one, other) for one, other in found if one and other]
    return len(both), float(np.mean([one == other for one, other in both]))


def refuted(pairs: list[tuple[str, str]]) -> dict[str, object]:
    """The premises that the truth refutes in a word, and the replies to them that begin with yes, with no."""
    replies = [opening(reply) for truth, reply in pairs if opening(truth) == "no"]
    return {"REFUTED": len(replies), "STRICT": (replies.count("yes"), replies.count("no"))}


def opening(text: str) -> str | None:
    found = _WORD.match(text)
    return found[1].casefold() if found and not _BOTH.match(text) else None


def clustered_error(values: Any, clusters: list[str]) -> float:
    """The standard error of a mean whose rows come in clusters, as inspect_ai's `stderr(cluster=)` has it."""
    off = values - values.mean()
    sums = [off[[name == cluster for name in clusters]].sum() for cluster in sorted(set(clusters))]
    count = len(sums)
    return float(np.sqrt(count / (count - 1) * np.sum(np.square(sums))) / len(values))


if __name__ == "__main__":
    main(*sys.argv[1:])
