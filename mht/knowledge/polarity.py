"""Yes or no: what a reply says to the question, by its first word or by the way it opens."""

from __future__ import annotations

import re
from functools import lru_cache

YES, NO = "yes", "no"

_LEAD = (
    r"^[\s\"'*_#>`(\[]*(?:<\w+>\s*)?(?:(?:final\s+)?answer\s*(?:is)?\s*[:\-]?\s*|(?:assistant|a)\s*:\s*"
    r"|(?:well|actually|sure|okay|ok)[,!.]\s*"
    r"|(?:surely|certainly|definitely|absolutely|indeed|of course)\s*[,:;!.\-–—]\s*)*[\s\"'*_`(\[]*"
)
_WORD = re.compile(_LEAD + r"(yes|yeah|yep|no|nope)(?![\w'’-])(?P<after>[\s\S]*)", re.IGNORECASE)
# After a bare `no` that is an answer, and not the `no` of `no fracture`: a stop, or how a sentence begins.
_ANSWER = re.compile(
    r"\s*(?:$|[.,;:!\-–—)}*_\]\"'`<]|(?:the|there|this|that|these|those|it|its|i|we|you|not|none|because|one|in|on|at)\b)",
    re.IGNORECASE,
)
_BOTH = re.compile(
    r"\s*(?:/|\bor\b|\band\b|,\s*(?:and|but)\s+(?:also\s+)?)\s*(?:no|yes)(?![\w'’-])\s*(?=$|[.,;:!?])",
    re.IGNORECASE,
)
_OTHER_LATER = {
    YES: re.compile(r"(?:[.!?\n]\s*|\bor\s+|/\s*)no[,.!]", re.IGNORECASE),
    NO: re.compile(r"(?:[.!?\n]\s*|\bor\s+|/\s*)yes[,.!]", re.IGNORECASE),
}
# What leads to an answer further on: `the answer is`, a box, a key of JSON, a conclusion, a line of its own.
_MARKS = r"[\s\"'*_`(\[{$>:]*"
_TOLD = (
    r"\b(?:answer|conclusion)(?:\s+to\s+(?:the|this|your|that)\s+question)?[\s\"'*_`]*(?:\bis|[:=\-–—])"
    r"|(?<!\w)(?-i:A)\s*:|\bboxed\s*\{(?:\s*\\text\s*\{)?|\b(?:i|we)(?:\s+would|['’]d|\s+will|['’]ll)?\s+(?:say|answer|think|believe|go\s+with)"
)
_CONCLUDED = (
    r"(?:^|[,;:.!?–—\n])\s*(?:and\s+)?(?:so|but|thus|hence|therefore)\b,?\s*"
    r"(?:(?:probably|likely|most\s+likely|definitely|clearly|the\s+answer\s+is|i(?:['’]d|\s+would)\s+say)[\s:,]+)?"
)
_STATED = re.compile(
    rf"(?P<told>{_TOLD}){_MARKS}(?P<word>yes|no)(?![\w'’-])"
    rf"|(?:{_CONCLUDED}|\n{_MARKS})(?P<ended>yes|no)(?=[\s\"'*_`)\]}}$]*(?:[.!,;]|$|\n))",
    re.IGNORECASE,
)
_EITHER = re.compile(r"\byes\s*(?:or|/)\s*no\b", re.IGNORECASE)
# Before it in its sentence: it is not said, or under a condition.
_UNSAID = re.compile(r"\b(?:not|if|whether|unless|either|neither)\b|n['’]t\b", re.IGNORECASE)
_BARE_IT = r"(?:it|this|that|there|they|these|those|he|she)"
_BARE_DOES = r"(?:does|do|did|is|are|was|were|has|have|can)"
_BARE = {
    YES: re.compile(
        rf"\W*(?:{_BARE_IT}\s+(?:\w+ly\s+)?{_BARE_DOES}|present|seen|visible|positive|affirmative|(?-i:Y))\W*$",
        re.IGNORECASE,
    ),
    NO: re.compile(
        rf"\W*(?:{_BARE_IT}\s+{_BARE_DOES}(?:\s*not|n['’]t)|absent|not\s+(?:present|seen|visible)|negative|(?-i:N))\W*$",
        re.IGNORECASE,
    ),
}
_NOT = r"(?:\bnot\b|n['’]t\b)"
_SUBJECT = r"^\W*(?:(?:actually|well|in fact|first a correction|unfortunately)\W+)?"
_WRONG = re.compile(
    _SUBJECT + r"(?:"
    r"(?:that|this|it|what\b.{0,30}"
    r"|the (?:statement|sentence|premise|question|claim|line|report|assumption|description))"
    r"(?:\s+\w+){0,2}?\s*(?:['’]s|is|are|was|seems?|needs?|must|should|can|could|would|cannot|does|do)(?:\b|(?=n['’]t))"
    r"(?:\s+(?:be|to be|have to be))?\s*"
    rf"(?:{_NOT}\s+(?:quite\s+|entirely\s+)?(?:correct|right|true|accurate|so|hold|what)\b"
    r"|correct(?:ing|ed)\b|incorrect|wrong|false|inaccurate|untrue|mistaken|changed|correction)"
    r"|(?:not\s+(?:quite|correct|right|true|really|exactly|so)|incorrect|wrong|false|inaccurate)\b\s*(?:[.,:;]|$)"
    r"|(?:one thing has to be set right|a correction)\b|the premise is false)",
    re.IGNORECASE,
)
_RIGHT = re.compile(
    _SUBJECT + r"(?:"
    r"(?:that|this|it|the (?:statement|sentence|premise|claim|line|report|description))"
    r"(?:['’]s|\s+is|\s+looks|\s+seems)"
    r"\s+(?:quite\s+|entirely\s+)?(?:correct|right|true|accurate|fine)\b"
    r"|(?:the (?:statement|sentence|line|claim|report)|it|that|this)\s+(?:can|may|should)\s+"
    r"(?:stand|be kept|remain)\b"
    r"|(?:nothing|no need|no change|no correction)\b.{0,14}"
    r"\b(?:correct|change|changed|needed|necessary|required|amend)\b"
    r"|(?:it|the \w+)\s+needs?\s+no\s+(?:change|correct\w*)"
    r"|(?:correct|right|true|accurate|indeed|certainly|absolutely|of course|keep it)\b\s*(?:[.,:;!]|$)"
    r"|surely\s*(?:[.!]|$))",
    re.IGNORECASE,
)
_STAND_NOT = re.compile(r"\b(?:cannot|can\s*not|can['’]t|should\s*not|must\s*not)\s+stand\b", re.IGNORECASE)
_CANNOT = re.compile(
    r"\b(?:can\s?not|can['’]t|could\s?n['’]?o?t|unable to|impossible to|difficult to|hard to|not possible to)\b"
    r"[^.]{0,60}?\b(?:determin\w*|say|tell|know|assess\w*|conclu\w*|confirm\w*|rule|exclude|answer\w*|evaluat\w*"
    r"|establish\w*|identif\w* with certainty|provide|judge\w*|diagnos\w*)\b"
    r"|\b(?:not|n['’]t)\s+(?:\w+\s+){0,2}(?:provide|contain|have|offer|give)\s+(?:\w+\s+){0,2}"
    r"(?:enough|sufficient|information|context)"
    r"|\b(?:insufficient|not enough)\s+(?:information|context|data|detail)"
    r"|\b(?:i['’]?m|i am)\s+(?:sorry|not sure|unsure|not certain)|\bi do(?:n['’]t| not) know\b|\bas an ai\b"
    r"|\b(?:uncertain|unclear|indeterminate|inconclusive)\b|\b(?:would|will) (?:need|be needed|require)\b[^.]{0,40}\bto"
    r" (?:determine|confirm|say|tell)|\bwithout (?:more|further|additional|access|seeing|the image)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:may|might|could|possibl[ey]|perhaps|maybe|probabl[ey]|likely|unlikely|suspicious|suggest(?:s|ive|ing)?|"
    r"potential(?:ly)?|presumably|questionable|equivocal|appears? to|seems? to|consistent with|cannot be excluded)\b",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:may|might|could|possibl[ey]|perhaps|maybe|questionable|equivocal|cannot be excluded)\b|\bis possible\b",
    re.IGNORECASE,
)
_DENIES = re.compile(
    rf"\b(?:no|none|neither|nor|without|absent|absence|lacks?|negative for|free of|free from|clear of|never)\b|{_NOT}|"
    r"\bfails? to\b",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"\b(?:there (?:is|are|was|were|appears? to be|seems? to be)|(?:shows?|demonstrates?|reveals?|depicts?|contains?|"
    r"displays?|indicates?|has|have|exhibits?)\b|(?:can|could) (?:be )?(?:see|seen|made|identif\w+|make)|i see|we see|"
    r"(?:is|are) (?:\w+ )?(?:present|visible|seen|evident|noted|identified|there|apparent|observed|detected))\b",
    re.IGNORECASE,
)
_DOUBTS = r"(?:doubt|question|denying|dispute)"
_THAT = r"(?:\s+about\s+(?:it|that|this))?(?:\s+(?:but\s+)?that\b)?"
_NO_DOUBT = re.compile(
    r"(?:\b(?:there(?:\s+is|['’]s|\s+can\s+be)|(?:i|we)\s+have|it\s+is)\s+)?"
    rf"\b(?:no|without(?:\s+an?y?)?|beyond(?:\s+(?:any|all|a))?)\s+(?:reasonable\s+|possible\s+|shadow\s+of\s+a\s+)?{_DOUBTS}\b"
    rf"(?!\s+of\b){_THAT}"
    rf"|\bit\s+can(?:\s?not|['’]t)\s+be\s+(?:denied|disputed|doubted|questioned)\b{_THAT}"
    rf"|\b(?:nobody|no\s*one)\s+(?:can|could|would)\s+(?:deny|doubt|dispute)\b{_THAT}"
    rf"|\b(?:i|we|one|you)\s+(?:can(?:\s?not|['’]t)|do(?:\s+not|n['’]t))\s+(?:deny|doubt|dispute)\b{_THAT}"
    r"|\b(?:undoubtedly|unquestionably|undeniably|doubtless)\b",
    re.IGNORECASE,
)
_NOT_ONLY = re.compile(
    r"(?:\bnot|n['’]t)\s+(?:only|just|merely|simply)\b(?:\s+(?P<is>is|are|was|were)\s+there\b)?",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?:\b(?:i|we|one|you)\s+)?(?:\bcan(?:\s?not|['’]t)|\b(?:could|would|do|does)(?:\s+not|n['’]t)|\bunable\s+to|"
    r"\b(?:not\s+possible|impossible|difficult|hard)\s+to)\s+(?:\w+ly\s+)?(?:rule\s+out|exclude)\b"
    r"(?:\s+the\s+possibility)?(?:\s+(?:that|of)\b)?"
    r"|\b(?:i|we)\s+(?:\w+\s+)?doubt\b(?:\s+(?:that|if|whether)\b)?",
    re.IGNORECASE,
)
_LEFT_OPEN = re.compile(
    r"\b(?:(?:is|are|was|were|has|have|can|could)(?:\s*not|n['’]t)(?:\s+(?:be|been))?|cannot\s+be)\s+(?:\w+ly\s+)?"
    r"(?:ruled\s+out|excluded)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@lru_cache(maxsize=1 << 12)
def unadorned(text: str) -> str:
    """The text with its denials meant as such: `no doubt that` is `surely`, `not only` is nothing, `cannot rule out` is
    `possibly`. All that reads yes and no, or a premise, reads this.
    """
    text = _NO_DOUBT.sub("surely", text)
    text = _NOT_ONLY.sub(lambda found: f"there {found['is']}" if found["is"] else "", text)
    return _LEFT_OPEN.sub("is possible", _OPEN.sub("possibly", text))


def first_sentence(text: str) -> str:
    """What stands before the first full stop, question or exclamation mark, or end of a line."""
    return _SENTENCE.split(text.strip(), maxsplit=1)[0]


def first_word(text: str) -> str | None:
    """The yes or no that a text begins with, be it an answer or the `no` of `no fracture`; None for neither or both."""
    found = _WORD.match(text)
    if found is None or contradicts_itself(text):
        return None
    return YES if found[1][0] in "yY" else NO


def opening(text: str) -> str | None:
    """The yes or no that a text opens with as its answer; None for neither, and for both (`yes and no`, `yes/no`)."""
    said, found = first_word(text), _WORD.match(text)
    if said == NO and found is not None and not _ANSWER.match(found["after"]):
        return None
    return said


def contradicts_itself(text: str) -> bool:
    """Whether a text gives both words as its answer."""
    found = _WORD.match(text)
    if found is None:
        return False
    said = YES if found[1][0] in "yY" else NO
    return bool(_BOTH.match(found["after"]) or _OTHER_LATER[said].search(found["after"]))


def stated(text: str) -> str | None:
    """The last yes or no that is given as the answer further on: `the answer is no`, `so yes`, a line of its own."""
    said = None
    for found in _STATED.finditer(text):
        word = (found["word"] or found["ended"]).lower()
        after, sentence = text[found.end() :], _SENTENCE.split(text[: found.start()])[-1]
        bare = found["ended"] is not None or word == YES or _ANSWER.match(after)
        unsaid = found["told"] is not None and _UNSAID.search(sentence)
        if bare and not unsaid and not _BOTH.match(after):
            said = word
    return said


def verdict(text: str) -> str | None:
    """The yes or no that a text gives as its answer, or its verdict on a statement: `that is not correct`.

    What it opens with and what it states further on must not be two things.
    """
    text = unadorned(text)
    if contradicts_itself(text):
        return None
    word, later = opening(text), stated(text)
    if word is not None and later is not None and word != later:
        return None
    if word is not None or later is not None:
        return word or later
    head = first_sentence(text)
    for word, bare in _BARE.items():
        if bare.match(head):
            return word
    if _RIGHT.match(head) and not _STAND_NOT.search(head):
        return YES
    return NO if _WRONG.match(head) or _STAND_NOT.search(head) else None


def polarity(text: str) -> str | None:
    """Yes or no by the first word, by a verdict, or by how the first sentence states or denies something.

    None where it is undecided: neither is said, both are, the sentence hedges or says that it cannot be told.
    """
    text = unadorned(text)
    said = verdict(text)
    if said is not None or contradicts_itself(text):
        return said
    head = _EITHER.sub("", first_sentence(text))
    if _CANNOT.search(head) or _DOUBT.search(head):
        return None
    if _DENIES.search(head):
        return NO
    return YES if _STATES.search(head) else None


def abstains(text: str) -> bool:
    """Whether a text answers that it cannot answer: no yes or no, and within two sentences that it cannot be told."""
    if not text.strip():
        return True
    if verdict(text) is not None:
        return False
    return _CANNOT.search(" ".join(_SENTENCE.split(text.strip(), maxsplit=2)[:2])) is not None


def hedges(text: str) -> bool:
    """Whether a text leaves room for doubt anywhere."""
    return _HEDGE.search(text) is not None or _CANNOT.search(text) is not None
