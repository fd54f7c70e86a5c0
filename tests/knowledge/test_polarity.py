"""Yes or no, by the word, by a verdict, by how a reply opens; undecided where it is not said."""

from __future__ import annotations

import pytest

from mht.knowledge.polarity import abstains, first_word, hedges, opening, polarity, verdict

SURELY = (
    "There is no doubt that a fracture is present.", "Without question, there is a fracture.",
    "Not only is there a fracture, but also an effusion.", "There is no question that a fracture is present.",
    "Without a doubt, a fracture is present.", "Undoubtedly, there is a fracture.", "No doubt there is a fracture.",
    "It cannot be denied that there is a fracture.", "There is no denying that a fracture is present.",
    "I have no doubt that there is a fracture.", "I don't doubt that there is a fracture.", "No doubt.",
    "There is no doubt: yes.", "No question about it, yes.",
    "Nobody can deny that there is a fracture.", "No question about it: there is a fracture.", "Undoubtedly.",
    "The image shows not just a fracture but an effusion.", "A fracture is present, without any doubt.",
)  # fmt: skip
LEFT_OPEN = (
    "I can't rule out a fracture.", "I would not rule out a fracture.", "A fracture cannot be ruled out.",
    "A fracture is not excluded.", "I cannot exclude a fracture.", "I doubt that there is a fracture.",
)  # fmt: skip

STATED = (
    "The answer is {w}.", "**Answer:** {W}", "**Answer: {W}**", "Answer: **{W}**", "Final answer: {w}", "Answer - {w}",
    "The correct answer is {w}.", "My answer is {w}.", "Based on the image, the answer is {w}.", "Conclusion: {W}",
    "The answer to the question is {w}.", "I would say {w}.", "I'd say {w}, with some confidence.", "I think {w}.",
    "I think {w}, the lung is collapsed.", '{{"answer": "{w}"}}', '{{"answer": "{w}", "reason": "an effusion"}}',
    "\\boxed{{{W}}}", "$\\boxed{{\\text{{{W}}}}}$", "I'm not certain, but {w}.", "I can't be sure, but probably {w}.",
    "Sure! {W}, it is so.", "Sure, here is the answer: {W}.", "There is an opacity.\n\n{W}", "A: {W}", "Assistant: {W}",
    "There is no obvious abnormality at first glance. However, a subtle line is visible. Answer: {W}",
    "The heart is enlarged.\n**{W}**", "Q: Is there a fracture? A: {W}", "<answer>{W}</answer>", "[{W}]",
    "The image shows a large effusion, so {w}.", "No effusion is seen. Therefore, {w}.", "Without a doubt, {w}.",
    "First I thought the answer is yes. Then I looked again: the answer is {w}.",
)  # fmt: skip
"""Each is decided by its word, whichever it is: a style of answering must not be found for one of the two only."""


@pytest.mark.parametrize("wording", STATED)
@pytest.mark.parametrize("word", ["yes", "no"])
def test_an_answer_is_found_wherever_it_is_stated(wording: str, word: str) -> None:
    text = wording.format(w=word, W=word.title())
    assert (verdict(text), polarity(text)) == (word, word)


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("It does.", "It does not."),
        ("It is.", "It isn't."),
        ("There is.", "There isn't."),
        ("Present", "Absent"),
        ("Seen.", "Not seen."),
        ("Positive", "Negative"),
        ("True", "False"),
        ("Correct.", "Incorrect."),
        ("Y", "N"),
    ],
)
def test_a_bare_word_for_yes_has_its_twin_for_no(yes: str, no: str) -> None:
    assert (verdict(yes), verdict(no)) == ("yes", "no")


@pytest.mark.parametrize(
    "text",
    [
        "I don't think the answer is yes.",
        "If it were so, the answer is yes.",
        "Answer yes or no: I cannot tell.",
        "The answer is yes or no?",
        "Answer: yes/no",
        "Yes. Still, the answer is no.",
        "I think no fracture is seen.",
        "The answer: no fracture is seen.",
        "It is unclear whether the answer is yes.",
        "So no fracture is seen.",
        "The right lung:\nno nodule",
    ],
)
def test_a_word_that_is_not_given_as_the_answer_is_none(text: str) -> None:
    assert verdict(text) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Yes", "yes"),
        ("yes, there is.", "yes"),
        ("**Yes**, the lungs are clear.", "yes"),
        ("Answer: No", "no"),
        ("The answer is no.", None),
        ("No.", "no"),
        ("no", "no"),
        ("No, it is not.", "no"),
        ("No there is not.", "no"),
        ("No fracture is seen.", None),
        ("No-contrast CT.", None),
        ("Surely: yes.", "yes"),
        ("Of course, no.", "no"),
        ("Indeed, no fracture is seen.", None),
        ("Certainly no.", None),
        ("Nothing is seen.", None),
        ("Yesterday's film is the same.", None),
        ("Yes and no.", None),
        ("Yes or no?", None),
        ("Yes/No", None),
        ("Yes. On the other hand, no effusion. No, it is clear.", None),
        ("", None),
        ("   ", None),
    ],
)
def test_the_word_that_a_text_opens_with(text: str, wanted: str | None) -> None:
    assert opening(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("That is correct: there is an effusion.", "yes"),
        ("It is right as it is: there is an effusion.", "yes"),
        ("The statement can stand: there is one.", "yes"),
        ("Nothing to correct: there is one.", "yes"),
        ("It needs no change: there is one.", "yes"),
        ("Correct.", "yes"),
        ("That is not correct: there is none.", "no"),
        ("That's incorrect.", "no"),
        ("This isn't right.", "no"),
        ("It cannot stand: there is none.", "no"),
        ("The statement is wrong: there is none.", "no"),
        ("It needs correcting: there is none.", "no"),
        ("That must be changed: there is none.", "no"),
        ("Not quite: there is none.", "no"),
        ("That is not what the image shows: there is none.", "no"),
        ("The premise needs correcting: there is none.", "no"),
        ("The correct side is the left.", None),
        ("The right lung is clear.", None),
        ("This is a radiograph.", None),
    ],
)
def test_a_verdict_on_a_statement(text: str, wanted: str | None) -> None:
    assert verdict(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("There is a pneumothorax.", "yes"),
        ("The image shows a large mass.", "yes"),
        ("An effusion is visible.", "yes"),
        ("I can see an effusion.", "yes"),
        ("There is no pneumothorax.", "no"),
        ("No evidence of fracture.", "no"),
        ("I don't see a fracture. There is an effusion.", "no"),
        ("The scan does not show any foreign body.", "no"),
        ("The lungs are free of consolidation.", "no"),
        ("There may be a fracture.", None),
        ("It is possible that there is an effusion.", None),
        ("It cannot be determined from the image.", None),
        ("The image does not provide enough information.", None),
        ("A fracture of the femur.", None),
        ("No, there may be something else.", "no"),
        *((text, "yes") for text in SURELY),
        *((text, None) for text in LEFT_OPEN),
        ("There is no doubt that there is no fracture.", "no"),
        ("Without doubt there is no fracture.", "no"),
        ("Not only no fracture, but no effusion is seen.", "no"),
    ],
)
def test_how_a_first_sentence_opens(text: str, wanted: str | None) -> None:
    assert polarity(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", True),
        ("I'm sorry, I can't answer this.", True),
        ("The image shows an artery. It does not provide enough information to tell.", True),
        ("It is not possible to determine the side from this image.", True),
        ("No, there is none; more cannot be said.", False),
        ("There is an effusion.", False),
    ],
)
def test_an_answer_that_it_cannot_be_told(text: str, wanted: bool) -> None:
    assert abstains(text) is wanted


def test_doubt_anywhere_is_a_hedge() -> None:
    assert hedges("There is an opacity, which may be a pneumonia.")
    assert not hedges("There is an opacity.")


def test_a_text_may_begin_with_no_and_mean_none() -> None:
    assert (first_word("No fracture is seen."), opening("No fracture is seen.")) == ("no", None)
    assert (first_word("Yes and no."), first_word("None.")) == (None, None)
