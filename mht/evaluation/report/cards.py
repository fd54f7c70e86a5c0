"""The worst errors as cards: the image, what was asked, what was said, what is so, and how grave it is."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from html import escape

from mht.evaluation.report.tables import spoken
from mht.evaluation.report.text import one_line, visible
from mht.evaluation.report.worst import Wrong
from mht.judgements import Judgement
from mht.knowledge.risk import LEVELS
from mht.predictions import Prediction

Pictures = Callable[[str, Sequence[Prediction]], Sequence[bytes | None]]
"""(benchmark, rows) to each row's image: bytes of a JPEG or PNG small enough for a page; None where it is missing."""

_PNG = b"\x89PNG"
_LONGEST = 1200


def cards(errors: Sequence[Wrong], pictures: Sequence[bytes | None]) -> list[str]:
    """A card for each error, in their order."""
    return [_card(error, picture) for error, picture in zip(errors, pictures, strict=True)]


def _card(error: Wrong, picture: bytes | None) -> str:
    row = error.row
    asked = _marked(row.question, row.premise)
    said = "Reply" if row.likelihood_yes is None else f"Reply <span>· {_sure(row.likelihood_yes)}</span>"
    return (
        f'<li class="card {_level(row)}"><figure>{_img(picture, row.image_id)}'
        f"<figcaption><code>{escape(one_line(row.image_id, 60))}</code></figcaption></figure>"
        f'<div><p class="verdict">{escape(error.verdict)}</p><ul class="tags">{_tags(row)}</ul><dl>'
        f"<dt>Question</dt><dd>{asked}</dd>{_premise(row)}"
        f'<dt class="said">{said}</dt><dd class="said">{_long(row.answer) or "<i>empty</i>"}</dd>'
        f"<dt>Reference</dt><dd>{_long(row.truth)}</dd>{_judged(row)}</dl>"
        f"<code>{escape(one_line(row.row_id, 80))}</code></div></li>"
    )


def _level(row: Prediction) -> str:
    return f"risk-{row.risk}" if row.risk in LEVELS else "risk-none"


def _img(picture: bytes | None, image_id: str) -> str:
    if picture is None:
        return '<p class="gone">image not at hand</p>'
    kind = "png" if picture.startswith(_PNG) else "jpeg"
    data = base64.b64encode(picture).decode()
    return f'<img src="data:image/{kind};base64,{data}" alt="image {escape(one_line(image_id, 60))}" loading="lazy">'


def _tags(row: Prediction) -> str:
    told = [f'<li class="risk">risk {spoken(row.risk)}</li>'] if row.risk is not None else []
    told += [f"<li>{spoken(word)}</li>" for word in (row.type, row.modality) if word is not None]
    return "".join(told)


def _premise(row: Prediction) -> str:
    if row.premise is None or _found(row.question, row.premise):
        return ""
    false = row.state == "hallucinated"
    return f"<dt>{'False' if false else 'True'} premise</dt><dd><mark>{_long(row.premise)}</mark></dd>"


def _found(question: str, premise: str) -> re.Match[str] | None:
    return re.search(re.escape(premise), question, re.IGNORECASE) if premise.strip() else None


def _marked(question: str, premise: str | None) -> str:
    """The question with its premise marked where it stands there in so many words."""
    found = _found(question, premise or "")
    if found is None:
        return _long(question)
    before, inside, after = question[: found.start()], found[0], question[found.end() :]
    return f"{_long(before)}<mark>{_long(inside)}</mark>{_long(after)}"


def _long(text: str) -> str:
    """Escaped and visible, with its lines; cut where it is very long."""
    shown = visible(text)
    return escape(shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…")


def _sure(likelihood_yes: float) -> str:
    word, sure = ("yes", likelihood_yes) if likelihood_yes >= 0.5 else ("no", 1 - likelihood_yes)
    return f"{100 * sure:.0f} % on “{word}”"


def _judged(row: Prediction) -> str:
    told = [_said(given) for given in row.judgements if given.risk is not None]
    return "".join(["<dt>Judged</dt>", *(f"<dd>{said}</dd>" for said in told)]) if told else ""


def _said(given: Judgement) -> str:
    scores = f"accuracy {given.accuracy:.3g}, risk {given.risk:.3g} (10 is safest)"
    why = f"<br><q>{_long(given.why)}</q>" if given.why else ""
    return f"{spoken(given.judge)}: {scores}{why}"


def unread(rows: Sequence[Prediction]) -> str:
    """Replies in which nothing can be read, with their questions."""
    items = (
        f"<li><q>{_long(row.question)}</q><blockquote>{_long(row.answer) or '<i>empty</i>'}</blockquote></li>"
        for row in rows
    )
    return f'<ul class="unread">{"".join(items)}</ul>'
