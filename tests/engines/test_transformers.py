"""What is checked before anything is loaded, and by which name each request fails."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mht.engines.transformers import Engine, Params, check, identity
from mht.errors import ConfigError, InputError
from mht.generation import Failure, Heard, Request
from tests.engines import tiny
from tests.engines.one import QUESTION, one

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("revision", ["main", "v1", COMMIT[:7], COMMIT.upper()])
def test_a_revision_that_can_move_is_refused(revision: str) -> None:
    with pytest.raises(ValidationError, match="full commit id"):
        Params(model="owner/name", revision=revision)


def test_remote_code_needs_a_pinned_revision() -> None:
    with pytest.raises(ValidationError, match="pin it with revision"):
        Params(model="owner/name", trust_remote_code=True)
    assert Params(model="owner/name", trust_remote_code=True, revision=COMMIT).trust_remote_code


def test_a_hub_id_needs_a_revision_and_a_folder_has_none(llava: Path) -> None:
    with pytest.raises(ConfigError, match="a revision, a full commit id"):
        check(Params(model="owner/name"))
    check(Params(model="owner/name", revision=COMMIT))
    with pytest.raises(ConfigError, match="leave revision out"):
        check(Params(model=str(llava), revision=COMMIT))


@pytest.mark.parametrize("gone", ["torch", "transformers", "safetensors", "peft"])
def test_a_missing_package_is_named_with_its_remedy(
    llava: Path, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == gone else find(name))
    with pytest.raises(ConfigError, match=rf"needs {gone}: pip install mht\[transformers\]"):
        check(Params(model=str(llava), adapter=str(llava)))
    if gone == "peft":
        check(Params(model=str(llava)))


def test_check_reads_the_adapter_too(llava: Path) -> None:
    with pytest.raises(InputError, match=r"no adapter_config\.json"):
        check(Params(model=str(llava), adapter=str(llava)))


def test_a_gpu_that_is_not_there_is_no_cpu(llava: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="sees no GPU"):
        Engine(Params(model=str(llava), device="cuda"))


def test_identity_says_what_decides_a_reply_and_no_more(llava: Path, llama: Path, copy: Path) -> None:
    said = identity(Params(model=str(llama)))
    assert said == identity(Params(model=str(copy), batch_size=3, device="cpu"))
    assert said != identity(Params(model=str(llava)))
    assert said != identity(Params(model=str(llama), dtype="bfloat16"))
    hub = Params(model="owner/name", revision=COMMIT)
    assert identity(hub) == {"model": "owner/name", "revision": COMMIT, "adapter": None, "dtype": "auto"}


def test_a_reply_without_end_is_cut_short(engine: Engine) -> None:
    whole = one(engine)
    cut = one(engine, max_tokens=whole.tokens)
    assert (cut.text, cut.failure, cut.tokens) == (None, Failure.CUT_SHORT, whole.tokens)
    assert "raise max_tokens" in cut.detail
    assert one(engine, max_tokens=whole.tokens + 1).text == whole.text
    taken = one(engine, max_tokens=whole.tokens - 1, cut_ok=True)
    assert taken.failure is None
    assert taken.text
    assert str(whole.text).startswith(taken.text)
    assert "raise max_tokens" in taken.detail


def with_context(params: Params, tokens: int) -> Any:
    from mht.engines import _loading

    return replace(_loading.load(params), context=tokens)


def test_a_prompt_that_fills_the_context_is_too_long_and_no_other_suffers(
    engine: Engine, llava: Path
) -> None:
    long = " ".join(["lung"] * 30)
    asked = [
        Request("short", QUESTION, None, tiny.png(1), max_tokens=60),
        Request("long", long, None, tiny.png(1), max_tokens=60),
        Request("only", long, None, tiny.png(2), max_tokens=60),
        Request("other", QUESTION, None, tiny.png(3), max_tokens=60),
        Request("text", f"{long} {long}", max_tokens=60),
    ]
    with Engine(Params(model=str(llava)), lambda params: with_context(params, 49)) as narrow:
        replies = narrow.generate(asked)
    assert [reply.failure is Failure.PROMPT_TOO_LONG for reply in replies] == [False, True, True, False, True]
    assert replies[1].detail == "49 tokens, and the model's context is 49; shorten the prompt"
    assert [replies[0], replies[3]] == engine.generate([asked[0], asked[3]])


def test_a_context_that_fills_up_cuts_the_reply_short(engine: Engine, llava: Path) -> None:
    whole = one(engine)
    with Engine(
        Params(model=str(llava)), lambda params: with_context(params, whole.prompt_tokens + whole.tokens)
    ) as narrow:
        cut = one(narrow)
    assert cut.failure is Failure.CUT_SHORT
    assert "context of" in cut.detail


class Spoilt:
    """A forward that is wrong for some rows: `wrong(ids, logits)` may raise, or spoil logits."""

    def __init__(self, forward: Any, wrong: Callable[[Any, Any], None]) -> None:
        self._forward = forward
        self._wrong = wrong

    def __call__(self, ids: Any, *more: Any) -> Any:
        logits = self._forward(ids, *more)
        self._wrong(ids, logits)
        return logits


def spoilt(llava: Path, wrong: Callable[[Any, Any], None]) -> Engine:
    from mht.engines import _loading

    def load(params: Params) -> Any:
        made = _loading.load(params)
        return replace(made, forward=Spoilt(made.forward, wrong))

    return Engine(Params(model=str(llava), batch_size=8), load)


def questions() -> list[Request]:
    """Twelve on two images; number 5 alone has the word kidney."""
    words = [
        "lung",
        "heart",
        "liver",
        "chest",
        "head",
        "kidney",
        "nodule",
        "mass",
        "brain",
        "left",
        "right",
        "side",
    ]
    return [
        Request(f"{n}", f"is the {word} normal ?", None, tiny.png(n % 2), max_tokens=60)
        for n, word in enumerate(words)
    ]


def kidney() -> int:
    return int(tiny.tokenizer().convert_tokens_to_ids("kidney"))


def test_a_batch_that_does_not_fit_is_halved_and_says_the_same(engine: Engine, llava: Path) -> None:
    import torch

    sizes: list[int] = []

    def cramped(_: Any, logits: Any) -> None:
        sizes.append(len(logits))
        if len(logits) > 4:
            raise torch.OutOfMemoryError

    with spoilt(llava, cramped) as small:
        assert small.generate(questions()) == engine.generate(questions())
    # All twelve beside each other, eight, then four.
    assert [size for size in sizes if size > 4] == [12, 8]
    assert sizes.count(4) >= 3


def test_a_request_that_does_not_fit_alone_fails_alone(engine: Engine, llava: Path) -> None:
    import torch

    def poisoned(ids: Any, _: Any) -> None:
        if bool((ids == kidney()).any()):
            raise torch.OutOfMemoryError

    heard: list[Heard] = []
    with spoilt(llava, poisoned) as small:
        replies = small.generate(questions(), heard.append)
    assert replies[5].failure is Failure.OUT_OF_MEMORY
    assert "do not fit in memory alone" in replies[5].detail
    rest = [request for n, request in enumerate(questions()) if n != 5]
    assert replies[:5] + replies[6:] == engine.generate(rest)
    assert sum(sign.replies for sign in heard) == len(replies)


def test_logits_that_are_not_finite_fail_that_request_alone(engine: Engine, llava: Path) -> None:
    def blinded(ids: Any, logits: Any) -> None:
        # All that are read in one row with it.
        logits[(ids == kidney()).any(1).expand(len(logits))] = float("nan")

    with spoilt(llava, blinded) as wrong:
        replies = wrong.generate(questions())
        likely = wrong.likelihoods(questions(), ("yes", "no"))
    # What an image's questions begin with is not spoilt; the one row is, when its rest is read.
    assert replies[5].failure is Failure.NOT_FINITE
    rest = [n for n in range(12) if n != 5]
    assert [replies[n] for n in rest] == engine.generate([questions()[n] for n in rest])
    assert [one is Failure.NOT_FINITE for one in likely] == [n == 5 for n in range(12)]


def test_a_reply_of_no_text_is_empty(llava: Path) -> None:
    def ended(ids: Any, logits: Any) -> None:
        logits[:, 3] = 1e9

    with spoilt(llava, ended) as mute:
        reply = one(mute)
    assert (reply.text, reply.failure, reply.tokens) == (None, Failure.EMPTY_REPLY, 0)


def test_an_architecture_without_parity_test_is_named(
    llava: Path, model: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        with Engine(Params(model=str(model("gemma")))) as engine:
            assert not engine.loaded.shares
            assert one(engine, image=None).failure in (None, Failure.EMPTY_REPLY, Failure.CUT_SHORT)
        Engine(Params(model=str(llava))).close()
    assert [
        record.getMessage() for record in caplog.records if record.name == "mht.engines.transformers"
    ] == [f"{model('gemma')}: sharing is not tested for gemma; each question reads its image anew"]
