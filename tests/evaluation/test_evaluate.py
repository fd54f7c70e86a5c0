"""An evaluation end to end: rows, likelihoods, scores and baselines; resumed, refused, failed, taken from a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mht.artifacts import FileRecord, read_manifest
from mht.errors import BudgetSpent, ConfigError, InputError, RunConflict, TooManyQuarantined
from mht.evaluation.command import check_answered, summary
from mht.evaluation.run import FORMAT, headline, load, unanswered
from mht.generation import Failure, Heard, Reply, Request
from mht.predictions import Score
from mht.storage import Storage, StorageParams
from tests.engines import tiny
from tests.evaluation.asked import (
    FAKE,
    IMAGES,
    QUESTIONS,
    Engine,
    Failing,
    Weighing,
    columns,
    config,
    once,
    run,
    write_table,
)  # fmt: skip

STORAGE = Storage(StorageParams())
ROWS = IMAGES * len(QUESTIONS)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_table(tmp_path_factory.mktemp("table"))


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.llava(tmp_path_factory.mktemp("models") / "llava")


def files(output: Path) -> list[FileRecord]:
    return read_manifest(STORAGE, str(output), FORMAT)[1]


def score_of(scores: list[Score] | tuple[Score, ...], name: str) -> Score:
    return next(score for score in scores if score.name == name)


def test_a_tiny_model_end_to_end(table: str, llava: Path, tmp_path: Path) -> None:
    given = config(
        table, tmp_path / "out", "generation.yes=yes", "generation.no=no", "generation.max_tokens=40",
        "baselines.question_only=true", model={"model.model": llava},
    )  # fmt: skip
    made = run(given)
    rows = made.benchmarks["made_up"]
    assert len(rows) == ROWS
    assert {row.likelihood_yes is None for row in rows} == {False, True}
    assert len({row.reply for row in rows}) > 5
    assert {"echo_yes", "echo_no", "majority", "caption", "question_only"} == made.baselines.keys()
    blind = {row.row_id: row.reply for row in made.baselines["question_only"].benchmarks["made_up"]}
    assert sum(row.reply != blind[row.row_id] for row in rows) > ROWS / 2
    assert score_of(made.scores["made_up"], "calibration").n == 3 * IMAGES
    again = load(STORAGE, given.output)
    assert again.benchmarks == made.benchmarks
    assert {n: list(s) for n, s in again.scores.items()} == {n: list(s) for n, s in made.scores.items()}
    assert again.baselines["caption"].benchmarks == made.baselines["caption"].benchmarks
    listed = {record.path for record in files(tmp_path / "out")}
    assert {"run.json", "scores.json", "report.html", "report.json", "report.md"} <= listed


def test_any_engine_can_be_the_judge(table: str, llava: Path, tmp_path: Path) -> None:
    """A model that knows nothing of grades: no row is lost, and none has a score."""
    judge = {
        "judges.mine.kind": "endpoint",
        "judges.mine.model.kind": "transformers",
        "judges.mine.model.model": llava,
    }
    given = config(
        table, tmp_path / "out", "judges.mine.max_tokens=64", "metrics.only=[judged]", model=FAKE | judge
    )
    made = run(given, Engine([]))
    found = [row.judged_by("mine (llava)") for row in made.benchmarks["made_up"]]
    assert len([one for one in found if one is not None and one.scores is None]) == ROWS
    told = score_of(made.scores["made_up"], "judged.accuracy")
    assert (told.value, told.n, told.n_asked) == (None, 0, ROWS)
    assert all(reason.startswith("judge_error_") for reason, _ in told.unscored)


def test_rows_are_those_of_the_benchmark(table: str, tmp_path: Path) -> None:
    asked: list[str] = []
    made = run(config(table, tmp_path / "out"), Weighing(asked))
    rows = {row.row_id: row for row in made.benchmarks["made_up"]}
    assert sorted(rows) == sorted(f"{image}-{at}" for image in range(IMAGES) for at in range(len(QUESTIONS)))
    assert rows["3-1"].question == QUESTIONS[1][0]
    assert (rows["3-1"].state, rows["3-1"].benchmark, rows["3-1"].image_id) == (
        "hallucinated",
        "made_up",
        "3.png",
    )
    assert (rows["3-1"].likelihood_yes, rows["3-2"].likelihood_yes) == (0.75, None)
    assert made.spent == {"calls": ROWS, "prompt_tokens": 5 * ROWS, "tokens": 3 * ROWS}
    yes = score_of(made.scores["made_up"], "pope")
    assert (yes.value, yes.n, yes.n_asked) == (pytest.approx(2 / 3), 3 * IMAGES, 3 * IMAGES)
    no = score_of(made.baselines["echo_no"].scores["made_up"], "pope")
    assert no.value == pytest.approx(1 / 3)
    captions = made.baselines["caption"].benchmarks["made_up"]
    assert sum(row.failure == "no_caption" for row in captions) == ROWS / 2


class Letters(Engine):
    """Replies with a letter, and finds the first of the answers that are compared likeliest; keeps them."""

    def __init__(
        self,
        compared: list[tuple[tuple[str, ...], int]],
        stop: int | None = None,
        at_stop: Callable[[list[Reply]], None] | None = None,
    ) -> None:
        super().__init__([], stop, at_stop)
        self.compared = compared

    def reply(self, request: Request) -> Reply:
        return Reply(request.request_id, "The answer is B.")

    def generate_weighed(
        self, requests: Sequence[Request], answers: Sequence[str], tell: Callable[[Heard], None]
    ) -> tuple[list[Reply], list[tuple[float, ...] | Failure]]:
        self.compared.append((tuple(answers), len(requests)))
        rest = 0.4 / (len(answers) - 1)
        return self.generate(requests, tell), [(0.6, *[rest] * (len(answers) - 1)) for _ in requests]


def test_choices_are_weighed_by_their_letters_and_counted_beside_chance_and_the_majority(
    tmp_path: Path,
) -> None:
    """Choices of three and of two options, yes-no and open questions in one part."""
    rows: list[dict[str, object]] = [
        {"id": f"c{at}", "question": "which organ ?", "answer": word, "options": ["lung", "heart", "liver"]}
        for at, word in enumerate(("heart", "heart", "lung"))
    ]
    rows.append({"id": "two", "question": "which side ?", "answer": "A", "options": ["left", "right"]})
    choices = write_replies(tmp_path / "choices.jsonl", rows)
    plain = [
        {"id": f"p{at}", "question": "is it so ?", "answer": word} for at, word in enumerate(("yes", "left"))
    ]
    others = write_replies(tmp_path / "others.jsonl", plain)
    keys: dict[str, object] = {}
    for name, path, more in (("choices", choices, {"options": "options"}), ("others", others, {})):
        given: dict[str, object] = {
            "kind": "table",
            "path": path,
            "id": "id",
            "image": "null",
            "text_only": True,
        }
        keys |= {f"benchmarks.{name}.{key}": value for key, value in (given | more).items()}
    compared: list[tuple[tuple[str, ...], int]] = []
    made = run(config("", tmp_path / "out", model=FAKE | keys), Letters(compared))
    assert compared == [(("A", "B", "C"), 3), (("A", "B"), 1), (("Yes", "No"), 2)]
    told = {
        row.row_id: (row.likelihoods, row.likelihood_yes) for of in made.benchmarks.values() for row in of
    }
    assert told["c1"] == ((0.6, 0.2, 0.2), None)
    assert told["two"] == ((0.6, 0.4), None)
    assert (told["p0"], told["p1"]) == ((None, 0.6), (None, None))
    found = {one.name: one.value for one in made.scores["choices"]}
    assert (found["choice"], found["choice.likelihood"]) == (0.5, 0.5)
    assert found["choice.chance"] == pytest.approx((3 / 3 + 1 / 2) / 4)
    often = score_of(made.baselines["majority"].scores["choices"], "choice.of_all")
    assert (often.value, often.n, often.n_asked) == (pytest.approx(2 / 3), 3, 4)
    assert often.low is not None
    assert load(STORAGE, str(tmp_path / "out")).benchmarks == made.benchmarks


def test_what_was_said_before_other_answers_are_compared_is_kept_when_the_engine_stops(
    tmp_path: Path,
) -> None:
    rows: list[dict[str, object]] = [
        {"id": "three", "question": "which organ ?", "answer": "A", "options": ["lung", "heart", "liver"]},
        {"id": "two", "question": "which side ?", "answer": "A", "options": ["left", "right"]},
    ]
    given: dict[str, object] = {
        "kind": "table", "path": write_replies(tmp_path / "choices.jsonl", rows), "id": "id", "image": "null",
        "text_only": True, "options": "options",
    }  # fmt: skip
    keys = {f"benchmarks.choices.{key}": value for key, value in given.items()}
    chosen = config("", tmp_path / "out", model=FAKE | keys)

    def stop(replies: list[Reply]) -> None:
        raise BudgetSpent("no more", replies)

    first, second = Letters([], 1, stop), Letters([])
    with pytest.raises(BudgetSpent):
        run(chosen, first)
    made = run(chosen, second)
    assert (first.asked, second.asked) == (["choices/three"], ["choices/two"])
    assert [row.reply for row in made.benchmarks["choices"]] == ["The answer is B."] * 2


class Batches(Engine):
    """Tells its replies two by two with the answers' probabilities, as an engine of this process does."""

    def generate_weighed(
        self, requests: Sequence[Request], answers: Sequence[str], tell: Callable[[Heard], None]
    ) -> tuple[list[Reply], list[tuple[float, ...] | Failure]]:
        replies: list[Reply] = []
        for begin in range(0, len(requests), 2):
            if self._at_stop is not None and len(self.asked) == self._stop:
                self._at_stop(replies)
            batch = [self.reply(request) for request in requests[begin : begin + 2]]
            self.asked += [reply.request_id for reply in batch]
            replies += batch
            ready = tuple(replace(reply, shares=(0.75, 0.25)) for reply in batch)
            tell(Heard(len(batch), 6, len(requests) - len(replies), ready))
        return replies, [(0.75, 0.25)] * len(replies)


def test_batches_that_were_finished_when_the_process_went_are_kept_with_their_likelihoods(
    table: str, tmp_path: Path
) -> None:
    def kill(_: list[Reply]) -> None:
        raise Killed

    given, asked = config(table, tmp_path / "out", "part_questions=100"), list[str]()
    with pytest.raises(Killed):
        run(given, Batches(asked, 10, kill))
    made = run(given, Batches(asked))
    assert once(asked)
    assert len(asked) == ROWS
    likely = {row.likelihood_yes for row in made.benchmarks["made_up"] if row.polarity is not None}
    assert likely == {0.75}


class Killed(Exception):
    """As if the process had gone."""


@pytest.mark.parametrize("stop", [3, 8, 13, 20])
def test_what_is_answered_is_never_asked_again(table: str, tmp_path: Path, stop: int) -> None:
    def kill(_: list[Reply]) -> None:
        raise Killed

    given, asked = config(table, tmp_path / "out"), list[str]()
    with pytest.raises(Killed):
        run(given, Engine(asked, stop, kill))
    later: list[str] = []
    made = run(given, Engine(later))
    assert once([*asked, *later])
    assert len([*asked, *later]) == ROWS
    whole = run(config(table, tmp_path / "undisturbed"), Engine([]))
    assert made.benchmarks == whole.benchmarks
    assert made.scores == whole.scores


def test_replies_of_an_engine_that_stopped_are_kept(table: str, tmp_path: Path) -> None:
    def stop(replies: list[Reply]) -> None:
        raise BudgetSpent("no more", replies)

    given, asked = config(table, tmp_path / "out"), list[str]()
    with pytest.raises(BudgetSpent):
        run(given, Engine(asked, 13, stop))
    run(given, Engine(asked))
    assert len(asked) == ROWS
    assert once(asked)


def test_a_finished_run_is_read_and_not_made_again(table: str, tmp_path: Path) -> None:
    given, asked = config(table, tmp_path / "out"), list[str]()
    made = run(given, Engine(asked))
    before = {record.path: record.sha256 for record in files(tmp_path / "out")}
    again = run(given, Engine(asked))
    assert len(asked) == ROWS
    assert again.benchmarks == made.benchmarks
    rescored = run(config(table, tmp_path / "out", "metrics.only=[pope]"), Engine(asked))
    assert len(asked) == ROWS
    assert {score.name.partition(".")[0] for score in rescored.scores["made_up"]} == {"pope"}
    after = {record.path: record.sha256 for record in files(tmp_path / "out")}
    assert {p: s for p, s in after.items() if p.startswith("predictions")} == {
        p: s for p, s in before.items() if p.startswith("predictions")
    }


def test_another_model_or_prompt_is_another_run(table: str, tmp_path: Path) -> None:
    asked: list[str] = []
    run(config(table, tmp_path / "out"), Engine(asked))
    with pytest.raises(RunConflict, match=r'model \(model\): "fake" -> "other"'):
        run(config(table, tmp_path / "out", "model.model=other"), Engine(asked))
    with pytest.raises(RunConflict, match=r'generation.system: null -> "you are careful"'):
        run(config(table, tmp_path / "out", "generation.system=you are careful"), Engine(asked))
    with pytest.raises(RunConflict, match="questions of made_up"):
        run(config(table, tmp_path / "out", "benchmarks.made_up.suffix=Answer briefly."), Engine(asked))
    assert len(asked) == ROWS
    run(config(table, tmp_path / "out", "model.model=other", "new_run=true"), Engine(asked))
    assert len(asked) == 2 * ROWS


def test_replies_of_another_address_are_taken_over_and_it_is_said(table: str, tmp_path: Path) -> None:
    """Also by the run after that; the label of what is served there makes it another model."""
    asked: list[str] = []
    assert not any("asked at" in one for one in run(config(table, tmp_path / "out"), Engine(asked)).remarks)
    moved = {"model.base_url": "http://127.0.0.1:10/v1"}
    for words in ([], ["partial=true"]):
        made = run(config(table, tmp_path / "out", *words, model=FAKE | moved), Engine(asked))
        assert [one for one in made.remarks if "asked at" in one] == [
            "model is asked at http://127.0.0.1:10/v1, and replies that http://127.0.0.1:9/v1 gave under the same name "
            "are taken over; if other weights are served there, give model.revision a label of its own"
        ]
    assert len(asked) == ROWS
    other = config(table, tmp_path / "out", "model.revision=second", "new_run=true", model=FAKE | moved)
    assert not any("asked at" in one for one in run(other, Engine(asked)).remarks)
    assert len(asked) == 2 * ROWS


def test_another_benchmark_beside_it_asks_only_its_own(table: str, tmp_path: Path) -> None:
    asked: list[str] = []
    run(config(table, tmp_path / "out"), Engine(asked))
    second = columns("second", write_table(tmp_path / "small", images=2))
    both = config(table, tmp_path / "out", "new_run=true", model=FAKE | second)
    made = run(both, Engine(asked))
    assert len(asked) == ROWS + 2 * len(QUESTIONS)
    assert {name: len(rows) for name, rows in made.benchmarks.items()} == {"made_up": ROWS, "second": 8}


def test_failed_requests_are_rows_and_are_asked_again_if_they_failed_in_passing(
    table: str, tmp_path: Path
) -> None:
    failures = {
        "made_up/0-0": Failure.TIMEOUT,
        "made_up/1-3": Failure.FILTERED,
        "made_up/5-1": Failure.RATE_LIMITED,
    }
    given, asked = config(table, tmp_path / "out"), list[str]()
    made = run(given, Failing(asked, failures))
    rows = {row.row_id: row for row in made.benchmarks["made_up"]}
    assert (rows["0-0"].reply, rows["0-0"].failure) == (None, "timeout")
    assert made.answered("made_up") == (ROWS - 3, ROWS)
    told = score_of(made.scores["made_up"], "pope")
    assert (told.n, told.n_asked) == (3 * IMAGES - 3, 3 * IMAGES)
    assert unanswered(told) == 3
    assert (headline(told, partial=False), headline(told, partial=True)) == (None, told.value)
    assert "refused: 3 of 18 rows failed" in summary(given, made)
    with pytest.raises(TooManyQuarantined, match="3 of 24 requests had no reply"):
        check_answered(given, made)
    later: list[str] = []
    healed = run(given, Engine(later))
    assert sorted(later) == ["made_up/0-0", "made_up/5-1"]
    assert healed.answered("made_up") == (ROWS - 1, ROWS)
    assert healed.spent["calls"] == ROWS + 2
    assert [row.failure for row in healed.benchmarks["made_up"] if row.failure] == ["filtered"]


def write_replies(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_predictions_of_another_tool(table: str, tmp_path: Path) -> None:
    replies: list[dict[str, object]] = [
        {"question_id": f"{image}-{at}", "text": "No.", "p": 0.1}
        for image in range(IMAGES)
        for at in range(len(QUESTIONS))
    ]
    replies[0]["question_id"] = "a stranger"
    replies[1]["text"] = None
    path = write_replies(tmp_path / "answers.jsonl", replies)
    file: dict[str, object] = {
        "predictions.path": path, "predictions.id": "question_id", "predictions.reply": "text",
        "predictions.likelihood_yes": "p",
    }  # fmt: skip
    made = run(config(table, tmp_path / "out", model=file))
    rows = {row.row_id: row for row in made.benchmarks["made_up"]}
    assert (rows["0-0"].failure, rows["0-1"].failure) == ("not_in_file", "no_reply_in_file")
    assert (rows["1-0"].reply, rows["1-0"].likelihood_yes) == ("No.", 0.1)
    assert made.name == "answers"
    assert any("1 of the 24 rows of the file" in remark for remark in made.remarks)
    assert made.answered("made_up") == (ROWS - 2, ROWS)
    twice = write_replies(tmp_path / "twice.jsonl", [*replies, replies[5]])
    with pytest.raises(InputError, match="stands there twice"):
        run(config(table, tmp_path / "twice", model=file | {"predictions.path": twice}))
    changed = write_replies(tmp_path / "answers.jsonl", replies[:-1])
    assert changed == path
    with pytest.raises(RunConflict, match=r"model \(digest\)"):
        run(config(table, tmp_path / "out", model=file))


def test_another_column_of_replies_is_never_taken_for_the_first(table: str, tmp_path: Path) -> None:
    """Nor another column of likelihoods; what a judge said in the file changes no reply."""
    names = [f"{image}-{at}" for image in range(IMAGES) for at in range(len(QUESTIONS))]
    rows: list[dict[str, object]] = [
        {"row_id": name, "x": "Yes.", "y": "No.", "p": 0.1, "q": 0.9} for name in names
    ]
    path = write_replies(tmp_path / "answers.jsonl", rows)

    def told(*words: str, **columns: str) -> set[tuple[str | None, float | None]]:
        given = {"predictions.path": path} | {f"predictions.{key}": of for key, of in columns.items()}
        made = run(config(table, tmp_path / "out", *words, model={**given}))
        return {(row.reply, row.likelihood_yes) for row in made.benchmarks["made_up"]}

    assert told(reply="x", likelihood_yes="p") == {("Yes.", 0.1)}
    with pytest.raises(RunConflict, match=r"predictions\.reply"):
        told(reply="y", likelihood_yes="p")
    assert told("new_run=true", reply="y", likelihood_yes="p") == {("No.", 0.1)}
    assert told("new_run=true", reply="y", likelihood_yes="q") == {("No.", 0.9)}
    assert told("new_run=true", reply="x", likelihood_yes="p") == {("Yes.", 0.1)}


class Rambling(Engine):
    """Comes to no end but in the first image's replies."""

    def reply(self, request: Request) -> Reply:
        if "/0-" in request.request_id:
            return super().reply(request)
        said = "Yes, there is, and" if request.cut_ok else None
        return Reply(request.request_id, said, None if said else Failure.CUT_SHORT, "raise max_tokens")


def test_replies_that_the_bound_ended_are_scored_as_far_as_they_go(table: str, tmp_path: Path) -> None:
    made = run(config(table, tmp_path / "out"), Rambling([]))
    assert made.answered("made_up") == (ROWS, ROWS)
    assert score_of(made.scores["made_up"], "polarity").n == 3 * IMAGES
    assert [remark for remark in made.remarks if "ended by max_tokens" in remark] == [
        "20 of 24 replies were ended by max_tokens and are scored as far as they go; raise generation.max_tokens"
    ]
    strict = config(table, tmp_path / "strict", "generation.keep_cut=false", "run.max_failed=1")
    assert run(strict, Rambling([])).answered("made_up") == (4, ROWS)


def test_the_released_answers_and_judgements_of_medhalltune(reference_data: Path, tmp_path: Path) -> None:
    """The release's own files are benchmark and predictions both; its means come out, and its files again."""
    release = reference_data / "medhalltune"
    file: dict[str, object] = {
        "predictions.path": release, "predictions.official": "medhalltune", "predictions.judgement": "result",
        "predictions.judge": "gpt-4o-mini", "benchmarks.mht.kind": "medhalltune", "benchmarks.mht.path": release,
        "benchmarks.mht.text_only": "true",
    }  # fmt: skip
    made = run(config("", tmp_path / "out", "metrics.only=[judged]", model=file))
    assert made.answered("mht") == (1117, 1117)
    rows = [
        json.loads(line)
        for split in ("positive", "negative")
        for line in (release / f"{split}.jsonl").read_text().splitlines()
    ]
    mean = sum(float(row["result"].split()[0]) for row in rows) / len(rows)
    assert score_of(made.scores["mht"], "judged.accuracy").value == pytest.approx(mean, abs=1e-9)
    assert "official/mht/negative.jsonl: 561 of 561 rows" in made.remarks
    again = (tmp_path / "out" / "official" / "mht" / "negative.jsonl").read_text().splitlines()
    assert [json.loads(line)["answer"] for line in again] == [row["answer"] for row in rows[556:]]
    judged = (
        (tmp_path / "out" / "official" / "mht" / "gpt-4o-mini" / "negative.jsonl").read_text().splitlines()
    )
    assert [json.loads(line)["result"].split() for line in judged] == [
        row["result"].splitlines()[0].split() for row in rows[556:]
    ]
    with pytest.raises(ConfigError, match="vqa_rad keeps no answers in its release"):
        config("", tmp_path / "out", model=file | {"predictions.official": "vqa_rad"})


def test_rows_of_vqa_rad(reference_data: Path, llava: Path, tmp_path: Path) -> None:
    """Of the whole release sixty rows: half of them closed, most of them answered, none lost."""
    lines = (reference_data / "vqa_rad" / "train.jsonl").read_text().splitlines()[:60]
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "train.jsonl").write_text("\n".join(lines))
    given = config(
        "", tmp_path / "out", "generation.yes=yes", "generation.no=no", "generation.max_tokens=16", "part_questions=32",
        model={
            "model.model": llava, "benchmarks.vqa_rad.path": tmp_path / "copy", "benchmarks.vqa_rad.split": "train",
            "benchmarks.vqa_rad.images": reference_data / "vqa_rad" / "images",
        },
    )  # fmt: skip
    made = run(given)
    rows = made.benchmarks["vqa_rad"]
    assert len(rows) == 60
    assert {row.row_id for row in rows} == {str(json.loads(line)["qid"]) for line in lines}
    closed = [row for row in rows if row.polarity is not None]
    assert 20 < len(closed) < 60
    assert all(row.likelihood_yes is not None for row in closed)
    assert {row.failure for row in rows} <= {None, "cut_short"}
    told = score_of(made.scores["vqa_rad"], "calibration")
    assert told.n_asked == len(closed)
    assert any("licence: CC0" in note for note in made.notes["vqa_rad"])
    blind = {name: score_of(one.scores["vqa_rad"], "polarity") for name, one in made.baselines.items()}
    yes, no, often = (blind[name] for name in ("echo_yes", "echo_no", "majority"))
    assert yes.n == no.n == often.n == len(closed)
    assert (yes.value or 0) + (no.value or 0) == pytest.approx(1)
    assert often.value == max(yes.value or 0, no.value or 0)
    assert often.low is not None
