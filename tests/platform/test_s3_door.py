"""The public S3 endpoint: it answers a presigned request, and refuses unsigned or altered ones."""

import contextlib
from collections.abc import Iterator
from urllib.parse import unquote_plus

import httpx
import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.settings import Settings
from marquee.stores.opened import open_bucket
from tests.harness.s3 import BODY, INGEST, INGEST_KEYS, PUBLISHED, PUBLISHED_KEYS, LoginName, s3_client

OBJECTS = [(PUBLISHED, key) for key in PUBLISHED_KEYS] + [(INGEST, key) for key in INGEST_KEYS]
QUESTIONS = (
    *("", "?list-type=2", "?list-type=2&prefix=m_", "?versions", "?uploads", "?acl", "?policy", "?policyStatus"),
    *("?location", "?cors", "?lifecycle", "?tagging", "?versioning", "?object-lock", "?encryption", "?logging"),
    *("?website", "?publicAccessBlock", "?ownershipControls", "?delete", "?session"),
)
OBJECT_QUESTIONS = ("", "?acl", "?tagging", "?attributes", "?uploads", "?uploadId=1", "?versionId=null", "?torrent")
REFUSED = {400, 403, 404, 405, 501}
METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "PROPFIND", "TRACE")


@pytest.fixture(scope="module")
def outsider(every_kind: Settings) -> Iterator[httpx.Client]:
    """A client that knows the address and has no key."""
    with httpx.Client(base_url=every_kind.public_s3, timeout=20) as client:
        yield client


def gives_nothing_away(answer: httpx.Response) -> bool:
    body = answer.content
    return answer.status_code in REFUSED and b"only for" not in body and b"<Contents>" not in body


# --- without a signature --------------------------------------------------------------------------------


@pytest.mark.parametrize(("bucket", "key"), OBJECTS)
def test_no_object_is_read_without_a_signature(outsider: httpx.Client, bucket: str, key: str) -> None:
    path = f"/{bucket}/{key}"
    for headers in ({}, {"Range": "bytes=0-3"}, {"If-None-Match": '"none"'}, {"Cookie": "a=b"}, {"Origin": "http://a"}):
        assert outsider.get(path, headers=headers).status_code == 403, f"{path} is read with {headers}"
    assert outsider.head(path).status_code == 403
    assert outsider.get(path + "?response-content-type=text/plain").status_code == 403
    for question in OBJECT_QUESTIONS:
        answer = outsider.get(path + question)
        assert gives_nothing_away(answer), f"{path}{question}: {answer.status_code}"


def test_who_has_no_key_cannot_tell_what_is_there_from_what_is_not(outsider: httpx.Client) -> None:
    def without_request(path: str) -> tuple[int, set[str]]:
        answer = outsider.get(path)
        return answer.status_code, set(answer.headers)

    there = without_request(f"/{PUBLISHED}/{PUBLISHED_KEYS[0]}")
    assert there == without_request(f"/{PUBLISHED}/{PUBLISHED_KEYS[0]}x") == without_request("/no-bucket/x")


@pytest.mark.parametrize("bucket", ["", INGEST, PUBLISHED, "no-such-bucket"])
def test_nothing_is_listed_or_told_of_a_bucket(outsider: httpx.Client, bucket: str) -> None:
    for base in {f"/{bucket}", f"/{bucket}/"} - {"//"}:
        for question in QUESTIONS:
            answer = outsider.get(base + question)
            assert answer.status_code in (403, 404), f"GET {base}{question}: {answer.status_code}"
            assert gives_nothing_away(answer), f"GET {base}{question}: {answer.text[:200]}"
        assert gives_nothing_away(outsider.head(base)), f"HEAD {base}"


@pytest.mark.parametrize("method", METHODS)
def test_no_method_does_anything_without_a_signature(every_kind: Settings, outsider: httpx.Client, method: str) -> None:
    for path in ("/", f"/{INGEST}", f"/{PUBLISHED}", f"/{PUBLISHED}/{PUBLISHED_KEYS[0]}", f"/{INGEST}/new", "/new-one"):
        for question in (
            "",
            "?delete",
            "?uploads",
            "?acl",
            "?policy",
            "?cors",
            "?Action=CreateUser",
            "?Action=AssumeRole",
        ):
            body = b"" if method in ("GET", "HEAD") else b"<Delete><Object><Key>a</Key></Object></Delete>"
            answer = outsider.request(method, path + question, content=body)
            assert gives_nothing_away(answer), f"{method} {path}{question}: {answer.status_code} {answer.text[:200]}"
    client = s3_client(every_kind, "s3_published")
    assert client.get_object(Bucket=PUBLISHED, Key=PUBLISHED_KEYS[0])["Body"].read() == BODY
    assert not {entry["Name"] for entry in client.list_buckets()["Buckets"]} - {PUBLISHED, INGEST}


@pytest.mark.parametrize(
    "login",
    [
        "AWS4-HMAC-SHA256 Credential={key}/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=anonymous/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
        "AWS {key}:AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "Bearer a.b.c",
        "Basic YWRtaW46YWRtaW4=",
    ],
)
def test_a_login_that_is_made_up_is_refused(every_kind: Settings, outsider: httpx.Client, login: str) -> None:
    """The login uses the real access key, which every presigned URL contains, and a wrong secret."""
    authorization = login.format(key=every_kind.s3_published_access_key.get_secret_value())
    for extra in (
        {},
        {"x-amz-date": "20300101T000000Z"},
        {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
    ):
        answer = outsider.get(f"/{PUBLISHED}/{PUBLISHED_KEYS[0]}", headers={"Authorization": authorization, **extra})
        assert gives_nothing_away(answer), f"{login} with {extra}: {answer.status_code}"


# --- presigned, for something else ------------------------------------------------------------------------


def presigned(settings: Settings, login: LoginName, bucket: str, key: str, seconds: int = 60) -> str:
    url: str = s3_client(settings, login).generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=seconds
    )
    return url


def test_a_presigned_url_holds_for_its_bucket_key_and_method_alone(
    every_kind: Settings, outsider: httpx.Client
) -> None:
    url = presigned(every_kind, "s3_published", PUBLISHED, PUBLISHED_KEYS[0])
    assert outsider.get(url).content == BODY, "a URL that is signed must work, or this test says nothing"
    for other in (PUBLISHED_KEYS[1], PUBLISHED_KEYS[-1], ""):
        assert outsider.get(url.replace(PUBLISHED_KEYS[0], other)).status_code == 403
    assert outsider.get(url.replace(PUBLISHED, INGEST).replace(PUBLISHED_KEYS[0], INGEST_KEYS[0])).status_code == 403
    for method in ("PUT", "DELETE", "POST", "PATCH"):
        assert gives_nothing_away(outsider.request(method, url, content=b"x")), (
            f"{method} by a URL that is signed for GET"
        )
    for more in ("&acl", "&uploads", "&versionId=null", "&response-content-type=text/html", "&list-type=2"):
        assert gives_nothing_away(outsider.get(url + more)), f"a URL with {more} added"
    assert outsider.get(presigned(every_kind, "s3_published", PUBLISHED, PUBLISHED_KEYS[0])).status_code == 200, (
        "unharmed"
    )


def test_a_login_signs_nothing_for_the_other_bucket(every_kind: Settings, outsider: httpx.Client) -> None:
    assert outsider.get(presigned(every_kind, "s3", PUBLISHED, PUBLISHED_KEYS[0])).status_code == 403
    assert outsider.get(presigned(every_kind, "s3_published", INGEST, INGEST_KEYS[0])).status_code == 403
    assert outsider.get(presigned(every_kind, "s3_edge", INGEST, INGEST_KEYS[0])).status_code == 403


def test_a_presigned_url_ends(every_kind: Settings, outsider: httpx.Client) -> None:
    url = presigned(every_kind, "s3_published", PUBLISHED, PUBLISHED_KEYS[0])
    day = unquote_plus(url).split("X-Amz-Date=")[1][:8]
    assert outsider.get(url.replace(f"X-Amz-Date={day}", "X-Amz-Date=20200101")).status_code == 403, "signed long ago"
    assert outsider.get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600000")).status_code == 403, "made to last"
    assert outsider.get(
        presigned(every_kind, "s3_published", PUBLISHED, PUBLISHED_KEYS[0], seconds=-1)
    ).status_code in (
        400,
        403,
    )


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_a_presigned_url_is_answered(
    every_kind: Settings, outsider: httpx.Client, data: st.DataObject
) -> None:
    url = presigned(every_kind, "s3_published", PUBLISHED, PUBLISHED_KEYS[0])
    start = url.index(f"/{PUBLISHED}") + 1
    place = data.draw(st.integers(start, len(url) - 1))
    changed = url[:place] + data.draw(st.sampled_from("abz09A-_./%&=")) + url[place + 1 :]
    assume(unquote_plus(changed) != unquote_plus(url))
    # SeaweedFS hangs up on some that it cannot read.
    with contextlib.suppress(httpx.RemoteProtocolError):
        assert gives_nothing_away(outsider.get(changed)), f"{changed} is answered"


# --- what goes on working -----------------------------------------------------------------------------------


async def test_a_part_is_put_by_its_presigned_url_from_the_web_clients_origin(every_kind: Settings) -> None:
    origin = "http://web.test:8400"
    objects = open_bucket(every_kind, every_kind.objects)
    await objects.ensure_bucket(allowed_origins=[origin])
    multipart_id = await objects.create_multipart("uploads/door", content_type="video/mp4")
    url = await objects.part_url("uploads/door", multipart_id, 1, size_bytes=5, seconds=60)
    async with httpx.AsyncClient() as client:
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        assert (await client.options(url, headers=asked)).headers["access-control-allow-origin"] == origin
        assert (await client.get(url)).status_code == 403, "who may put a part may not read"
        assert (await client.put(url.split("?")[0], content=b"bytes")).status_code == 403, (
            "a part without the signature"
        )
        assert (await client.put(url, content=b"bytes", headers={"Origin": origin})).status_code == 200
    await objects.complete_multipart(
        "uploads/door", multipart_id, await objects.list_parts("uploads/door", multipart_id)
    )
    assert await objects.get("uploads/door") == b"bytes"
    await objects.close()
