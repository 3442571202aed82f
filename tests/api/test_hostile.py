"""Requests of careless or hostile clients: each gets a 4xx problem document that names the field, and changes nothing."""

import asyncio
import json
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.stores.opened import Stores
from marquee.stores.row_cache.keys import keys_of_title
from tests.api.conftest import Person
from tests.harness.api.seeding import Seeder

Client = AsyncTestClient[Litestar]
DEEP = "[" * 20_000 + "]" * 20_000

PROGRESS: dict[str, tuple[bytes, str | None]] = {
    "an unknown field": (b'{"movie_id": "%(id)s", "position_seconds": 7, "speed": 2}', "speed"),
    "no position": (b'{"movie_id": "%(id)s"}', "position_seconds"),
    "a negative position": (b'{"movie_id": "%(id)s", "position_seconds": -1}', "position_seconds"),
    "a position past the end": (b'{"movie_id": "%(id)s", "position_seconds": 9999}', "position_seconds"),
    "a huge position": (b'{"movie_id": "%(id)s", "position_seconds": 1e300}', "position_seconds"),
    "an infinite position": (b'{"movie_id": "%(id)s", "position_seconds": 1e999}', "position_seconds"),
    "a huge integer": (b'{"movie_id": "%(id)s", "position_seconds": ' + b"9" * 4000 + b"}", "position_seconds"),
    "NaN": (b'{"movie_id": "%(id)s", "position_seconds": NaN}', "body"),
    "Infinity": (b'{"movie_id": "%(id)s", "position_seconds": Infinity}', "body"),
    "a position as text": (b'{"movie_id": "%(id)s", "position_seconds": "7"}', "position_seconds"),
    "a position that is true": (b'{"movie_id": "%(id)s", "position_seconds": true}', "position_seconds"),
    "a position that is null": (b'{"movie_id": "%(id)s", "position_seconds": null}', "position_seconds"),
    "a negative age": (b'{"movie_id": "%(id)s", "position_seconds": 7, "age_ms": -1}', "age_ms"),
    "a huge age": (b'{"movie_id": "%(id)s", "position_seconds": 7, "age_ms": 99999999999999999999}', "age_ms"),
    "an age with a fraction": (b'{"movie_id": "%(id)s", "position_seconds": 7, "age_ms": 1.5}', "age_ms"),
    "an id of another kind": (b'{"movie_id": "u_00000000000000000000", "position_seconds": 7}', "movie_id"),
    "an id with a newline": (b'{"movie_id": "%(id)s\\n", "position_seconds": 7}', "movie_id"),
    "an id of nobody": (b'{"movie_id": "m_vvvvvvvvvvvvvvvvvvvv", "position_seconds": 7}', "movie_id"),
    "broken UTF-8": (b'{"movie_id": "\xff\xfe", "position_seconds": 7}', "body"),
    "a lone surrogate": (b'{"movie_id": "\\ud800", "position_seconds": 7}', "body"),
    "a NUL": (b'{"movie_id": "\\u0000", "position_seconds": 7}', "movie_id"),
    "half a document": (b'{"movie_id": "%(id)s", "posit', "body"),
    "no document": (b"", None),
    "a list": (b"[]", None),
    "a number": (b"7", None),
    "a deep document": (DEEP.encode(), None),
    "a deep field": (b'{"movie_id": ' + DEEP.encode() + b"}", "movie_id"),
    "two documents": (b'{"movie_id": "%(id)s", "position_seconds": 7} {}', "body"),
}


def problem_of(answer: Any, what: str) -> dict[str, Any]:
    """The problem document of an answer, after a check of its form."""
    assert answer.headers["content-type"].startswith("application/problem+json"), f"{what}: {answer.text[:300]}"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code, f"{what}: the document states another status"
    assert problem["title"], f"{what}: {problem}"
    assert problem["code"], f"{what}: {problem}"
    return problem


@pytest.mark.parametrize("what", PROGRESS)
async def test_bad_progress_is_refused_and_changes_nothing(
    client: Client, viewer: Person, seed: Seeder, stores: Stores, what: str
) -> None:
    movie_id = await seed.playable("Hostile")
    body, field = PROGRESS[what]
    answer = await client.post(
        "/api/v1/stream/progress",
        content=body.replace(b"%(id)s", movie_id.encode()),
        headers={**viewer.headers, "Content-Type": "application/json"},
    )
    assert 400 <= answer.status_code < 500, f"{what} got {answer.status_code}: {answer.text[:300]}"
    problem = problem_of(answer, what)
    if field is not None:
        assert problem["field"] == field, f"{what}: the problem names {problem.get('field')!r}: {problem}"
        assert problem["errors"][0]["field"] == field
    assert await stores.resume_positions.get(viewer.profile_id, movie_id) is None, f"{what} was stored all the same"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"])
async def test_a_body_of_another_content_type_is_refused(client: Client, viewer: Person, content_type: str) -> None:
    headers = {**viewer.headers, **({"Content-Type": content_type} if content_type else {})}
    answer = await client.post("/api/v1/stream/progress", content=b'{"a": 1}', headers=headers)
    assert answer.status_code == 415, f"{content_type!r} got {answer.status_code}"
    assert problem_of(answer, content_type)["field"] == "content-type"


async def test_ten_megabytes_are_refused(client: Client, engineer: Person) -> None:
    for path, size in (("/sessions", 10), ("/stream/progress", 10), ("/uploads", 10)):
        answer = await client.post(
            f"/api/v1{path}",
            content=b'{"a": "' + b"x" * (size * 1024 * 1024) + b'"}',
            headers={**engineer.headers, "Content-Type": "application/json"},
        )
        assert answer.status_code == 413, f"{path} took {size} MB: {answer.status_code}"
        problem_of(answer, path)


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/home?limit=0", 400, "limit"),
        ("/home?limt=5", 400, "limt"),
        ("/search?q=a&%71x=5", 400, "qx"),
        ("/home?limit=51", 400, "limit"),
        ("/home?limit=ten", 400, "limit"),
        ("/home?limit=" + "9" * 400, 400, "limit"),
        ("/home?cursor=forged", 400, "cursor"),
        ("/home?cursor=" + "x" * 2000, 400, "cursor"),
        ("/rows/genre-drama?cursor=forged", 400, "cursor"),
        ("/rows/nothing-of-the-kind", 404, "row_id"),
        ("/rows/..%2F..%2Fetc", 404, None),
        ("/history?cursor=WzEsMl0.abc", 400, "cursor"),
        ("/search?q=", 400, "q"),
        ("/search", 400, None),
        ("/search?q=" + "a" * 201, 400, "q"),
        ("/search?q=a&cursor=forged", 400, "cursor"),
        ("/search?q=%FF%FE", 400, "query"),
        ("/search?q=%00", 400, "query"),
        ("/search?q=%ED%A0%80", 400, "query"),
        ("/search?q=a&facets=perhaps", 400, "facets"),
        ("/search?q=a&year_from=99999999999999999999999", 400, "year_from"),
        ("/stream", 400, None),
        ("/stream?movie_id=1", 400, "movie_id"),
        ("/stream?movie_id=m_vvvvvvvvvvvvvvvvvvvv", 404, "movie_id"),
        ("/titles/m_1", 400, "movie_id"),
        ("/titles/m_vvvvvvvvvvvvvvvvvvvv", 404, "movie_id"),
        ("/titles/m_VVVVVVVVVVVVVVVVVVVV", 400, "movie_id"),
        ("/nothing/here", 404, None),
        ("/titles/m_vvvvvvvvvvvvvvvvvvvv/nothing", 404, None),
    ],
)
async def test_a_bad_address_is_a_problem_that_names_the_field(
    client: Client, viewer: Person, path: str, status: int, field: str | None
) -> None:
    answer = await client.get(f"/api/v1{path}", headers=viewer.headers)
    assert answer.status_code == status, f"{path[:60]} got {answer.status_code}: {answer.text[:300]}"
    problem = problem_of(answer, path)
    if field is not None:
        assert problem["field"] == field, f"{path[:60]}: {problem}"


async def test_methods_that_an_address_does_not_know_are_405_with_those_it_knows(
    client: Client, viewer: Person
) -> None:
    answer = await client.delete("/api/v1/home", headers=viewer.headers)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    problem_of(answer, "DELETE /home")


async def test_a_cursor_of_one_page_does_not_open_another(
    client: Client, viewer: Person, seed: Seeder, stores: Stores
) -> None:
    genres = ["Western", "Musical"]
    for number in range(2):
        await seed.playable(f"Cursor {number}", genres=genres)
    # Another test may have read the row before these titles were there, and may fill the cache with it until now.
    async with asyncio.timeout(30):
        cursor = None
        while cursor is None:
            await stores.row_cache.purge(keys_of_title(genres))
            page = await client.get("/api/v1/rows/genre-western?limit=1", headers=viewer.headers)
            cursor = page.json()["next_cursor"]
    for path in (f"/rows/genre-musical?cursor={cursor}", f"/home?cursor={cursor}", f"/search?q=a&cursor={cursor}"):
        answer = await client.get(f"/api/v1{path}", headers=viewer.headers)
        assert (answer.status_code, answer.json()["field"]) == (400, "cursor"), f"{path} took another page's cursor"
    tampered = cursor[:-2] + ("aa" if not cursor.endswith("aa") else "bb")
    answer = await client.get(f"/api/v1/rows/genre-western?cursor={tampered}", headers=viewer.headers)
    assert answer.status_code == 400, "a changed cursor was accepted"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"file_name": "a/b.mp4"}, "file_name"),
        ({"file_name": "..\\b.mp4"}, "file_name"),
        ({"file_name": "\u0000.mp4"}, "file_name"),
        ({"file_name": "x" * 256}, "file_name"),
        ({"size_bytes": -1}, "size_bytes"),
        ({"size_bytes": 2**80}, "size_bytes"),
        ({"size_bytes": 1.5}, "size_bytes"),
        ({"title": ""}, "title"),
        ({"title": " \u200b"}, "title"),
        ({"title": "a\u2028b"}, "title"),
        ({"title": "a\x9bb"}, "title"),
        ({"title": "a\u0000b"}, "title"),
        ({"year": 12}, "year"),
        ({"genres": ["x"] * 21}, "genres"),
        ({"genres": ["ok", 7]}, "genres[1]"),
        ({"genres": [""]}, "genres[0]"),
        ({"description": "\u0000"}, "description"),
        ({"movie_id": "1"}, "movie_id"),
        ({"state": "playable"}, "state"),
        ({"content_type": "video"}, "content_type"),
        ({"content_type": "video/mp4\n"}, "content_type"),
        ({"file_name": "film.mp4\n"}, "file_name"),
        ({"title": "A film\n"}, "title"),
    ],
)
async def test_a_bad_upload_names_its_field(
    client: Client, engineer: Person, change: dict[str, object], field: str
) -> None:
    body = {"file_name": "film.mp4", "size_bytes": 1000, **change}
    answer = await client.post(
        "/api/v1/uploads",
        content=json.dumps(body),
        headers={**engineer.headers, "Content-Type": "application/json"},
    )
    assert answer.status_code == 400, f"{change} got {answer.status_code}: {answer.text[:300]}"
    assert problem_of(answer, str(change))["field"] == field, answer.text
