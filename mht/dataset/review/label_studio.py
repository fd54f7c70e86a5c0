"""Label Studio: the labelling configuration, a pair as a task, and an export's annotations as decisions.

Source: Label Studio, "Label Studio JSON format of annotated tasks" and the tags Image, Text, Choices and TextArea.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from mht.dataset.review.decisions import EDITABLE, Decision, decision
from mht.errors import InputError

CONFIG = """<View>
  <Header value="$about" size="5"/>
  <Image name="image" value="$image" zoom="true" zoomControl="true" rotateControl="false"/>
  <Text name="question" value="$question"/>
  <Text name="answer" value="$answer"/>
  <Text name="rejected" value="$rejected"/>
  <Text name="twin" value="$twin"/>
  <Choices name="verdict" toName="image" choice="single-radio" required="true" showInLine="true">
    <Choice value="accept" hotkey="1" hint="right as it is"/>
    <Choice value="reject" hotkey="2" hint="leave this pair out; its twin stays"/>
    <Choice value="reject_both" hotkey="3" hint="leave this pair and its twin out"/>
    <Choice value="edit" hotkey="4" hint="right once a text is mended below"/>
  </Choices>
  <View visibleWhen="choice-selected" whenTagName="verdict" whenChoiceValue="edit">
    <Header value="Question" size="6"/>
    <TextArea name="edited_question" toName="image" maxSubmissions="1" editable="true" rows="2"/>
    <Header value="Answer" size="6"/>
    <TextArea name="edited_answer" toName="image" maxSubmissions="1" editable="true" rows="3"/>
    <Header value="Wrong answer, for preference training" size="6"/>
    <TextArea name="edited_rejected" toName="image" maxSubmissions="1" editable="true" rows="3"/>
  </View>
  <Header value="Note" size="6"/>
  <TextArea name="note" toName="image" maxSubmissions="1" editable="true" rows="1"/>
</View>
"""
_MIME = {"jpg": "image/jpeg", "png": "image/png"}
_REMEDY = "Export from Label Studio as JSON (not JSON-MIN) and keep the task's data as they were."


def data_uri(image: dict[str, Any]) -> str:
    """An image of the dataset as text that Label Studio shows without a server for files."""
    kind = _MIME[image["path"].rpartition(".")[2]]
    return f"data:{kind};base64,{base64.b64encode(image['bytes']).decode('ascii')}"


def task(pair: dict[str, Any], twin: dict[str, Any] | None, image: str, run: str) -> dict[str, Any]:
    """A pair as a task. The texts to edit are pre-filled by a prediction; the verdict is left to the reviewer."""
    data = {
        "image": image,
        "about": f"{pair['state']}, {pair['type']}, {pair['form']}, risk {pair['risk']}: {pair['evidence']}",
        "question": pair["question"],
        "answer": pair["answer"],
        "rejected": pair.get("rejected") or "",
        "twin": f"Its twin, {twin['state']}: {twin['question']} {twin['answer']}"
        if twin
        else "Its twin is not there.",
        "pair_id": pair["pair_id"],
        "row_hash": pair["row_hash"],
        "twin_pair_id": twin["pair_id"] if twin else "",
        "twin_row_hash": twin["row_hash"] if twin else "",
    }
    filled = [
        {
            "id": f"{pair['pair_id']}-{name}",
            "from_name": f"edited_{name}",
            "to_name": "image",
            "type": "textarea",
            "value": {"text": [data[name]]},
        }
        for name in EDITABLE
        if data[name]
    ]
    return {"data": data, "predictions": [{"model_version": f"mht {run}", "result": filled}]}


def decisions_of(tasks: Any, place: str) -> Iterator[Decision]:
    """Every annotation that was not cancelled. Raises InputError for a task that is not one of `task`."""
    for number, one in enumerate(tasks, 1):
        where = f"{place}, task {one.get('id', number) if isinstance(one, dict) else number}"
        try:
            data, annotations = one["data"], one["annotations"]
            for annotation in annotations:
                if not annotation.get("was_cancelled"):
                    yield from _decisions(data, annotation, where)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise InputError(f"{where} at review: no annotated task ({error!r}). {_REMEDY}") from None


def _decisions(data: dict[str, str], annotation: dict[str, Any], where: str) -> Iterator[Decision]:
    given = {result["from_name"]: result["value"] for result in annotation["result"]}
    if "verdict" not in given:
        raise InputError(f"{where} at review: an annotation without a verdict. Choose one, or cancel it.")
    (verdict,) = given["verdict"]["choices"]
    about: dict[str, Any] = {"pair_id": data["pair_id"], "row_hash": data["row_hash"], "verdict": verdict}
    said: dict[str, Any] = {"reviewer": _reviewer(annotation.get("completed_by"))}
    if "note" in given:
        said["note"] = _text(given["note"])
    if verdict == "reject_both":
        yield decision({**about, "verdict": "reject", **said}, where)
        if data["twin_pair_id"]:
            twin = {"pair_id": data["twin_pair_id"], "row_hash": data["twin_row_hash"], "verdict": "reject"}
            yield decision({**twin, **said}, where)
        return
    if verdict == "edit":
        about |= _changed(data, given)
    yield decision({**about, **said}, where)


def _changed(data: dict[str, str], given: dict[str, Any]) -> dict[str, str]:
    """The edited texts that are not as they were."""
    texts = {name: _text(given[f"edited_{name}"]) for name in EDITABLE if f"edited_{name}" in given}
    return {name: text for name, text in texts.items() if text and text != data[name]}


def _text(value: dict[str, Any]) -> str:
    text = value["text"]
    return str(text if isinstance(text, str) else text[-1]).strip()


def _reviewer(completed_by: Any) -> str | None:
    """Label Studio's number of the user; an address that it may add is a person's and is not kept."""
    number = completed_by.get("id") if isinstance(completed_by, dict) else completed_by
    return None if number is None else str(number)
