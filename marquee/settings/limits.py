"""Settings of the limits of requests: a group of `marquee.settings.groups`, in a module of its own for its length."""

import re

from pydantic import BaseModel, Field, field_validator


class Limits(BaseModel):
    """Limits of requests

    The gateway limits how much one client address and one account may ask (`marquee/platform/programs/gateway_limits.py`).
    """

    trusted_hops: int = Field(
        0,
        ge=0,
        le=16,
        description="Number of your own proxies in front of the gateway. Only the address that the first of them wrote into "
        "X-Forwarded-For counts as the client's. 0: the address of the connection.",
    )
    rate_limit_scale: float = Field(
        1.0, ge=0.01, le=10_000, description="Factor of every limit of the gateway: 2 allows twice as many requests."
    )
    rate_limit_url: str = Field(
        "",
        description="A rate limit service that several gateways share: `grpc://host:port`. `marquee rate-limits` prints its "
        "configuration. Empty: each gateway counts for itself.",
    )

    telemetry_sample: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the playback sessions whose events are kept, 0 to 1. A session is kept whole or not at all.",
    )
    telemetry_events_per_minute: int = Field(
        600, ge=200, description="Number of events that one playback session may send in a minute."
    )

    @field_validator("rate_limit_url")
    @classmethod
    def _is_a_grpc_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"grpc://(\[[0-9a-fA-F:]+\]|[^/:@\s]+):\d{1,5}", value):
            raise ValueError(f"{value!r} is not grpc://host:port")
        return value
