"""The vllm engine against a stand-in of vLLM's documented interface: what it is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from mht.engines.vllm import Engine, Params, check, identity
from mht.errors import ConfigError
from mht.generation import Failure, Heard, Reply, Request

JPEG = b"\xff\xd8\xff\xe0 a picture"
MAX_LEN = 50
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class OutOfMemoryError(RuntimeError):
    """torch's, by name."""


@dataclass
class StandIn:
    """What `import vllm` gives: it answers with the prompt's last word as it is told to, and writes all down.

    A prompt longer than `MAX_LEN` is refused with the whole batch, as vLLM does; over `room` requests at once, or a
    prompt that holds `huge`, run out of memory.
    """

    room: int = 1000
    made: dict[str, Any] = field(default_factory=dict)
    batches: list[list[str]] = field(default_factory=list)
    asked: list[tuple[Any, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sampling_params = SimpleNamespace(StructuredOutputsParams=lambda json: ("schema", json))

    def LLM(self, **options: Any) -> "StandIn":  # noqa: N802
        self.made = options
        return self

    def SamplingParams(self, **options: Any) -> dict[str, Any]:  # noqa: N802
        return options

    def chat(self, messages: list[Any], sampling_params: list[Any], use_tqdm: bool) -> list[Any]:
        assert not use_tqdm
        prompts = [_prompt(one) for one in messages]
        self.batches.append(prompts)
        if any("odd" in prompt for prompt in prompts):
            raise ValueError("At most 1 image may be provided; JANE DOE")
        if any(len(prompt) > MAX_LEN for prompt in prompts):
            raise ValueError(
                f"The decoder prompt is longer than the maximum model length of {MAX_LEN}: JANE DOE"
            )
        if len(prompts) > self.room or any("huge" in prompt for prompt in prompts):
            raise OutOfMemoryError("CUDA out of memory")
        if any("dead" in prompt for prompt in prompts):
            raise RuntimeError("EngineCore died")
        self.asked += zip(messages, sampling_params, strict=True)
        return [_output(prompt) for prompt in prompts]


def _prompt(conversation: list[Any]) -> str:
    content = conversation[-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def _output(prompt: str) -> Any:
    reason = next((word for word in ("length", "abort") if word in prompt), "stop")
    text = "  " if "blank" in prompt else f"reply to {prompt}"
    completion = SimpleNamespace(text=text, token_ids=[1, 2, 3], finish_reason=reason)
    return SimpleNamespace(prompt_token_ids=None if "uncounted" in prompt else [0] * 7, outputs=[completion])


@pytest.fixture
def params(tmp_path: Any) -> Callable[..., Params]:
    return lambda **settings: Params(model=str(tmp_path), **settings)


def ask(params: Params, stand_in: StandIn, *prompts: str, tell: Any = None) -> list[Reply]:
    requests = [Request(f"r{i}", prompt) for i, prompt in enumerate(prompts)]
    with Engine(params, vllm=stand_in) as engine:
        return engine.generate(requests, tell) if tell else engine.generate(requests)


def test_an_adapter_alone_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="is an adapter: merge it into its base first"):
        Engine(Params(model=str(tmp_path)), vllm=StandIn())


def test_the_model_is_loaded_as_configured_and_without_its_code() -> None:
    stand_in = StandIn()
    Engine(Params(model="org/m", revision=COMMIT, max_model_len=4096, tensor_parallel_size=2), vllm=stand_in)
    assert stand_in.made == {
        "model": "org/m",
        "revision": COMMIT,
        "tokenizer_revision": COMMIT,
        "trust_remote_code": False,
        "dtype": "auto",
        "gpu_memory_utilization": 0.9,
        "max_model_len": 4096,
        "tensor_parallel_size": 2,
        "enable_prefix_caching": True,
        "limit_mm_per_prompt": {"image": 1},
    }


def test_each_request_has_its_own_image_seed_and_schema(params: Callable[..., Params]) -> None:
    stand_in, schema = StandIn(), {"type": "object", "properties": {}}
    one = Request("a", "what?", "be brief", JPEG, schema, max_tokens=9, temperature=0.7, top_p=0.8, seed=5)
    with Engine(params(), vllm=stand_in) as engine:
        replies = engine.generate([one, Request("b", "why?", seed=6)])
    assert replies[0] == Reply("a", "reply to what?", prompt_tokens=7, tokens=3)
    (messages, sampling), (plain, other) = stand_in.asked
    image = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4CBhIHBpY3R1cmU="}}
    assert messages == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [image, {"type": "text", "text": "what?"}]},
    ]
    assert sampling == {
        "max_tokens": 9,
        "temperature": 0.7,
        "top_p": 0.8,
        "seed": 5,
        "structured_outputs": ("schema", schema),
    }
    assert plain == [{"role": "user", "content": "why?"}]
    assert (other["seed"], other["temperature"], other["structured_outputs"]) == (6, 0.0, None)


def test_each_end_is_a_reply_or_its_named_failure(params: Callable[..., Params]) -> None:
    prompts = ("fine", "length", "blank", "abort", "uncounted", "x" * 60, "odd", "huge")
    replies = ask(params(), StandIn(), *prompts)
    assert [reply.request_id for reply in replies] == [f"r{i}" for i in range(8)]
    assert [reply.failure for reply in replies] == [
        None,
        Failure.CUT_SHORT,
        Failure.EMPTY_REPLY,
        Failure.SERVER_ERROR,
        None,
        Failure.PROMPT_TOO_LONG,
        Failure.NOT_ACCEPTED,
        Failure.OUT_OF_MEMORY,
    ]
    assert [reply.text for reply in replies if reply.failure is None] == [
        "reply to fine",
        "reply to uncounted",
    ]
    assert all(reply.detail for reply in replies if reply.failure)
    assert not any("JANE" in reply.detail for reply in replies)
    assert [reply.prompt_tokens for reply in replies] == [7, 7, 7, 7, 0, 0, 0, 0]
    assert [reply.calls for reply in replies] == [2, 2, 2, 2, 4, 4, 4, 4]


def test_a_request_may_take_what_was_said_up_to_the_bound_for_a_reply(params: Callable[..., Params]) -> None:
    with Engine(params(), vllm=StandIn()) as engine:
        replies = engine.generate([Request(word, word, cut_ok=True) for word in ("length", "abort", "fine")])
    assert [reply.text for reply in replies] == ["reply to length", None, "reply to fine"]
    assert ["raise max_tokens" in reply.detail for reply in replies] == [True, False, False]


def test_a_batch_that_does_not_fit_is_halved_until_it_does(params: Callable[..., Params]) -> None:
    stand_in = StandIn(room=3)
    prompts = [f"number {i}" for i in range(10)]
    replies = ask(params(), stand_in, *prompts)
    assert [reply.text for reply in replies] == [f"reply to {prompt}" for prompt in prompts]
    assert [len(batch) for batch in stand_in.batches] == [10, 5, 2, 3, 5, 2, 3]


def test_an_error_that_is_no_requests_fault_goes_through(params: Callable[..., Params]) -> None:
    stand_in = StandIn()
    with pytest.raises(RuntimeError, match="EngineCore died"):
        ask(params(), stand_in, "fine", "dead")
    assert len(stand_in.batches) == 1


def test_batches_are_told_of_and_keep_the_order_around_what_is_not_sent(
    params: Callable[..., Params],
) -> None:
    stand_in, heard = StandIn(), list[Heard]()
    requests = [Request(f"r{i}", f"n {i}", image=b"GIF89a" if i in (0, 3) else JPEG) for i in range(5)]
    with Engine(params(batch_size=2), vllm=stand_in) as engine:
        replies = engine.generate(requests, tell=heard.append)
        assert engine.generate([]) == []
    assert [reply.text for reply in replies] == [None, "reply to n 1", "reply to n 2", None, "reply to n 4"]
    assert [reply.failure for reply in replies if reply.text is None] == [Failure.NOT_ACCEPTED] * 2
    assert stand_in.batches == [["n 1"], ["n 2"], ["n 4"]]
    assert [(one.replies, one.tokens, one.waiting) for one in heard] == [(2, 3, 3), (2, 3, 1), (1, 3, 0)]
    assert [reply for one in heard for reply in one.ready] == replies


def test_what_is_missing_is_said_before_anything_starts(params: Callable[..., Params]) -> None:
    with pytest.raises(ConfigError, match=r"pip install mht\[vllm\]"):
        check(params())
    with pytest.raises(ConfigError, match="revision"):
        Engine(Params(model="org/m"), vllm=StandIn())
    with pytest.raises(ValidationError):
        Params(model="org/m", revision="main")


def test_what_decides_the_replies_is_in_the_identity() -> None:
    one = Params(model="org/m", revision=COMMIT)
    assert identity(one) == identity(one.model_copy(update={"batch_size": 3, "gpu_memory_utilization": 0.5}))
    for change in ({"model": "n"}, {"revision": "b"}, {"dtype": "float16"}, {"max_model_len": 99}):
        assert identity(one.model_copy(update=change)) != identity(one)


@pytest.mark.parametrize("weights", ["model.safetensors", "pytorch_model.bin"])
def test_a_folder_is_known_by_its_content(tmp_path: Path, weights: str) -> None:
    """Trained again in place it is another model; moved elsewhere it is the same."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / weights).write_bytes(b"before")
    first = identity(Params(model=str(folder)))
    assert identity(Params(model=str(folder.rename(tmp_path / "moved")))) == first
    (tmp_path / "moved" / weights).write_bytes(b"after.")
    assert identity(Params(model=str(tmp_path / "moved"))) != first
