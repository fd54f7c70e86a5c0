"""The settings of pairing; each default is stated here and nowhere else."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from mht.catalog import names
from mht.pairing.wordings import Wordings


class PairingParams(BaseModel):
    """How many pairs an image may have, in which forms, and how hard to look for them.

    `pairs_per_image` is the most, twins counted as two. `draws_per_fact` is how often each perturbation is asked of
    each fact at the most, fewer once all its edits are drawn: detailed balance refuses a good part. `forms_per_edit`
    is in how many forms, drawn at random, an edit is proposed; fewer for kinds that most facts allow. `facts_per_image`
    bounds the work of a long caption. `rare_below`: a wording with fewer true premises than this in the corpus is
    judged in a coarser context. `premise_once`: whether a premise is asked of an image in one form only. `balance`: off
    only to show what it is good for. `wordings`: all question templates, or the first or the second half of them, which
    share none: train on one, test on the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    pairs_per_image: int = Field(default=10, ge=2, le=200)
    forms: tuple[str, ...] = Field(default_factory=lambda: names("pairing.forms"), min_length=1)
    draws_per_fact: int = Field(default=6, ge=1, le=200)
    forms_per_edit: int = Field(default=3, ge=1, le=20)
    facts_per_image: int = Field(default=12, ge=1, le=200)
    rare_below: int = Field(default=8, ge=1, le=10_000)
    premise_once: bool = False
    wordings: Wordings = "all"
    balance: bool = True
