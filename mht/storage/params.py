"""How object storage is reached. There is no field for a secret: credentials come from the environment."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class StorageParams(BaseModel):
    """Endpoint, limits and patience. Credentials are found as the store's own tools find them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    endpoint_url: str | None = None
    region: str | None = None
    anonymous: bool = False
    concurrency: int = Field(default=32, ge=1, le=512)
    connect_timeout_s: float = Field(default=5.0, gt=0, le=300)
    read_timeout_s: float = Field(default=20.0, gt=0, le=3600)
    outage_limit_s: float = Field(default=600.0, ge=0, le=86_400)

    @field_validator("endpoint_url")
    @classmethod
    def _refuse_secret(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("an endpoint is a http:// or https:// address")
        if value is not None and "@" in value.split("//", 1)[1].split("/", 1)[0]:
            raise ValueError("an endpoint holds no user:password@; set AWS_ACCESS_KEY_ID instead")
        return value
