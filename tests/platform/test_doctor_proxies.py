"""What `marquee doctor` says of proxies in front of the gateway. It reads the metrics of a running API."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from marquee.platform.examination import UNANNOUNCED_PROXY, Finding, examine
from tests.harness.servers import make_test_settings


class _Metrics(http.server.BaseHTTPRequestHandler):
    seen = 0.0

    def do_GET(self) -> None:
        body = f"# TYPE {UNANNOUNCED_PROXY} counter\n{UNANNOUNCED_PROXY} {type(self).seen}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def api() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Metrics)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def finding(tmp_path: Path, api_url: str) -> Finding:
    settings = make_test_settings(tmp_path, api_url=api_url)
    [found] = [one for one in examine(settings) if one.name == "proxies in front"]
    return found


def test_the_doctor_names_the_setting_when_a_proxy_was_seen(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert finding(tmp_path, api).state == "ok"
    monkeypatch.setattr(_Metrics, "seen", 3.0)
    found = finding(tmp_path, api)
    assert found.state == "optional"
    assert "set MARQUEE_TRUSTED_HOPS" in found.detail


def test_the_doctor_says_when_no_api_runs(tmp_path: Path) -> None:
    found = finding(tmp_path, "http://127.0.0.1:9")
    assert found.state == "ok"
    assert "does not run" in found.detail
