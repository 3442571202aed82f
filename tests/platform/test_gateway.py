"""The gateway accepts requests with a token of this platform, and routes everything except the API to the web client."""

import json
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
import yaml

from marquee.platform.programs.gateway import MAX_REQUEST_BYTES, MAX_TELEMETRY_BYTES, gateway
from marquee.platform.state import bootstrap
from marquee.settings import Settings
from marquee.telemetry_token import TELEMETRY_PATH
from marquee.token_keys import TOKEN_ALGORITHM, TOKEN_ISSUER, generate_private_key, private_key
from tests.harness.servers import make_test_settings

pytestmark = pytest.mark.usefixtures("upstream")


def token(key: str, *, seconds: int = 600, issuer: str = TOKEN_ISSUER) -> dict[str, str]:
    claims = {"iss": issuer, "sub": "a_1", "exp": int(time.time()) + seconds}
    return {"Authorization": f"Bearer {jwt.encode(claims, private_key(key), algorithm=TOKEN_ALGORITHM)}"}


@pytest.fixture
def door(platform: Settings) -> httpx.Client:
    return httpx.Client(base_url=platform.public)


def test_a_token_of_this_platform_passes_and_no_other(platform: Settings, door: httpx.Client) -> None:
    own = platform.token_private_key.get_secret_value()
    assert door.get("/api/v1/home?limit=3", headers=token(own)).text == "GET /api/v1/home?limit=3"
    refused = {
        "none": {},
        "not a token": {"Authorization": "Bearer abc"},
        "another key's": token(generate_private_key()),
        "expired": token(own, seconds=-60),
        "another issuer's": token(own, issuer="somebody"),
    }
    for name, headers in refused.items():
        answer = door.get("/api/v1/home", headers=headers)
        assert answer.status_code == 401, f"a token that is {name} must not pass"
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json()["code"] == "not-authenticated"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/sessions"),
        ("POST", "/api/v1/accounts"),
        ("POST", "/api/v1/sessions/refresh"),
        ("DELETE", "/api/v1/sessions/current"),
        ("GET", "/api/v1/readyz"),
        ("POST", f"{TELEMETRY_PATH}v_x.y"),
        ("GET", "/schema/openapi.json"),
        ("GET", "/.well-known/jwks.json"),
    ],
)
def test_what_needs_no_token_reaches_the_api(door: httpx.Client, method: str, path: str) -> None:
    assert door.request(method, path).text == f"{method} {path}"


@pytest.mark.parametrize(
    "path", ["/api/v1/sessions/", "/api/v1//home", "/api/v1/x/../home", "/api", "/api/v1/sessions;x"]
)
def test_no_spelling_of_a_path_goes_round_the_token(door: httpx.Client, path: str) -> None:
    assert door.get(path).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"{TELEMETRY_PATH}x"), ("POST", "/api/v1/telemetry"), ("POST", f"{TELEMETRY_PATH}../home")],
)
def test_nothing_beside_a_players_report_goes_by_the_telemetry_path(door: httpx.Client, method: str, path: str) -> None:
    assert door.request(method, path).status_code == 401


def test_a_players_report_that_is_too_large_is_refused(door: httpx.Client) -> None:
    assert door.post(f"{TELEMETRY_PATH}x", content=b"a" * MAX_TELEMETRY_BYTES).status_code == 200
    assert door.post(f"{TELEMETRY_PATH}x", content=b"a" * (MAX_TELEMETRY_BYTES + 1)).status_code == 413


def test_measurements_stay_inside(door: httpx.Client) -> None:
    assert door.get("/metrics").status_code == 404
    assert door.get("/metrics/").status_code == 404


def test_a_body_that_is_too_large_is_refused(door: httpx.Client) -> None:
    answer = door.post("/api/v1/sessions", content=b"x" * (MAX_REQUEST_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")


def test_the_web_client_answers_for_everything_else_with_its_security_headers(door: httpx.Client) -> None:
    answer = door.get("/title/m_00000000000000000001")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert door.get("/assets/none.js").status_code == 404


def test_a_viewer_stays_with_one_process_of_the_api(platform: Settings) -> None:
    """Envoy chooses the process by the token: a process saves a write by what it remembers of a viewer."""
    dumped = httpx.get(f"http://127.0.0.1:{platform.port('gateway_admin')}/config_dump").json()["configs"]
    clusters = next(each for each in dumped if each["@type"].endswith("ClustersConfigDump"))["static_clusters"]
    policies = {each["cluster"]["name"]: each["cluster"].get("lb_policy", "ROUND_ROBIN") for each in clusters}
    assert policies == {"api": "RING_HASH", "web": "ROUND_ROBIN"}
    assert '"hash_policy":[{"header":{"header_name":"authorization"}}]' in json.dumps(dumped, separators=(",", ":"))


@pytest.mark.parametrize(
    "urls",
    ["http://127.0.0.1:8410", "http://127.0.0.1:8410,http://[::1]:8405", "http://api:8410,http://127.0.0.1:8410"],
)
def test_envoy_accepts_the_configuration_of_one_process_and_of_several(tmp_path: Path, urls: str) -> None:
    settings = bootstrap(make_test_settings(tmp_path / "state", api_url=urls))
    [envoy, _, configuration, *_] = gateway(settings).command
    checked = subprocess.run(
        [envoy, "--mode", "validate", "-c", configuration], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert all(str(urlsplit(url).port) in Path(configuration).read_text() for url in urls.split(","))


def test_only_what_is_safe_to_repeat_is_sent_again_after_a_reset(platform: Settings) -> None:
    configuration = yaml.safe_load(Path(gateway(platform).command[2]).read_text())
    [listener] = configuration["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    [host] = manager["route_config"]["virtual_hosts"]
    assert "reset" not in host["retry_policy"]["retry_on"].split(",")
    repeated = [
        (
            next(each["match"][how] for how in ("path", "path_separated_prefix", "prefix") if how in each["match"]),
            each["match"]["headers"][0],
        )
        for each in host["routes"]
        if "reset" in each.get("route", {}).get("retry_policy", {}).get("retry_on", "").split(",")
    ]
    # The same refresh token gives the same successor for a while. A login that is repeated leaves a session that nobody uses.
    sessions = ["/api/v1/sessions", "/api/v1/sessions/refresh"]
    # The events of a repeated report have the same ids.
    assert [path for path, _ in repeated] == [TELEMETRY_PATH, "/api", "/api/v1/stream/progress", *sessions]
    assert [method["string_match"] for _, method in repeated] == [
        {"exact": "POST"},
        {"safe_regex": {"regex": "GET|HEAD"}},
        *[{"exact": "POST"}] * 3,
    ]
