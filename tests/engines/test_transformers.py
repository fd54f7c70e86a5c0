"""What the transformers engine refuses, and by which name each request fails."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from mht.engines.transformers import Engine, Params, check, identity
from mht.errors import ConfigError, InputError, IntegrityError
from mht.generation import Failure, Heard, Reply, Request
from tests.engines import tiny

COMMIT = "0123456789abcdef0123456789abcdef01234567"
QUESTION = "is there a nodule ?"


@pytest.fixture(scope="module")
def engine(llava: Path) -> Iterator[Engine]:
    with Engine(Params(model=str(llava), batch_size=4)) as made:
        yield made


@pytest.fixture
def copy(llama: Path, tmp_path: Path) -> Path:
    return shutil.copytree(llama, tmp_path / "copy")


def one(engine: Engine, **request: Any) -> Reply:
    given = {"prompt": QUESTION, "image": tiny.png(1), "max_tokens": 60} | request
    return engine.generate([Request("one", **given)])[0]


# Params and check.


@pytest.mark.parametrize("revision", ["main", "v1", COMMIT[:7], COMMIT.upper()])
def test_a_revision_that_can_move_is_refused(revision: str) -> None:
    with pytest.raises(ValidationError, match="full commit id"):
        Params(model="owner/name", revision=revision)


def test_remote_code_needs_a_pinned_revision() -> None:
    with pytest.raises(ValidationError, match="pin it with revision"):
        Params(model="owner/name", trust_remote_code=True)
    assert Params(model="owner/name", trust_remote_code=True, revision=COMMIT).trust_remote_code


def test_a_hub_id_needs_a_revision_and_a_folder_has_none(llava: Path) -> None:
    with pytest.raises(ConfigError, match=r"engine\.revision, a full commit id"):
        check(Params(model="owner/name"))
    check(Params(model="owner/name", revision=COMMIT))
    with pytest.raises(ConfigError, match=r"leave engine\.revision out"):
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


# Loading.


def spoil(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(copy: Path, value: float) -> None:
    spoil(copy, lambda tensors: tensors["model.norm.weight"].fill_(value))
    with pytest.raises(IntegrityError, match=r"1 tensors hold NaN or infinity: model\.norm\.weight"):
        Engine(Params(model=str(copy)))


def test_wrong_shapes_are_named_the_first_five(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))
    with pytest.raises(IntegrityError, match="6 tensors have another shape") as refused:
        Engine(Params(model=str(copy)))
    said = str(refused.value)
    assert "model.layers.0.mlp.down_proj.weight (64x128, wanted 64x96)" in said
    assert said.count("wanted") == 5
    assert "and 1 more" in said


def test_missing_tensors_are_named(copy: Path) -> None:
    spoil(copy, lambda tensors: tensors.pop("model.norm.weight"))
    with pytest.raises(IntegrityError, match=r"1 tensors are not in the weights: model\.norm\.weight"):
        Engine(Params(model=str(copy)))


def test_a_cut_file_is_named_when_it_is_loaded(copy: Path) -> None:
    body = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(body[:-100])
    with pytest.raises(IntegrityError, match=r"copy/model\.safetensors"):
        Engine(Params(model=str(copy)))


def test_weights_as_a_pickle_are_refused_when_they_are_loaded(copy: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(IntegrityError, match="is a pickle"):
        Engine(Params(model=str(copy)))


def test_a_model_that_is_not_to_be_had_is_named() -> None:
    with pytest.raises(InputError, match=f"owner/name at {COMMIT} is not to be had"):
        Engine(Params(model="owner/name", revision=COMMIT))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("config.json", "{", r"the config\.json of .*copy cannot be read"),
        ("config.json", '{"model_type": "no_such"}', r"the config\.json of .*no_such"),
        ("config.json", '{"model_type": "vit"}', "holds a vit, which writes no text"),
        ("tokenizer.json", "{", "the tokenizer of .*copy cannot be read"),
    ],
)
def test_settings_that_cannot_be_used_are_named(copy: Path, name: str, text: str, said: str) -> None:
    (copy / name).write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        Engine(Params(model=str(copy)))
    assert "\n" not in str(refused.value)


def test_a_model_that_reads_images_needs_its_processor(llava: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(llava, tmp_path / "copy")
    (folder / "processor_config.json").unlink()
    with pytest.raises(InputError, match=r"processor of .*copy cannot be read"):
        Engine(Params(model=str(folder)))


@pytest.fixture
def adapter(llava: Path, tmp_path: Path) -> Path:
    """LoRA on the language model, with weights large enough to be heard."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(3)
    base = AutoModelForImageTextToText.from_pretrained(llava)
    wrapped = get_peft_model(
        base, LoraConfig(r=4, target_modules=r".*language_model\.layers\..*\.(q_proj|v_proj)")
    )
    for name, tensor in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(tensor)
    wrapped.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_an_adapter_is_heard(engine: Engine, llava: Path, adapter: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    params = Params(model=str(llava), adapter=str(adapter))
    check(params)
    assert identity(params)["adapter"] is not None
    with Engine(params) as adapted:
        assert one(adapted).text != one(engine).text
        wrapped = PeftModel.from_pretrained(
            AutoModelForImageTextToText.from_pretrained(llava), adapter
        ).eval()
        ids = torch.tensor([[2, 20, 21, 22]])
        with torch.inference_mode():
            assert torch.allclose(adapted.loaded.model(ids).logits, wrapped(ids).logits, atol=1e-3)


def test_an_adapter_of_another_model_is_refused(llava: Path, adapter: Path, tmp_path: Path) -> None:
    wider = tiny.llava(tmp_path / "wider", hidden=128)
    with pytest.raises(IntegrityError, match="is not for this model: size mismatch"):
        Engine(Params(model=str(wider), adapter=str(adapter)))
    spoiled = adapter / "adapter_model.safetensors"
    spoiled.write_bytes(spoiled.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"adapter_model\.safetensors"):
        check(Params(model=str(llava), adapter=str(adapter)))


# Requests.


@pytest.mark.parametrize("mark", ["<image>", "<|assistant|>", "</s>", "<row_1_col_1>", "<pad>"])
@pytest.mark.parametrize("part", ["prompt", "system"])
def test_text_that_holds_a_special_token_is_not_accepted(engine: Engine, mark: str, part: str) -> None:
    reply = one(engine, **{part: f"there is{mark}no"})
    assert reply.failure is Failure.NOT_ACCEPTED
    assert repr(mark) in reply.detail
    assert reply.calls == 0


def test_brackets_that_are_no_token_are_text(engine: Engine) -> None:
    assert one(engine, prompt="is a < b or a <c> ?").text


def test_text_that_is_not_utf_8_is_not_accepted(engine: Engine) -> None:
    assert one(engine, prompt="a \ud800 b").failure is Failure.NOT_ACCEPTED


def _gif() -> bytes:
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "GIF")
    return out.getvalue()


@pytest.mark.parametrize("image", [b"", b"no image", tiny.png(1)[:60], tiny.png(1)[:-30], _gif()])
def test_an_image_that_cannot_be_decoded_is_not_accepted(engine: Engine, image: bytes) -> None:
    reply = one(engine, image=image)
    assert reply.failure is Failure.NOT_ACCEPTED
    assert "neither a JPEG nor a PNG" in reply.detail


def test_a_model_that_reads_text_only_is_given_no_image(llama: Path) -> None:
    with Engine(Params(model=str(llama))) as blind:
        assert "reads no images" in one(blind).detail
        assert one(blind, image=None).text


def test_a_reply_without_end_is_cut_short(engine: Engine) -> None:
    whole = one(engine)
    cut = one(engine, max_tokens=whole.tokens)
    assert (cut.text, cut.failure, cut.tokens) == (None, Failure.CUT_SHORT, whole.tokens)
    assert "raise max_tokens" in cut.detail
    assert one(engine, max_tokens=whole.tokens + 1).text == whole.text


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
    """A forward that is wrong for some rows: `fails(ids)` may raise, `spoils(ids)` marks rows that become NaN."""

    def __init__(self, forward: Any, wrong: Callable[[Any, Any], None]) -> None:
        self._forward = forward
        self._wrong = wrong

    def __call__(self, ids: Any, mask: Any, positions: Any, cache: Any, pixels: Any) -> Any:
        logits = self._forward(ids, mask, positions, cache, pixels)
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

    def cramped(ids: Any, _: Any) -> None:
        sizes.append(len(ids))
        if len(ids) > 2:
            raise torch.OutOfMemoryError

    with spoilt(llava, cramped) as small:
        assert small.generate(questions()) == engine.generate(questions())
    assert max(sizes) == 8
    assert sizes.count(2) > 6


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
        logits[(ids == kidney()).any(1)] = float("nan")

    with spoilt(llava, blinded) as wrong:
        replies = wrong.generate(questions())
    # What an image's questions begin with is not spoilt; the one row is, when its rest is read.
    assert replies[5].failure is Failure.NOT_FINITE
    assert [reply.failure for reply in replies].count(Failure.NOT_FINITE) == 1
    assert replies[:5] == engine.generate(questions())[:5]


def test_a_reply_of_no_text_is_empty(llava: Path) -> None:
    def ended(ids: Any, logits: Any) -> None:
        logits[:, 3] = 1e9

    with spoilt(llava, ended) as mute:
        reply = one(mute)
    assert (reply.text, reply.failure, reply.tokens) == (None, Failure.EMPTY_REPLY, 0)


# Chat templates.


def rendered(folder: Path, template: str | None, **request: Any) -> str:
    from transformers import AutoProcessor

    from mht.engines._prompts import Prompt, Reader

    processor = AutoProcessor.from_pretrained(folder)
    processor.chat_template = template
    read = Reader(processor.tokenizer, processor).read([Request("one", **request)])[0]
    assert isinstance(read, Prompt)
    return read.text


TURNS = (
    "{% for m in messages %}[{{ m['role'] }}] {% for p in m['content'] %}"
    "{{ p.get('text', '<image>') }}{% endfor %} {% endfor %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TURNS
IGNORES_SYSTEM = TURNS.replace("messages %}", "messages if m['role'] == 'user' %}")


def test_without_a_template_the_parts_stand_in_lines(llava: Path) -> None:
    said = rendered(llava, None, prompt="which side", system="you are", image=tiny.png(1))
    assert said == "you are\n<image>\nwhich side"


@pytest.mark.parametrize("template", [NO_SYSTEM, IGNORES_SYSTEM])
def test_a_template_without_system_prompt_has_it_in_the_user_s_turn(llava: Path, template: str) -> None:
    said = rendered(llava, template, prompt="which side", system="you are", image=tiny.png(1))
    assert said == "[user] <image>you are\n\nwhich side "
    assert (
        rendered(llava, TURNS, prompt="which side", system="you are") == "[system] you are [user] which side "
    )


def test_a_template_without_place_for_an_image_is_said(llava: Path) -> None:
    with Engine(Params(model=str(llava))) as engine:
        engine.loaded.reader._speaks.chat_template = "{{ messages[0]['content'][-1]['text'] }}"
        assert "no place for an image" in one(engine).detail


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
