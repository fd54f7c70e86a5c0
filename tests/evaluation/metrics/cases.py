"""A pair of twins in a few words, for tests that count by hand."""

from __future__ import annotations

from mht.predictions import Prediction, score


def twin(
    reply: str | None, faithful: bool, twin_id: str = "t", risk: str = "low", **more: str | None
) -> Prediction:
    """`Is there an effusion?` on an image with one, `Is there a pneumothorax?` on the same without."""
    state, finding = ("faithful", "a pleural effusion") if faithful else ("hallucinated", "a pneumothorax")
    columns: dict[str, str | None] = {
        "form": "yes_no",
        "type": "existence",
        "polarity": "yes" if faithful else "no",
        "premise": finding,
        "image_id": twin_id,
    }
    columns |= more
    return Prediction(
        "b",
        f"{twin_id}{state[0]}",
        question=f"Is there {finding}?",
        truth="Yes, there is a pleural effusion." if faithful else "No, there is a pleural effusion.",
        reply=reply,
        failure="timeout" if reply is None else None,
        state=state,
        risk=risk,
        twin_id=twin_id,
        **columns,  # type: ignore[arg-type]
    )


def value(module: object, rows: list[Prediction], **params: object) -> tuple[float | None, int, int]:
    """The first figure with its n of n asked."""
    one = score(module.measure(rows, module.Params(**params))[0])  # type: ignore[attr-defined]
    return one.value, one.n, one.n_asked


YES, NO, ODD = "Yes, there is.", "No, there is none.", "It cannot be determined."
EVERY = [
    *(twin(YES, True, "a"), twin(NO, False, "a")),
    *(twin(YES, True, "b", "high"), twin(YES, False, "b", "high")),
    *(twin(NO, True, "c"), twin(NO, False, "c")),
    *(twin(ODD, True, "d"), twin(YES, False, "d")),
    *(twin(NO, True, "e", "critical"), twin(None, False, "e")),
    twin(YES, True, "f"),
]
