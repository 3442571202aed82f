"""A proxy in front of the gateway without MARQUEE_TRUSTED_HOPS: the operator is told, once in a while."""

import pytest
from structlog.testing import capture_logs

from api.unannounced_proxy import SEEN, WARN_SECONDS, UnannouncedProxy
from marquee.platform.examination import UNANNOUNCED_PROXY

PROXY = {
    b"x-marquee-client-address": b"10.1.2.3",
    b"x-marquee-trusted-hops": b"0",
    b"x-forwarded-for": b"198.51.100.7,10.1.2.3",
}


def told(*requests: dict[bytes, bytes], seconds: float = 0.0) -> list[str]:
    """The warnings; `seconds` pass between two requests."""
    now = 0.0
    proxies = UnannouncedProxy(clock=lambda: now)
    with capture_logs() as lines:
        for headers in requests:
            proxies.look(headers)
            now += seconds
    return [line["event"] for line in lines]


def test_a_proxy_is_told_once_and_again_after_a_while() -> None:
    [warning] = told(*[PROXY] * 50)
    assert "MARQUEE_TRUSTED_HOPS" in warning
    assert "10.1.2.3" in warning
    assert len(told(*[PROXY] * 3, seconds=WARN_SECONDS)) == 3


@pytest.mark.parametrize(
    "changed",
    [
        {b"x-marquee-client-address": b"127.0.0.1"},
        {b"x-marquee-client-address": b"fd00::1"},
        {b"x-forwarded-for": b"10.1.2.3", b"forwarded": b"for=198.51.100.7"},
    ],
)
def test_every_private_peer_and_both_headers_count(changed: dict[bytes, bytes]) -> None:
    assert len(told({**PROXY, **changed})) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {b"x-marquee-trusted-hops": b"1"},
        {b"x-marquee-client-address": b"8.8.8.8"},
        {b"x-marquee-client-address": b"nonsense"},
        {b"x-forwarded-for": b"10.1.2.3"},
    ],
)
def test_a_counted_proxy_and_a_client_of_the_open_internet_are_not_told(changed: dict[bytes, bytes]) -> None:
    assert told({**PROXY, **changed}) == []


def test_without_the_gateway_nothing_is_told() -> None:
    assert told({name: value for name, value in PROXY.items() if name != b"x-marquee-trusted-hops"}) == []


def test_the_doctor_reads_the_metric_that_the_api_has() -> None:
    names = {sample.name for family in SEEN.collect() for sample in family.samples}
    assert UNANNOUNCED_PROXY in names
