"""What `mht evaluate` can be told, and how it says what it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.config_evaluate import EvaluateConfig, load
from mht.errors import ConfigError

MODEL = "model.model=org/name", f"model.revision={'a' * 40}"
BENCHMARK = ("benchmarks.vqa_rad.path=copy",)
JUDGE = ("judges.endpoint.model.model=m", "judges.endpoint.model.base_url=http://127.0.0.1:9/v1")
FILE = (*BENCHMARK, "predictions.path=a.csv", "predictions.judgement=result")


def test_the_shipped_file_is_read() -> None:
    shipped = Path(__file__).parents[1] / "conf" / "evaluate.yaml"
    config = load(str(shipped), [*MODEL, *BENCHMARK])
    assert config == load(None, [*MODEL, *BENCHMARK])
    assert config.model is not None
    assert (config.model.kind, config.benchmarks["vqa_rad"].kind, config.called) == (
        "transformers",
        "vqa_rad",
        "name",
    )
    resolved = config.resolved()
    assert resolved["benchmarks"]["vqa_rad"]["split"] == "test"
    assert resolved["model"]["batch_size"] == 8


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (MODEL, "benchmarks: Value error, name at least one"),
        (BENCHMARK, "give either model.model"),
        ((*MODEL, *BENCHMARK, "predictions.path=a.csv"), "give either model.model"),
        ((*BENCHMARK, "predictions.path=a.csv", "baselines.question_only=true"), "has none to ask"),
        ((*MODEL, "benchmarks.vqa_rud.path=copy"), "did you mean 'vqa_rad'?"),
        ((*MODEL, *BENCHMARK, "benchmarks.vqa_rad.spilt=test"), "did you mean 'split'?"),
        ((*MODEL, *BENCHMARK, 'metrics={"pup": {}}'), "did you mean 'pope'?"),
        ((*MODEL, *BENCHMARK, "metrics.only=[pup]"), "metrics.only: "),
        ((*MODEL, *BENCHMARK, "metrics.only=[pup]"), "did you mean 'pope'?"),
        ((*MODEL, *BENCHMARK, "metrics.pup=null"), "did you mean 'pope'?"),
        ((*MODEL, *BENCHMARK, "metrics.only=[]"), "metrics.only"),
        ((*MODEL, *BENCHMARK, "metrics.pope=false"), "or null to leave it out, not False"),
        ((*MODEL, *BENCHMARK, "metrics.only=[pope]", "metrics.pope=null"), "take one of them away"),
        ((*MODEL, *BENCHMARK, "metrics.only=[pope]", "metrics.severity.minor=0"), "is not in only"),
        ((*MODEL, *BENCHMARK, "metrics.severity.minr=0"), "did you mean 'minor'?"),
        ((*MODEL, *BENCHMARK, "model.adaptor=x"), "did you mean 'adapter'?"),
        ((*MODEL, *BENCHMARK, "generation.max_token=5"), "did you mean 'max_tokens'?"),
        ((*MODEL, *BENCHMARK, "intervals.level=1.5"), "intervals.level"),
        ((*MODEL, 'benchmarks={"a/b": {"kind": "vqa_rad", "path": "copy"}}'), "used as a folder's name"),
        ((*MODEL, *BENCHMARK, "output=copy/out"), "are the same place or one inside"),
        ((*MODEL, *BENCHMARK, "output=http://x/y"), "is not object storage"),
        ((*MODEL, *BENCHMARK, "judges.rubrik={}"), "did you mean 'rubric'?"),
        ((*MODEL, *BENCHMARK, "judges.rubric.max_char=5"), "did you mean 'max_chars'?"),
        ((*MODEL, *BENCHMARK, "judges.endpoint={}"), "Name it: judges.endpoint.model.model="),
        ((*MODEL, *BENCHMARK, "judges.rubric.model.model=m"), "Leave judges.rubric.model out"),
        ((*MODEL, *BENCHMARK, "judges.endpoint.model.model=m"), "judges.endpoint.model.base_url: required"),
        ((*MODEL, *BENCHMARK, *JUDGE, "judges.endpoint.model.modl=m"), "did you mean 'model'?"),
        ((*MODEL, *BENCHMARK, 'judges={"a b": {"kind": "rubric"}}'), "used as a folder's name"),
        ((*FILE, "judges.mine.kind=rubric", "predictions.judge=mine"), "have the name 'mine' both"),
    ],
)
def test_mistakes_are_told(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError) as told:
        load(None, words)
    assert says in str(told.value)


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (("model.model=out/base/", "model.adapter=out/run/adapter"), "adapter"),
        (("model.model=out/llava-1.5",), "llava-1.5"),
        (("predictions.path=answers/gpt.v2.jsonl",), "gpt.v2"),
        (("model.model=out/base", "name=mine"), "mine"),
    ],
)
def test_what_a_model_is_called(words: tuple[str, ...], called: str) -> None:
    config: EvaluateConfig = load(None, [*words, *BENCHMARK])
    assert config.called == called


def test_a_side_of_1024_px_whatever_else_is_said_of_images() -> None:
    assert load(None, [*MODEL, *BENCHMARK]).imaging.side_px == 1024
    assert load(None, [*MODEL, *BENCHMARK, "imaging.frames=first"]).imaging.side_px == 1024
    assert load(None, [*MODEL, *BENCHMARK, "imaging.side_px=336"]).imaging.side_px == 336


def test_judges_have_their_kind_by_their_name_and_an_endpoint_by_default() -> None:
    words = [
        "judges.rubric={}",
        *JUDGE,
        "judges.second.kind=endpoint",
        "judges.second.model.kind=transformers",
    ]
    config = load(
        None, [*MODEL, *BENCHMARK, *words, "judges.second.model.model=out/m", "judges.second.samples=3"]
    )
    assert {name: judge.called(name) for name, judge in config.judges.items()} == {
        "rubric": "rubric", "endpoint": "endpoint (m)", "second": "second (m)",
    }  # fmt: skip
    told = config.resolved()["judges"]
    assert told["rubric"] == {"kind": "rubric", "max_chars": 8_000, "model": None, "probes": True}
    assert (told["endpoint"]["model"]["kind"], told["endpoint"]["model"]["concurrency"]) == ("openai", 16)
    assert (told["second"]["model"]["kind"], told["second"]["samples"]) == ("transformers", 3)
