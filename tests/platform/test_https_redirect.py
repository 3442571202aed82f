"""The port of plain HTTP beside a gateway with TLS, and the metric of the certificate's end."""

import http.client
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from marquee.errors import SettingsInvalid
from marquee.platform.programs.gateway_tls import redirect
from marquee.settings import Settings
from tests.harness.authority import Authority
from tests.harness.gateways import lone_gateway
from tests.harness.servers import free_port_base, make_test_settings

SPARE_PORT = 19
"""After the port base; no listener has it."""
DAYS = 90


@pytest.fixture(scope="module")
def redirecting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder, base = tmp_path_factory.mktemp("redirect"), free_port_base()
    certificate, key = Authority(folder).issue(ends_days=DAYS)
    (folder / "public.pem").write_bytes(certificate)
    (folder / "public.key").write_bytes(key)
    with lone_gateway(
        folder / "state",
        port_base=base,
        tls_certificate=str(folder / "public.pem"),
        tls_key=str(folder / "public.key"),
        public_url="https://watch.example",
        http_redirect_port=base + SPARE_PORT,
    ) as settings:
        yield settings


def send(settings: Settings, method: str, path: str, host: str = "watch.example") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", settings.http_redirect_port, timeout=20)
    connection.request(method, path, headers={"Host": host})
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("host", ["watch.example", "watch.example:80", "evil.example"])
def test_a_page_is_sent_to_the_public_https_address(redirecting: Settings, method: str, host: str) -> None:
    answer = send(redirecting, method, "/title/m_1?q=a%20b&x=1", host)
    assert (answer.status, answer.getheader("location")) == (308, "https://watch.example/title/m_1?q=a%20b&x=1")
    assert answer.getheader("cache-control") == "no-store"
    assert answer.getheader("strict-transport-security") is None, "HSTS over plain HTTP is forbidden (RFC 6797)"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_may_carry_a_secret_is_refused_and_not_redirected(redirecting: Settings, method: str) -> None:
    answer = send(redirecting, method, "/api/v1/sessions")
    assert answer.status == 403
    assert answer.getheader("content-type") == "application/problem+json"
    assert answer.getheader("cache-control") == "no-store"
    problem = json.loads(answer.body)  # type: ignore[attr-defined]
    assert problem["code"] == "https-needed"
    assert "https" in problem["detail"]


def test_two_hosts_are_refused(redirecting: Settings) -> None:
    assert send(redirecting, "GET", "/", "watch.example,evil.example").status == 400


def test_a_redirect_without_a_certificate_is_refused_by_the_settings_name(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path, http_redirect_port=18080)
    with pytest.raises(SettingsInvalid) as refused:
        redirect(settings, None)
    assert refused.value.field == "MARQUEE_HTTP_REDIRECT_PORT"


def test_the_gateways_metrics_have_the_certificates_end(redirecting: Settings) -> None:
    metrics = httpx.get(f"http://127.0.0.1:{redirecting.port('gateway_admin')}/stats/prometheus", timeout=20).text
    found = re.findall(r"^(envoy_\S*cert\S*expir\S*) (\d+)", metrics, re.MULTILINE)
    ends = [float(value) for name, value in found if "unix_time" in name]
    assert ends, f"no metric tells when the certificate ends: {found}"
    assert abs(ends[0] - time.time() - DAYS * 24 * 3600) < 2 * 24 * 3600
