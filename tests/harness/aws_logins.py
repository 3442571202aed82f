"""The ordinary AWS credential chain: no keys in the platform's settings, but in one of the places that AWS's SDK reads."""

import datetime
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from marquee.settings import Settings
from marquee.stores.objects import s3_client


@pytest.fixture
def aws_chain(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty credential chain, whatever this machine has; returns a folder for files that the chain shall find."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path_factory.mktemp("aws")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # A process has one session, and a session looks for its login once.
    s3_client._session.cache_clear()
    yield folder
    s3_client._session.cache_clear()


@pytest.fixture
def s3_without_login(s3_server: Settings, aws_chain: Path) -> Settings:
    return s3_server.model_copy(update={"s3_access_key": SecretStr(""), "s3_secret_key": SecretStr("")})


@pytest.fixture
def s3_by_environment(s3_without_login: Settings, s3_server: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.s3_access_key.get_secret_value())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.s3_secret_key.get_secret_value())
    return s3_without_login


@pytest.fixture
def s3_by_shared_file(
    s3_without_login: Settings, s3_server: Settings, aws_chain: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """A profile of `~/.aws/credentials` that is not the default one."""
    (aws_chain / "credentials").write_text(
        f"[marquee]\naws_access_key_id = {s3_server.s3_access_key.get_secret_value()}\n"
        f"aws_secret_access_key = {s3_server.s3_secret_key.get_secret_value()}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "marquee")
    return s3_without_login


@pytest.fixture
def s3_by_role(s3_without_login: Settings, role: "RoleServer", monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The keys of a container's role: from an HTTP address, valid for a limited time."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", role.url)
    return s3_without_login


class RoleServer:
    """Serves keys that are valid for LIFE. Botocore asks again when ten minutes of them are left."""

    LIFE = datetime.timedelta(minutes=5)

    def __init__(self, settings: Settings) -> None:
        self.asked = 0
        server = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                expires = datetime.datetime.now(datetime.UTC) + server.LIFE
                body = {
                    "AccessKeyId": settings.s3_access_key.get_secret_value(),
                    "SecretAccessKey": settings.s3_secret_key.get_secret_value(),
                    "Token": None,
                    "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *args: object) -> None:
                return None

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/role"

    def __enter__(self) -> "RoleServer":
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def role(s3_server: Settings) -> Iterator[RoleServer]:
    with RoleServer(s3_server) as server:
        yield server
