"""Tells the operator of a proxy in front of the gateway that MARQUEE_TRUSTED_HOPS does not count.

Without the setting all clients of the proxy have one address, so one viewer who mistypes a password slows all of them. The sign:
the gateway believes nobody (it says so in HOPS_HEADER), its peer has a private address, and this peer sent `X-Forwarded-For` or
`Forwarded`. A client can forge both headers, but seldom from a private address. The log tells once in WARN_SECONDS; `marquee
doctor` reads the metric.
"""

import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import Counter

from marquee.domain.client_address import CLIENT_ADDRESS_HEADER, HOPS_HEADER
from marquee.logs import get_logger

WARN_SECONDS: Final = 3600.0
SEEN = Counter(
    "marquee_api_unannounced_proxy_requests",
    "Requests of a proxy in front of the gateway that MARQUEE_TRUSTED_HOPS does not count.",
)

log = get_logger()


class UnannouncedProxy:
    """Looks at each request's headers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._silent_until = 0.0

    def look(self, headers: Mapping[bytes, bytes]) -> None:
        """`headers` have names in lower case, as ASGI gives them."""
        peer = headers.get(CLIENT_ADDRESS_HEADER.encode(), b"").decode("latin-1")
        if headers.get(HOPS_HEADER.encode()) != b"0" or not _is_forwarded(headers) or not _is_private(peer):
            return
        SEEN.inc()
        if self._clock() >= self._silent_until:
            self._silent_until = self._clock() + WARN_SECONDS
            log.warning(
                f"a proxy at {peer} stands in front of the gateway and is not counted: all its clients share one limit. "
                "Set MARQUEE_TRUSTED_HOPS to the number of such proxies.",
                setting="MARQUEE_TRUSTED_HOPS",
            )


def _is_forwarded(headers: Mapping[bytes, bytes]) -> bool:
    # The gateway itself appends its peer to X-Forwarded-For. Only a second address was sent by the peer.
    return b"forwarded" in headers or b"," in headers.get(b"x-forwarded-for", b"")


def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return False
