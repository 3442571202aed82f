"""HTTP as its clients know it, through a running gateway and at its API: one answer for each request, whatever the door."""

import json

import httpx
import pytest

from tests.harness.api_doors import JSON, PROGRESS, Doors
from tests.harness.http_probes import Probe, check_problem, get
from tests.harness.raw_http import exchange

MOVIE = "m_00000000000000000001"
UPLOAD = "/api/v1/uploads/u_00000000000000000000"
GOOD = b'{"movie_id":"%s","position_seconds":1}' % MOVIE.encode()


def check_both(doors: Doors, name: str, request: bytes, status: int, code: str, field: str | None = None) -> None:
    """The gateway and the API give the same answer, which is this problem."""
    for url in (doors.gateway, doors.api):
        answer = exchange(url, request)
        check_problem(answer, Probe(f"{name} at {url}", request, status, code))
        if field is not None:
            assert json.loads(answer.body)["field"] == field, f"{name}: {answer.body!r}"


KEYS = {
    "a key twice": (GOOD[:-1] + b',"position_seconds":2}', "position_seconds"),
    "a key twice, once escaped": (GOOD[:-1] + b',"position\\u005fseconds":2}', "position_seconds"),
    "an optional key twice": (GOOD[:-1] + b',"age_ms":1 , "age_ms" : 1}', "age_ms"),
    "a fraction for an integer": (GOOD[:-1] + b',"age_ms":5.0}', "age_ms"),
    "an exponent for an integer": (GOOD[:-1] + b',"age_ms":1e1}', "age_ms"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "body"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, "body"),
    "nothing": (b"", "body"),
    "only spaces": (b" \r\n", "body"),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_body_has_one_meaning(doors: Doors, name: str) -> None:
    body, field = KEYS[name]
    check_both(doors, name, doors.post(body), 400, "input-invalid", field)


def test_a_key_twice_is_found_at_any_depth(doors: Doors) -> None:
    part = b'{"number":1,"size_bytes":1,"checksum":"%s"%s}'
    for more in (b',"number":1', b',"n\\u0075mber":1'):
        body = b'{"parts":[' + part % (b"0" * 32, b"") + b"," + part % (b"0" * 32, more) + b"]}"
        check_both(doors, repr(more), doors.post(body, path=f"{UPLOAD}/complete"), 400, "input-invalid", "number")
    twice = b'{"parts":[' + b",".join(part % (b"0" * 32, b"") for _ in range(2)) + b"]}"
    check_both(doors, "no key twice", doors.post(twice, path=f"{UPLOAD}/complete"), 404, "upload-unknown")


def test_an_empty_body_says_what_to_send(doors: Doors) -> None:
    for path, fields in (
        (PROGRESS, "movie_id and position_seconds"),
        ("/api/v1/sessions", "email and password"),
        (f"{UPLOAD}/complete", "parts"),
    ):
        answer = exchange(doors.gateway, get(path, doors.login, method="POST"))
        assert f"The body is empty: send a JSON object with {fields}." in answer.body.decode()


REFUSED_TYPES = [
    ("Content-Type: application/json; charset=utf-16",),
    ("Content-Type: application/json; charset=iso-8859-1",),
    ("Content-Type: application/json; charset=utf-8; charset=utf-16",),
    ("Content-Type: application/json; charset",),
    ("Content-Type: application/json charset=utf-8",),
    ("Content-Type: application/json, application/json",),
    ("Content-Type: application/",),
    ("Content-Type: json",),
    ("Content-Type: text/json",),
    ("Content-Type: application/jsonx",),
    ("Content-Type: application/json" + " ;" * 3000 + "!",),
    (JSON, JSON),
    ("X-Nothing: 1",),
]


@pytest.mark.parametrize("headers", REFUSED_TYPES, ids=lambda headers: headers[0][:60])
def test_a_type_that_is_not_json_in_utf_8_is_refused(doors: Doors, headers: tuple[str, ...]) -> None:
    check_both(doors, headers[0][:80], doors.post(GOOD, *headers), 415, "content-type-refused", "content-type")


@pytest.mark.parametrize("coding", ["gzip", "br, gzip", "deflate", "GZIP"])
def test_a_packed_body_is_refused(doors: Doors, coding: str) -> None:
    request = doors.post(GOOD, JSON, f"Content-Encoding: {coding}")
    check_both(doors, coding, request, 415, "content-encoding-refused", "content-encoding")
    assert exchange(doors.api, request).header("accept-encoding") == "identity"


@pytest.mark.parametrize(
    "header",
    [
        'Content-Type: application/json;charset="utf-8"',
        "Content-Type: application/json; charset=UTF-8",
        "Content-Type: APPLICATION/JSON ; Charset=utf-8 ;",
        "Content-Type: application/vnd.marquee+json",
    ],
)
def test_json_in_any_spelling_is_taken(doors: Doors, header: str) -> None:
    check_both(doors, header, doors.post(GOOD, header), 404, "title-unknown")
    check_both(doors, header, doors.post(GOOD, header, "Content-Encoding: identity"), 404, "title-unknown")


NOT_INTEGERS = [
    "1e1",
    "%2B5",
    "+5",
    "0x10",
    "%205",
    "5%20",
    "5.0",
    "%D9%A5",
    "05",
    "",
    "5_0",
    "5;limit=6",
    "five",
    "NaN",
]


@pytest.mark.parametrize("value", NOT_INTEGERS)
def test_only_digits_are_an_integer(doors: Doors, value: str) -> None:
    for path, field in ((f"home?limit={value}", "limit"), (f"search?q=a&year_from={value}", "year_from")):
        check_both(doors, path, get(f"/api/v1/{path}", doors.login), 400, "input-invalid", field)


def test_a_parameter_stands_once(doors: Doors) -> None:
    for query, field in (
        ("limit=5&limit=5", "limit"),
        ("limit=5&lim%69t=6", "limit"),
        ("cursor=&cursor=", "cursor"),
        ("=5", "query"),
    ):
        check_both(doors, query, get(f"/api/v1/home?{query}", doors.login), 400, "input-invalid", field)
    for query in ("limit=5", "limit=%35", "&&limit=5&"):
        assert exchange(doors.gateway, get(f"/api/v1/home?{query}", doors.login)).status == 200, query


def test_get_implies_head_on_every_route(doors: Doors) -> None:
    paths: dict[str, dict[str, object]] = httpx.get(f"{doors.api}/schema/openapi.json").json()["paths"]
    examples = {
        "{movie_id}": MOVIE,
        "{upload_id}": "u_00000000000000000000",
        "{row_id}": "genre-drama",
        "{version}": "1",
    }
    tried = 0
    for template, methods in paths.items():
        path = template
        for name, example in examples.items():
            path = path.replace(name, example)
        for url in (doors.gateway, doors.api):
            known = exchange(url, get(path, doors.login, method="OPTIONS"))
            assert known.status == 204, path
            assert ("HEAD" in known.header("allow")) == ("get" in methods), path
            if "get" not in methods:
                check_problem(
                    exchange(url, get(path, doors.login, method="HEAD")),
                    Probe(path, get(path, method="HEAD"), 405, "method-not-allowed"),
                )
                continue
            full, head = (exchange(url, get(path, doors.login, method=method)) for method in ("GET", "HEAD"))
            assert (head.status, head.body) == (full.status, b""), path
            for header in ("content-type", "content-length", "cache-control"):
                assert head.header(header) == full.header(header), f"{path}: {header}"
            tried += 1
    assert tried > 20, "the document has lost its routes"


def test_schemes_and_tokens(doors: Doors) -> None:
    for scheme in ("Bearer ", "bearer ", "BEARER ", "bEaRer   ", "Bearer\t"):
        for url in (doors.gateway, doors.api):
            assert exchange(url, get("/api/v1/home", f"Authorization: {scheme}{doors.token}")).status == 200, scheme
    one = f"Authorization: Bearer {doors.token}"
    for name, headers in {
        "Basic": (f"Authorization: Basic {doors.token}",),
        "no scheme": (f"Authorization: {doors.token}",),
        "two": (one, one),
        "a list": (f"{one}, Bearer {doors.token}",),
        "a word after it": (f"{one} x",),
        "another scheme's end": (f"Authorization: XBearer {doors.token}",),
    }.items():
        check_both(doors, name, get("/api/v1/home", *headers), 401, "not-authenticated")


ADDRESSES = {
    "/api/v1/home/": 200,
    "//api/v1//home": 200,
    "/api/v1/%68ome": 200,
    "/api/v1/home;a=b": 404,
    "/api/v1/HOME": 404,
    "/api/v1/home%20": 404,
    "/api/v2/home": 404,
    "/api/v1/nothing": 404,
    "/api/v1/" + "a" * 9000: 414,
    "/api/v1/home?cursor=" + "a" * 9000: 414,
}


@pytest.mark.parametrize("path", ADDRESSES, ids=lambda path: path[:40])
def test_each_spelling_of_an_address_has_one_answer(doors: Doors, path: str) -> None:
    status, request = ADDRESSES[path], get(path, doors.login)
    if status == 200:
        assert {exchange(url, request).status for url in (doors.gateway, doors.api)} == {200}
    else:
        check_both(doors, path[:40], request, status, {404: "not-found", 414: "address-too-long"}[status])
