"""What is learnt, and what the exchanges of an image share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mht.errors import InputError
from mht.model.conversation import Preparer
from mht.model.examples import Example, Exchange, Turn
from tests.engines import tiny
from tests.imaging.hostile import HostileCase, corpus
from tests.model.conftest import ENDS, Family, example

ONE = Exchange("one", (Turn("is there a nodule", "no nodule"),), rejected="yes a nodule")
TWO = Exchange("two", (Turn("is there a mass", "yes"), Turn("where", "left lung")))

THREE = Exchange("three", (*TWO.turns, Turn("what size", "small")))
THOUGHTFUL = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' and loop.last %}{{ ' you are careful ' }}{% endif %}"
    "{{ message['content'] + ' </s> ' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""Before the last answer alone there are words, as Qwen3's empty thought."""
REWRITING = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if loop.length > 4 and loop.index < 3 %}EARLY{% else %}{{ message['content'] + ' </s> ' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""The first turn is another once there is a third."""


def words(family: Family, ids: list[int]) -> str:
    return str(family.chat.tokenizer.decode(ids))


def about(image: bytes | None, *exchanges: Exchange) -> Example:
    return Example("one image", image, exchanges)


@pytest.fixture
def llava(family: Callable[[str], Family]) -> Family:
    return family("llava")


def test_answers_are_learnt_and_nothing_else(llava: Family) -> None:
    made = llava.preparer.prepare(about(tiny.png(0), ONE, TWO))
    one, two = made.suffixes
    assert words(llava, [i for i, own in zip(one.ids, one.learnt, strict=True) if own]) == "no nodule </s>"
    assert (
        words(llava, [i for i, own in zip(two.ids, two.learnt, strict=True) if own]) == "yes left lung </s>"
    )
    assert words(llava, two.ids).startswith("mass <|assistant|> yes <|user|> where <|assistant|> left lung")
    assert made.tokens == len(made.prefix) + len(one.ids) + len(two.ids)


def test_the_image_and_the_words_all_begin_with_are_shared(llava: Family) -> None:
    made = llava.preparer.prepare(about(tiny.png(0), ONE, TWO))
    assert words(llava, made.prefix).endswith("<image> is there a")
    assert made.prefix.count(llava.chat.image_id) == 16
    assert made.pixels["pixel_values"].shape == (1, 3, 56, 56)


def test_a_system_message_is_said_first_and_never_learnt(llava: Family) -> None:
    told = replace(TWO, system="you are a careful radiologist")
    made = llava.preparer.prepare(about(tiny.png(0), told))
    assert words(llava, made.prefix).startswith("<s> you are a careful radiologist <|user|> <image>")
    plain = llava.preparer.prepare(about(tiny.png(0), TWO))
    assert [s.ids for s in made.suffixes] == [s.ids for s in plain.suffixes]


def test_a_system_message_that_the_template_has_no_place_for_begins_the_question(
    llava: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    monkeypatch.setattr(llava.chat.speaks, "chat_template", refusing + llava.chat.speaks.chat_template)
    made = llava.preparer.prepare(about(tiny.png(0), replace(ONE, system="you are careful")))
    whole = words(llava, [*made.prefix, *made.suffixes[0].ids])
    assert "<image> you are careful is there a nodule" in whole


def test_a_system_message_with_a_special_token_is_refused(llava: Family) -> None:
    with pytest.raises(InputError, match="exchange one: the text holds '</s>'"):
        llava.preparer.prepare(about(tiny.png(0), replace(ONE, system="be </s> brief")))


def test_one_exchange_shares_all_but_its_answer(llava: Family) -> None:
    made = llava.preparer.prepare(about(tiny.png(0), ONE))
    assert words(llava, made.suffixes[0].ids) == "no nodule </s>"


def test_the_same_question_twice_shares_no_answer(llava: Family) -> None:
    again = replace(ONE, exchange_id="again")
    made = llava.preparer.prepare(about(tiny.png(0), ONE, again))
    assert [words(llava, suffix.ids) for suffix in made.suffixes] == ["no nodule </s>"] * 2


def test_a_wrong_answer_stands_beside_the_right_one(llava: Family) -> None:
    made = llava.preparer.prepare(about(tiny.png(0), ONE, TWO), rejected=True)
    assert [(s.exchange_id, s.rejected) for s in made.suffixes] == [
        ("one", False),
        ("one", True),
        ("two", False),
    ]
    assert words(llava, made.suffixes[1].ids).endswith("yes a nodule </s>")


def test_the_processor_s_own_tokens_are_kept(family: Callable[[str], Family]) -> None:
    """Idefics3 writes a token before and behind each tile, and more tiles for a larger picture."""
    idefics = family("idefics3")
    whole = idefics.preparer.prepare(about(tiny.png(0, 112), ONE, TWO))
    ids, _ = idefics.chat.process(
        [idefics.chat.render([("user", ONE.turns[0].question)], True, True)], [tiny.png(0, 112)]
    )
    assert whole.prefix == ids[0][: len(whole.prefix)]
    assert words(idefics, whole.prefix).endswith("<fake_token_around_image> is there a")


def test_without_a_template_turns_are_lines(family: Callable[[str], Family]) -> None:
    llama = family("llama")
    kept, llama.chat.tokenizer.chat_template = llama.chat.tokenizer.chat_template, None
    try:
        made = llama.preparer.prepare(about(None, TWO))
    finally:
        llama.chat.tokenizer.chat_template = kept
    assert words(llama, made.prefix + made.suffixes[0].ids) == "is there a mass yes where left lung </s>"
    learnt = [i for i, own in zip(made.suffixes[0].ids, made.suffixes[0].learnt, strict=True) if own]
    assert words(llama, learnt) == "yes left lung </s>"


def test_a_template_that_ends_the_turn_gets_no_second_end(llava: Family) -> None:
    speaks = llava.chat.speaks
    kept = speaks.chat_template
    speaks.chat_template = kept.replace(
        "{{ ' ' }}", "{{ '</s>' if message['role'] == 'assistant' else ' ' }}"
    )
    try:
        made = llava.preparer.prepare(about(tiny.png(0), ONE))
    finally:
        speaks.chat_template = kept
    assert words(llava, made.suffixes[0].ids) == "no nodule </s>"


def test_a_template_that_does_not_continue_its_prompt_is_refused(llava: Family) -> None:
    speaks = llava.chat.speaks
    kept = speaks.chat_template
    speaks.chat_template = kept.replace("{{ '<|assistant|>' }}", "{{ 'think' }}")
    try:
        with pytest.raises(InputError, match="continues its own prompt"):
            llava.preparer.prepare(about(tiny.png(0), ONE))
    finally:
        speaks.chat_template = kept


@pytest.fixture
def spoken(family: Callable[[str], Family], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Family]:
    """A model without eyes that is spoken to in a template of one's own."""
    llama = family("llama")

    def made(template: str) -> Family:
        monkeypatch.setattr(llama.chat.speaks, "chat_template", template)
        return llama

    return made


def learnt(family: Family, exchange: Exchange) -> str:
    [suffix] = family.preparer.prepare(about(None, exchange)).suffixes
    return words(family, [i for i, own in zip(suffix.ids, suffix.learnt, strict=True) if own])


def test_a_template_that_writes_the_last_answer_otherwise_leaves_the_labels_on_the_answers(
    spoken: Callable[[str], Family],
) -> None:
    llama = spoken(THOUGHTFUL)
    assert learnt(llama, THREE) == "yes </s> left lung </s> you are careful small </s>"
    assert learnt(llama, ONE) == "you are careful no nodule </s>"
    # The answer's words are in what stands before the last one, and behind it.
    again = Exchange("again", (Turn("who", "careful"), Turn("is it", "you are"), Turn("what", "s")))
    assert learnt(llama, again) == "careful </s> you are </s> you are careful s </s>"


@pytest.mark.parametrize(
    "early",
    [
        "{{ 'left ' + message['content'] + ' </s> ' }}",
        "{{ message['content'] + ('' if message['role'] == 'assistant' else ' </s> ') }}",
        "{{ message['content'][: 2 if message['role'] == 'assistant' else 99] + ' </s> ' }}",
    ],
    ids=["the question", "the end", "the answer"],
)
def test_a_template_that_rewrites_what_was_said_is_refused(
    spoken: Callable[[str], Family], early: str
) -> None:
    llama = spoken(REWRITING.replace("EARLY", early))
    with pytest.raises(InputError, match="exchange three: the model's chat template writes turn 1 anew"):
        llama.preparer.prepare(about(None, THREE))
    assert learnt(llama, TWO) == "yes </s> left lung </s>"


def test_a_model_that_names_no_end_is_told_where_to_give_one(llava: Family) -> None:
    with pytest.raises(
        InputError, match=f"model {llava.folder}: .* give generation_config.json its eos_token_id"
    ):
        Preparer(llava.chat, frozenset(), 40)


def test_words_before_the_image_are_refused(llava: Family) -> None:
    speaks = llava.chat.speaks
    kept = speaks.chat_template
    image = "{% if part['type'] == 'image' %}{{ '<image>' }}{% else %}"
    assert image in kept
    speaks.chat_template = kept.replace(
        "{% for part in message['content'] %}", "{% for part in message['content']|reverse %}"
    )
    try:
        with pytest.raises(InputError, match="exchange one: the exchanges of its image differ"):
            llava.preparer.prepare(about(tiny.png(0), ONE, TWO))
        alone = llava.preparer.prepare(about(tiny.png(0), ONE))
    finally:
        speaks.chat_template = kept
    assert words(llava, alone.prefix).startswith("<s> <|user|> is there a nodule <image>")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (about(tiny.png(0)), "example one image has no exchange"),
        (
            about(tiny.png(0), Exchange("x", (Turn("<image> here", "no"),))),
            "exchange x: the text holds '<image>'",
        ),
        (about(tiny.png(0), Exchange("x", (Turn("is", "a </s>"),))), "special token"),
        (about(tiny.png(0), replace(ONE, rejected="<pad>")), "exchange one: the text holds '<pad>'"),
        (about(tiny.png(0), Exchange("x", (Turn("is", " "),))), "exchange x has an empty answer"),
        (about(b"GIF89a", ONE), "example one image: the image cannot be decoded"),
        (about(tiny.png(0)[:90], ONE), "example one image: the image cannot be decoded"),
    ],
)
def test_what_cannot_be_learnt_is_named(llava: Family, bad: Example, said: str) -> None:
    with pytest.raises(InputError, match=said):
        llava.preparer.prepare(bad)


REFUSED = (
    "empty",
    "html_body",
    "jpeg_half",
    "jpeg_65500",
    "png_13000",
    "png_2_31",
    "png_signature_only",
    "gif",
)


@pytest.mark.parametrize(
    "case", [case for case in corpus() if case.name in REFUSED], ids=lambda case: case.name
)
def test_a_hostile_image_names_its_row(llava: Family, case: HostileCase) -> None:
    with pytest.raises(InputError, match="example one image: the image cannot be decoded: "):
        llava.preparer.prepare(about(case.data, ONE))


def test_the_context_is_an_exchange_s_own(llava: Family) -> None:
    """Exchanges of an image may be longer together than the context, for positions restart with each."""
    preparer = Preparer(llava.chat, ENDS, 40)
    assert preparer.prepare(example(0, 6)).tokens > 40
    with pytest.raises(InputError, match=r"exchange long: 5[0-9] tokens, and the model's context is 40"):
        preparer.prepare(about(tiny.png(0), ONE, Exchange("long", (Turn("is " * 30, "no"),))))


def test_a_model_without_eyes_refuses_an_image(family: Callable[[str], Family]) -> None:
    with pytest.raises(InputError, match="take a model that does"):
        family("llama").preparer.prepare(about(tiny.png(0), ONE))
