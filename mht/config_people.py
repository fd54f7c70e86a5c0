"""Where the scores that people gave replies are, as a configuration names them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from mht.judgements import SCALES


class PeopleConfig(BaseModel):
    """A JSON, JSON Lines, CSV, TSV or Parquet file with a row for each reply and rater; all but `path` are columns.

    The four scores lie from 1 to 10, of risk 10 is safest. `benchmark` tells apart the rows of several, `reply` the
    replies of several models: with it scores count only of a reply that says the same, letter by letter but for
    spaces. `together` is what the mean of several raters is called.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: str = Field(min_length=1)
    id: str = Field(default="row_id", min_length=1)
    rater: str = Field(default="rater", min_length=1)
    benchmark: str | None = Field(default=None, min_length=1)
    reply: str | None = Field(default=None, min_length=1)
    accuracy: str = Field(default="accuracy", min_length=1)
    relevance: str = Field(default="relevance", min_length=1)
    detail: str = Field(default="detail", min_length=1)
    risk: str = Field(default="risk", min_length=1)
    together: str = Field(default="people", pattern=r"^[A-Za-z0-9_-]+$")

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that the file must have."""
        beside = tuple(name for name in (self.benchmark, self.reply) if name is not None)
        return (self.id, self.rater, *beside, *(str(getattr(self, scale)) for scale in SCALES))
