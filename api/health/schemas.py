"""Response bodies of `/healthz` and `/readyz`."""

from typing import Literal

from api.wire import Output


class Alive(Output, frozen=True, kw_only=True):
    status: Literal["alive"] = "alive"


class Readiness(Output, frozen=True, kw_only=True):
    """`stores` says of each engine `ready` or why not. It is empty for strangers."""

    ready: bool
    stores: dict[str, str]
