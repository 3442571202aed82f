"""The rate limit service that several gateways may share."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path

import grpc

from marquee.platform.programs.gateway_limits import ROUTE_CLASSES, address_filters, service_configuration
from marquee.settings import load_settings
from tests.harness.gateways import Sender, lone_gateway, refused

READY = ("GET", "/api/v1/readyz")
LOGIN = ("POST", "/api/v1/sessions")
BURST = {each.name: each.by_address.burst for each in ROUTE_CLASSES}


def _until(holds: Callable[[], bool], otherwise: str) -> None:
    """Tries a thousand times: fewer requests than the gateway's own limit of one address lets through at once."""
    for _ in range(1000):
        if holds():
            return
    raise AssertionError(otherwise)


class _Service:
    """A rate limit service: notes what it is asked, refuses everything while `refuses` is set."""

    def __init__(self) -> None:
        self.refuses = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.asked: list[bytes] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        unary = grpc.unary_unary_rpc_method_handler(self._answer)
        name = "envoy.service.ratelimit.v3.RateLimitService"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"ShouldRateLimit": unary}),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def _answer(self, request: bytes, _: grpc.ServicerContext) -> bytes:
        self.go_on.wait(10)
        self.asked.append(request)
        # RateLimitResponse.overall_code: 1 is OK, 2 is OVER_LIMIT.
        return b"\x08\x02" if self.refuses.is_set() else b"\x08\x01"

    def stop(self) -> None:
        self.go_on.set()
        self._server.stop(None).wait()


@contextlib.contextmanager
def _service() -> Iterator[_Service]:
    service = _Service()
    try:
        yield service
    finally:
        service.stop()


def test_gateways_share_their_limits_by_a_service(tmp_path: Path) -> None:
    with _service() as service:
        url = f"grpc://127.0.0.1:{service.port}"
        with lone_gateway(tmp_path / "state", rate_limit_url=url) as settings:
            sender = Sender(settings)
            # A service that has not answered after 50 ms is ignored: the first connection and a busy machine take longer.
            _until(lambda: sender.send(*READY)[0] == 200 and bool(service.asked), "the service was never asked")
            service.asked.clear()
            _until(
                lambda: bool(sender.send(*LOGIN)) and b"logins-by-address" in b"".join(service.asked),
                "the service was not asked about a login",
            )
            told = next(each for each in service.asked if b"logins-by-address" in each)
            for value in (b"marquee", b"logins-by-address", b"everything-by-address", b"127.0.0.1/32"):
                assert value in told, f"the service was not told {value!r}"
            service.refuses.set()
            _, headers, body = refused(sender, *READY)
            assert headers["retry-after"] == "1", "what the service refuses passes"
            assert json.loads(body)["code"] == "too-many-requests"
            service.go_on.clear()
            assert sender.send(*LOGIN)[0] == 200, "a service that does not answer in time stops every request"
            service.stop()
            assert sender.send(*LOGIN)[0] == 200, "a service that is down stops every request"
            assert 429 in sender.statuses(2 * BURST["logins"], *LOGIN), "without the service there is no limit at all"


def test_the_services_configuration_knows_every_descriptor_that_a_gateway_sends(tmp_path: Path) -> None:
    settings = load_settings(state=tmp_path, rate_limit_url="grpc://limits:8081", rate_limit_scale=2)
    known = {each["value"]: each["descriptors"][0] for each in service_configuration(settings)["descriptors"]}
    local, shared = address_filters(settings)
    assert shared["typed_config"]["rate_limits"] == local["typed_config"]["rate_limits"]
    for each in local["typed_config"]["descriptors"]:
        kind, sender = each["entries"]
        assert known[kind["value"]]["key"] == sender["key"]
        assert known[kind["value"]]["rate_limit"]["requests_per_unit"] == each["token_bucket"]["max_tokens"]
    assert known["logins-by-address"]["rate_limit"]["requests_per_unit"] == 2 * BURST["logins"]
