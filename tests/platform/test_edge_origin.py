"""An edge's requests to its origin: the object of a permitted path, signed by the edge's login, without the viewer's data."""

import socket
import string
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.cdn.signed_paths import stream_path
from marquee.errors import SettingsInvalid
from marquee.platform.programs import edges
from marquee.settings import Settings
from tests.harness.recording_origin import BODY, ETAG, Heard, RecordingOrigin
from tests.harness.servers import make_test_settings, running

MOVIE = "m_00000000000000000001"
REVALIDATION_SECONDS = 30.0


@pytest.fixture(scope="module")
def origin() -> Iterator[RecordingOrigin]:
    with RecordingOrigin() as recording:
        yield recording


@pytest.fixture(scope="module")
def edge_settings(origin: RecordingOrigin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of an edge that caches a file for one second."""
    folder = tmp_path_factory.mktemp("a folder with spaces")
    settings = make_test_settings(
        folder,
        published_url=f"s3+http://{origin.address}/films?region=eu-north-1",
        objects_url=f"s3+http://{origin.address}/masters",
        edge_ttl_seconds=1,
        s3_edge_secret_key="as/AWS+makes/them$\"'\\=",
    )
    with running(edges.edge(settings, 1), folder):
        yield settings


@pytest.fixture
def edge(edge_settings: Settings, origin: RecordingOrigin) -> Iterator[httpx.Client]:
    origin.heard.clear()
    with httpx.Client(base_url=edge_settings.edges[0]) as client:
        yield client


def signed(settings: Settings, version: int = 1) -> str:
    return stream_path(settings.edge_secret.get_secret_value(), MOVIE, version, expires_at=int(time.time()) + 600)


def by_botocore(settings: Settings, heard: Heard) -> str:
    """The header that botocore would have sent with this request, at that time."""
    request = AWSRequest(
        method="GET", url=f"http://{heard.headers['host']}{heard.path}", headers={"Host": heard.headers["host"]}
    )
    request.headers["X-Amz-Date"] = heard.headers["x-amz-date"]
    request.headers["X-Amz-Content-SHA256"] = heard.headers["x-amz-content-sha256"]
    request.context["timestamp"] = heard.headers["x-amz-date"]
    credentials = Credentials(
        settings.s3_edge_access_key.get_secret_value(), settings.s3_edge_secret_key.get_secret_value()
    )
    signer = S3SigV4Auth(credentials, "s3", "eu-north-1")
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    scope = signer.credential_scope(request)
    names = "host;x-amz-content-sha256;x-amz-date"
    access_key = credentials.access_key
    return f"AWS4-HMAC-SHA256 Credential={access_key}/{scope},SignedHeaders={names},Signature={signature}"


file_names = st.text(string.ascii_letters + string.digits + "_./@=,+-", min_size=1, max_size=40).filter(
    # What nginx itself would read as another path.
    lambda name: name[0] not in "./@=,+-" and "//" not in name and "/." not in name
)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=file_names, version=st.integers(1, 10**8))
def test_each_request_is_signed_as_aws_signs(
    edge_settings: Settings, edge: httpx.Client, origin: RecordingOrigin, name: str, version: int
) -> None:
    origin.heard.clear()
    answer = edge.get(signed(edge_settings, version) + name)
    assert answer.content == BODY
    if answer.headers["x-cache"] == "MISS":
        [heard] = origin.heard
        assert heard.path == f"/films/{MOVIE}/v{version}/{quote(name, safe='/-_.~')}", "another object was asked for"
        assert heard.headers["authorization"] == by_botocore(edge_settings, heard)
        sent = datetime.strptime(heard.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert abs(datetime.now(UTC) - sent) < timedelta(minutes=5), "signed at another time than it was sent"


def test_the_origin_hears_nothing_of_a_viewer(
    edge_settings: Settings, edge: httpx.Client, origin: RecordingOrigin
) -> None:
    hostile = {
        "Host": "s3.elsewhere.test",
        "Authorization": "AWS4-HMAC-SHA256 Credential=a/20300101/us-east-1/s3/aws4_request",
        "Cookie": "session=1",
        "Range": "bytes=1-2",
        "If-None-Match": ETAG,
        "If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT",
        "X-Amz-Date": "20300101T000000Z",
        "X-Amz-Security-Token": "token",
        "X-Amz-Copy-Source": "/masters/film",
        "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
        "X-Forwarded-Host": "elsewhere.test",
        "X-Forwarded-For": "203.0.113.7",
        "X-HTTP-Method-Override": "DELETE",
        "Accept-Encoding": "gzip",
        "User-Agent": "a viewer's",
        "Connection": "keep-alive, Authorization",
    }
    query = "?list-type=2&uploads&acl&versionId=1&X-Amz-Signature=0&response-content-type=text/html"
    answer = edge.request("GET", signed(edge_settings) + "hostile.m4s" + query, headers=hostile, content=b"<Delete/>")
    assert answer.status_code in (200, 206, 304)
    [heard] = origin.heard
    assert heard.path == f"/films/{MOVIE}/v1/hostile.m4s"
    assert set(heard.headers) == {"host", "authorization", "x-amz-date", "x-amz-content-sha256"}
    assert heard.headers["host"] == origin.address
    assert heard.headers["authorization"] == by_botocore(edge_settings, heard)


def test_no_other_path_reaches_the_origin(edge_settings: Settings, edge: httpx.Client, origin: RecordingOrigin) -> None:
    good = signed(edge_settings)
    paths = [
        *("/", "/films/", f"/films/{MOVIE}/v1/master.m3u8", "/masters/", "/masters/uploads/u_1/master", "//masters/u"),
        *(f"/{MOVIE}/v1/master.m3u8", "/v/", good, good.replace("/v/", "/V/") + "a", f"{good}../../../masters/u"),
        *(f"{good}..%2f..%2f..%2f..%2fmasters/u", f"{good}%2e%2e/%2e%2e/x", f"{good}a/%252e%252e/x", f"{good}.hidden"),
        *(
            f"{good}a%00b",
            f"{good}a%0d%0aHost:x",
            f"{good}a%20b",
            f"{good}a%3flist-type=2",
            f"{good}a%23b",
            f"{good}a;b",
        ),
        *(f"{good}http://elsewhere.test/", "/images/", f"/images/{MOVIE}", f"/images/{MOVIE}/v1/"),
        *(f"/images/{MOVIE}/v1/a/b", f"/images/{MOVIE}/v1/%2e%2e%2fx", "/images/masters/v1/a", "/images/m_1/v1/.a"),
        *(f"/images/{MOVIE}/v1/..%2f..%2f..%2f..%2fmasters%2fu", "/titles/m_1/v1/plan.json", "/chunks/j/1/360.mp4"),
        *("/@refused", "/@missing", "http://elsewhere.test/films/x"),
    ]
    for path in paths:
        for method in ("GET", "HEAD"):
            # Sent as it is written: a client's library would settle the dots itself.
            status = asked_raw(edge_settings, method, path)
            assert status in (400, 403, 404), f"{method} {path}: {status}"
    for method in ("PUT", "POST", "DELETE", "PATCH", "PROPFIND", "CONNECT", "TRACE"):
        assert asked_raw(edge_settings, method, good + "a") in (400, 405), method
    assert origin.heard == [], "the origin was asked for what no viewer may have"


def asked_raw(settings: Settings, method: str, path: str) -> int:

    with socket.create_connection(("127.0.0.1", settings.port("edge_1")), timeout=10) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n".encode())
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1])


def test_an_entry_past_its_time_is_asked_for_by_its_etag_with_a_new_signature(
    edge_settings: Settings, edge: httpx.Client, origin: RecordingOrigin
) -> None:
    path = signed(edge_settings) + "kept.m4s"
    assert edge.get(path).headers["x-cache"] == "MISS"
    deadline = time.monotonic() + REVALIDATION_SECONDS
    while len(origin.heard) < 2:
        assert time.monotonic() < deadline, "the edge never asked again"
        assert edge.get(path).content == BODY
    first, again = origin.heard[:2]
    assert "if-none-match" not in first.headers
    assert again.headers["if-none-match"] == ETAG
    assert again.headers["authorization"] == by_botocore(edge_settings, again)
    assert again.headers["x-amz-date"] > first.headers["x-amz-date"], "an old signature was sent again"


@pytest.mark.parametrize("missing", ["s3_edge_access_key", "s3_edge_secret_key"])
def test_an_edge_without_a_login_says_which_setting_is_missing(edge_settings: Settings, missing: str) -> None:
    settings = make_test_settings(edge_settings.state, **{missing: ""})
    with pytest.raises(SettingsInvalid, match=f"MARQUEE_{missing.upper()} is not set"):
        edges.edge(settings, 2)
