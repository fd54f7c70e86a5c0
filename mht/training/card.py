"""What a finished run says of its model: the results that are kept, and the card that they go into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mht.config_identity import flatten
from mht.model.card import ModelCard
from mht.pretrained.bases import BASE_DIGEST
from mht.training.history import History, held_out
from mht.training.run import Run

_UNTOLD = ("plan", "storage", "ray", "run", "tracking", "output", "new_run", "checkpoints")
"""Settings that say nothing of the model."""


def results(history: History, parameters: tuple[int, int], told: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured; `parameters` are (trained, all), `told` is what the process knows beside."""
    seconds = history.seconds
    losses = history.columns["loss"]
    return {
        "steps": history.steps,
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "validations": history.validations,
        "images": history.total("images"),
        "samples": history.total("exchanges"),
        "learnt_tokens": history.total("learnt"),
        "tokens": history.total("tokens"),
        "seconds": seconds,
        "samples_per_s": history.total("exchanges") / seconds,
        "tokens_per_s": history.total("tokens") / seconds,
        "trained_parameters": parameters[0],
        "parameters": parameters[1],
        **told,
    }


def card(run: Run, found: Mapping[str, Any]) -> ModelCard:
    """The card of a run's model: held-out figures before and after training, then how it was trained."""
    given = run.resolved
    # The model of a run lies in its folder `model`.
    name = given["model"]["path"].rstrip("/").removesuffix("/model").rpartition("/")[2]
    settings = {key: value for key, value in flatten(given) if key.partition(".")[0] not in _UNTOLD}
    return ModelCard(
        title=f"{name} against hallucination",
        base_model=given["model"]["path"],
        base_revision=given["model"]["revision"],
        data=given["data"]["path"],
        data_hash=run.data,
        settings=settings | {BASE_DIGEST: run.model, "code": run.code, **run.libraries},
        results=_rows(found),
    )


def _rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, before, after in held_out(found["validations"], found["steps"]):
        rows.append(_row(f"held out: {name.replace('_', ' ')}", before, after))
    rows.append(_row("training loss, first and last step", found["loss_first"], found["loss_last"]))
    for name in (
        "steps",
        "images",
        "samples",
        "learnt_tokens",
        "rows_left_out",
        "trained_parameters",
        "parameters",
    ):
        rows.append(_row(name.replace("_", " "), "", f"{found[name]:,}"))
    return rows


def _row(what: str, before: Any, after: Any) -> dict[str, Any]:
    return {"what": what, "before training": before, "after": after}
