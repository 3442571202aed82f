"""The gateway's limits by client address, kind of request and account."""

import functools
import itertools
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jwt
import pytest
from structlog.testing import capture_logs

from api.unannounced_proxy import UnannouncedProxy
from marquee.domain.client_address import CLIENT_ADDRESS_HEADER, HOPS_HEADER
from marquee.platform.programs.gateway_limits import ROUTE_CLASSES
from marquee.platform.programs.gateway_tokens import OPEN_PATHS
from marquee.settings import Settings
from marquee.token_keys import TOKEN_ALGORITHM, TOKEN_ISSUER, private_key
from tests.harness.gateways import Sender, lone_gateway, refused

LOGIN = ("POST", "/api/v1/sessions")
BURST = {each.name: each.by_address.burst for each in ROUTE_CLASSES}
ACCOUNT_BURST = next(each.by_account.burst for each in ROUTE_CLASSES if each.by_account and each.name == "passwords")
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
    return refused(sender, method, path, headers)[0]


def is_still_refused(send: Callable[[], tuple[int, Mapping[str, str], bytes]]) -> bool:
    """Whether logins are refused soon. A bucket may have been filled a moment ago; one that is new lets BURST pass."""
    return any(send()[0] == 429 for _ in range(2 * RATE["logins"] + 1))


def test_logins_of_one_address_are_refused_past_the_burst_and_others_pass(gateway: Settings) -> None:
    stranger, neighbour = Sender(gateway, "127.0.0.11"), Sender(gateway, "127.0.0.12")
    passed, headers, body = refused(stranger, *LOGIN)
    assert passed >= BURST["logins"], f"the {passed + 1}th login of an address was refused already"
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
        sent = functools.partial(stranger.send, "POST", spelling)
        assert is_still_refused(sent), f"{spelling} goes round the limit of logins"


def test_a_forged_client_address_neither_reaches_the_api_nor_gives_a_new_limit(gateway: Settings) -> None:
    stranger = Sender(gateway, "127.0.0.31")
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-Ip": "203.0.113.9", CLIENT_ADDRESS_HEADER: "203.0.113.9"}
    received = json.loads(stranger.send("POST", "/api/v1/sessions", forged)[2])["headers"]
    assert {name.lower(): value for name, value in received.items()}[CLIENT_ADDRESS_HEADER] == "127.0.0.31"
    until_refused(stranger, *LOGIN)
    numbers = itertools.count()

    def forge() -> tuple[int, Mapping[str, str], bytes]:
        address = f"203.0.113.{next(numbers)}"
        return stranger.send(*LOGIN, {"X-Forwarded-For": address, "Forwarded": f"for={address}"})

    assert is_still_refused(forge), "an X-Forwarded-For of the client's own gave it a new limit"


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
    stranger, asking = Sender(gateway, "127.0.0.71"), Sender(gateway, "127.0.0.72")
    preflight = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    until_refused(stranger, *LOGIN)
    assert stranger.send("OPTIONS", LOGIN[1], preflight)[0] == 200
    assert set(asking.statuses(3 * BURST["logins"], "OPTIONS", LOGIN[1], preflight)) == {200}
    assert asking.send(*LOGIN)[0] == 200, "preflights used up the address's logins"


def test_preflights_of_every_path_have_a_limit(tmp_path: Path) -> None:
    """Without a limit they would be the way to the API that is never refused."""
    # A hundredth of every limit: one client on a loaded machine sends less than the 400 a second that are let through.
    with lone_gateway(tmp_path / "state", rate_limit_scale=0.01) as small:
        for number, path in enumerate(("/api/v1/search?q=x", "/api/v1/home", "/api/v1/uploads")):
            _, headers, body = refused(Sender(small, f"127.0.0.{81 + number}"), "OPTIONS", path)
            assert json.loads(body)["code"] == "too-many-requests"
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
    passed, headers, _ = refused(second, *path, bearer(gateway, "a_1"))
    assert passed < ACCOUNT_BURST, "another address gave the account a new limit"
    assert headers["retry-after"] == "1"
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
