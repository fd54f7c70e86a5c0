"""The certificate of a run: made once, on its own model and data; without it, images are not shared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mht.model.ranks import Ranks
from mht.storage import Storage, StorageParams
from mht.training import proof as module
from mht.training.proof import Proof
from mht.training.trainee import Trainee
from tests.training import ranked

STORAGE = Storage(StorageParams())


@pytest.fixture(scope="module")
def trainee(llava: Path) -> Trainee:
    return ranked.trainee_of(ranked.config_of(llava), Ranks())


def proof(root: Path, said: list[str]) -> Callable[..., bool]:
    import torch

    return Proof(STORAGE, str(root), ranked.CPU, torch.float32, ranked.examples(2), said.append)


def test_it_is_made_once_and_nothing_is_trained_by_it(trainee: Trainee, tmp_path: Path) -> None:
    said: list[str] = []
    trained = {name for name, p in trainee.learner.named_parameters() if p.requires_grad}
    assert proof(tmp_path, said)(trainee.learner, trainee.speech, trainee.chat)
    made = json.loads((tmp_path / "certificate.json").read_text())
    assert (made["shared"], made["because"], made["exchanges"]) == (True, "proven", 3)
    assert 0 < made["gradient"] < 1e-5
    # Of the adapter nothing yet: it changes nothing before the first step.
    whole = sum(p.numel() for n, p in trainee.learner.named_parameters() if "lora_" not in n)
    assert (made["proven"], made["gradient_of"]) == (True, "all parameters")
    assert made["gradient_parameters"] == whole
    assert {name for name, p in trainee.learner.named_parameters() if p.requires_grad} == trained
    assert all(p.grad is None for p in trainee.learner.parameters())
    (tmp_path / "certificate.json").write_text(
        json.dumps(made | {"shared": False, "because": "for the test"})
    )
    assert not proof(tmp_path, said)(trainee.learner, trainee.speech, trainee.chat)
    assert said == ["llava: exchanges do not share their image: for the test"]


def test_of_a_larger_model_the_norms_are_compared(
    trainee: Trainee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRADIENT_BYTES", 1000)
    said: list[str] = []
    assert proof(tmp_path, said)(trainee.learner, trainee.speech, trainee.chat)
    made = json.loads((tmp_path / "certificate.json").read_text())
    assert (made["proven"], made["gradient_of"]) == (True, "the language model's norms")
    assert 0 < made["gradient_parameters"] < 1000
    assert 0 < made["gradient"] < 1e-5
    assert said == []


def test_of_a_model_that_is_too_large_it_is_said_that_nothing_was_proven(
    trainee: Trainee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_fits", lambda *_: False)
    said: list[str] = []
    assert proof(tmp_path, said)(trainee.learner, trainee.speech, trainee.chat)
    made = json.loads((tmp_path / "certificate.json").read_text())
    assert (made["shared"], made["proven"]) == (True, False)
    assert "was not proven on this model" in said[0]
    assert proof(tmp_path, said)(trainee.learner, trainee.speech, trainee.chat)
    assert said[0] == said[1], "a run that goes on says it again"


def test_a_family_that_is_not_admitted_does_not_share(trainee: Trainee, tmp_path: Path) -> None:
    said: list[str] = []
    before = trainee.learner.architecture
    trainee.learner.architecture = replace(before, admitted=False)
    try:
        assert not proof(tmp_path, said)(trainee.learner, trainee.speech, trainee.chat)
    finally:
        trainee.learner.architecture = before
    assert "not admitted" in said[0]


def test_a_difference_is_found(trainee: Trainee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With targets that are weighed twice in the packed pass, loss and gradient differ."""
    forward: Any = type(trainee.learner).forward

    def doubled(self: Any, batch: Any) -> Any:
        found = forward(self, batch)
        return replace(found, sums=found.sums * 1.01)

    monkeypatch.setattr(type(trainee.learner), "forward", doubled)
    said: list[str] = []
    assert not proof(tmp_path, said)(trainee.learner, trainee.speech, trainee.chat)
    assert "differs from that of separate rows" in said[0]
