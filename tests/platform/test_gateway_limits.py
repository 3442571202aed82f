"""The gateway's limits by client address, kind of request and account; and the service that gateways may share."""

import contextlib
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import jwt
import pytest
from structlog.testing import capture_logs

from api.unannounced_proxy import UnannouncedProxy
from marquee.domain.client_address import CLIENT_ADDRESS_HEADER, HOPS_HEADER
from marquee.platform.programs.gateway_limits import ROUTE_CLASSES, address_filters, service_configuration
from marquee.platform.programs.gateway_tokens import OPEN_PATHS
from marquee.settings import Settings, load_settings
from marquee.token_keys import TOKEN_ALGORITHM, TOKEN_ISSUER, private_key
from tests.harness.gateways import Sender, lone_gateway

LOGIN = ("POST", "/api/v1/sessions")
BURST = {each.name: each.by_address.burst for each in ROUTE_CLASSES}
RATE = {each.name: each.by_address.rate for each in ROUTE_CLASSES}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with lone_gateway(tmp_path_factory.mktemp("gateway") / "state") as settings:
        yield settings


@pytest.fixture(scope="module")
def gateway_behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with lone_gateway(tmp_path_factory.mktemp("behind") / "state", trusted_hops=1) as settings:
        yield settings


def bearer(settings: Settings, account: str) -> dict[str, str]:
    claims = {"iss": TOKEN_ISSUER, "sub": account, "exp": int(time.time()) + 600, "jti": secrets.token_hex(4)}
    key = private_key(settings.token_private_key.get_secret_value())
    return {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm=TOKEN_ALGORITHM)}"}


def until_refused(sender: Sender, method: str, path: str, headers: dict[str, str] | None = None) -> int:
    """The number of requests that passed before the first refusal."""
    for passed in range(1000):
        if sender.send(method, path, headers)[0] == 429:
            return passed
    raise AssertionError("1000 requests were not refused")


def test_logins_of_one_address_are_refused_past_the_burst_and_others_pass(gateway: Settings) -> None:
    stranger, neighbour = Sender(gateway, "127.0.0.11"), Sender(gateway, "127.0.0.12")
    passed = until_refused(stranger, *LOGIN)
    assert passed >= BURST["logins"], f"the {passed + 1}th login of an address was refused already"
    status, headers, body = stranger.send(*LOGIN)
    assert status == 429, "the address got one login more"
    assert headers["content-type"].startswith("application/problem+json")
    assert json.loads(body)["code"] == "too-many-requests"
    assert neighbour.send(*LOGIN)[0] == 200, "another address was refused with it"
    assert stranger.send("GET", "/api/v1/readyz")[0] == 200, "what has another limit was refused too"
    time.sleep(int(headers["retry-after"]))
    assert stranger.send(*LOGIN)[0] == 200, "Retry-After named too short a time"


def test_what_needs_no_token_has_a_limit_of_its_own() -> None:
    for method, path in OPEN_PATHS:
        named = [each for each in ROUTE_CLASSES if re.fullmatch(each.path, path) and each.method in (None, method)]
        # Callers of the two health endpoints share one round of questions to the stores.
        assert named or path.endswith(("/healthz", "/readyz")), f"strangers may send {method} {path} without a limit"


def test_no_spelling_of_a_path_has_a_limit_of_its_own(gateway: Settings) -> None:
    for number, spelling in enumerate(
        (
            "/api/v1/sessions?x=1",
            "/api/v1/%73essions",
            "/api//v1/sessions",
            "/api/v1/x/../sessions",
            "/api/v1/./sessions",
        )
    ):
        stranger = Sender(gateway, f"127.0.0.{20 + number}")
        until_refused(stranger, *LOGIN)
        assert stranger.send("POST", spelling)[0] == 429, f"{spelling} goes round the limit of logins"


def test_a_forged_client_address_neither_reaches_the_api_nor_gives_a_new_limit(gateway: Settings) -> None:
    stranger = Sender(gateway, "127.0.0.31")
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-Ip": "203.0.113.9", CLIENT_ADDRESS_HEADER: "203.0.113.9"}
    received = json.loads(stranger.send("POST", "/api/v1/sessions", forged)[2])["headers"]
    assert {name.lower(): value for name, value in received.items()}[CLIENT_ADDRESS_HEADER] == "127.0.0.31"
    until_refused(stranger, *LOGIN)
    for number in range(5):
        forged = {"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
        assert stranger.send(*LOGIN, forged)[0] == 429, "an X-Forwarded-For of the client's own gave it a new limit"


def test_the_api_learns_of_a_proxy_that_nobody_counted(gateway: Settings, gateway_behind_a_proxy: Settings) -> None:
    def told(settings: Settings, sent: dict[str, str]) -> int:
        sender = Sender(settings)
        body = json.loads(sender.send("GET", "/api/v1/readyz", sent)[2])
        headers = {name.lower().encode(): value.encode() for name, value in body["headers"].items()}
        sender.close()
        with capture_logs() as lines:
            UnannouncedProxy().look(headers)
        return len(lines)

    forged = {HOPS_HEADER: "1"}
    for sent in ({"X-Forwarded-For": "198.51.100.7"}, {"Forwarded": "for=198.51.100.7"}):
        assert told(gateway, {**sent, **forged}) == 1, f"nobody is told of a proxy that sends {sent}"
        assert told(gateway_behind_a_proxy, sent) == 0, "a proxy that is counted is told"
    assert told(gateway, {}) == 0, "every client is told as a proxy"


def test_behind_trusted_proxies_the_address_they_wrote_counts(gateway_behind_a_proxy: Settings) -> None:
    proxy = Sender(gateway_behind_a_proxy)
    # The client sent "198.51.100.x"; the trusted proxy appended the address that it saw.
    for number in range(BURST["logins"] + 10 * RATE["logins"]):
        status, _, body = proxy.send(*LOGIN, {"X-Forwarded-For": f"198.51.100.{number % 250}, 203.0.113.7"})
        if status == 429:
            break
        received = {name.lower(): value for name, value in json.loads(body)["headers"].items()}
        assert received[CLIENT_ADDRESS_HEADER] == "203.0.113.7"
    assert status == 429, "forged addresses left of the trusted one gave new limits"
    assert proxy.send(*LOGIN, {"X-Forwarded-For": "203.0.113.8"})[0] == 200, "all clients of the proxy share one limit"


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("203.0.113.20", "203.0.113.20"),
        ("198.51.100.1, 203.0.113.21", "203.0.113.21"),
        ("198.51.100.1,198.51.100.2,203.0.113.22", "203.0.113.22"),
        ("127.0.0.1, 10.0.0.1, 203.0.113.23", "203.0.113.23"),
        ("unknown, <script>, 203.0.113.24", "203.0.113.24"),
        (", , 203.0.113.25", "203.0.113.25"),
        ("2001:db8::1, 2001:db8::2", "2001:db8::2"),
        # What is no address is not replaced by what the client wrote left of it: the proxy's own address counts.
        ("198.51.100.1, unknown", "127.0.0.1"),
        ("198.51.100.1, 203.0.113.26:4711", "127.0.0.1"),
        ("198.51.100.1,", "127.0.0.1"),
    ],
)
def test_behind_one_proxy_the_last_address_alone_counts(
    gateway_behind_a_proxy: Settings, sent: str, address: str
) -> None:
    """The proxy appends the address that it saw. Everything left of it is the client's own."""
    body = Sender(gateway_behind_a_proxy).send("GET", "/api/v1/readyz", {"X-Forwarded-For": sent})[2]
    received = {name.lower(): value for name, value in json.loads(body)["headers"].items()}
    assert received[CLIENT_ADDRESS_HEADER] == address


def test_preflights_pass_while_logins_are_refused_and_use_none_of_them_up(gateway: Settings) -> None:
    refused, asking = Sender(gateway, "127.0.0.71"), Sender(gateway, "127.0.0.72")
    preflight = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    until_refused(refused, *LOGIN)
    assert refused.send("OPTIONS", LOGIN[1], preflight)[0] == 200
    assert set(asking.statuses(3 * BURST["logins"], "OPTIONS", LOGIN[1], preflight)) == {200}
    assert asking.send(*LOGIN)[0] == 200, "preflights used up the address's logins"


def test_preflights_of_every_path_have_a_limit(gateway: Settings) -> None:
    """Without a limit they would be the way to the API that is never refused."""
    for number, path in enumerate(("/api/v1/search?q=x", "/api/v1/home", "/api/v1/uploads")):
        sender = Sender(gateway, f"127.0.0.{81 + number}")
        until_refused(sender, "OPTIONS", path)
        status, headers, body = sender.send("OPTIONS", path)
        assert (status, json.loads(body)["code"]) == (429, "too-many-requests")
        assert headers["retry-after"] == "1"


def test_an_ipv6_client_is_limited_by_its_network(gateway_behind_a_proxy: Settings) -> None:
    proxy = Sender(gateway_behind_a_proxy)
    found = [
        proxy.send(*LOGIN, {"X-Forwarded-For": f"2001:db8:0:1:{number:x}::1"})[0]
        for number in range(BURST["logins"] + 10 * RATE["logins"])
    ]
    assert 429 in found, "each address of one /64 has a limit of its own"
    assert proxy.send(*LOGIN, {"X-Forwarded-For": "2001:db8:0:2::1"})[0] == 200


def test_an_account_is_limited_at_whatever_addresses_it_is_used(gateway: Settings) -> None:
    path = ("POST", "/api/v1/accounts/password")
    own = bearer(gateway, "a_1")
    first, second = Sender(gateway, "127.0.0.41"), Sender(gateway, "127.0.0.42")
    until_refused(first, *path, own)
    status, headers, _ = second.send(*path, bearer(gateway, "a_1"))
    assert (status, headers.get("retry-after")) == (429, "1"), "another address gave the account a new limit"
    assert first.send(*path, bearer(gateway, "a_2"))[0] == 200, "another account at the same address was refused"


def test_a_forged_token_does_not_use_up_an_account(gateway: Settings) -> None:
    path = ("POST", "/api/v1/accounts/password")
    forged = jwt.encode({"iss": TOKEN_ISSUER, "sub": "a_3", "exp": int(time.time()) + 600}, "k" * 40, algorithm="HS256")
    stranger = Sender(gateway, "127.0.0.51")
    assert set(stranger.statuses(20, *path, {"Authorization": f"Bearer {forged}"})) == {401}
    assert Sender(gateway, "127.0.0.52").send(*path, bearer(gateway, "a_3"))[0] == 200


def test_the_progress_of_a_thousand_viewers_behind_one_address_passes(gateway: Settings) -> None:
    office = Sender(gateway, "127.0.0.61")
    path = ("POST", "/api/v1/stream/progress")
    statuses = {office.send(*path, bearer(gateway, f"a_viewer{number}"))[0] for number in range(1000)}
    assert statuses == {200}, "a company's viewers are refused their progress"


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
            for _ in range(100):  # the gateway's first connection to the service takes longer than one request may wait
                assert sender.send("GET", "/api/v1/readyz")[0] == 200
                if service.asked:
                    break
            service.asked.clear()
            sender.send(*LOGIN)
            assert service.asked, "the service was not asked"
            told = service.asked[-1]
            for value in (b"marquee", b"logins-by-address", b"everything-by-address", b"127.0.0.1/32"):
                assert value in told, f"the service was not told {value!r}"
            service.refuses.set()
            status, headers, body = sender.send(*LOGIN)
            assert (status, headers.get("retry-after")) == (429, "1"), "what the service refuses passes"
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
