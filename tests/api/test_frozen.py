"""The whole API while PostgreSQL or S3 hangs: every answer comes while it hangs, honestly; then everything works at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.services import Services
from marquee.domain.rows import CONTINUE_WATCHING, GENRES
from marquee.settings import Settings
from marquee.stores.opened import Stores
from marquee.stores.row_cache.keys import keys_of_title
from tests.api.conftest import PASSWORD, People, Person
from tests.harness.api.at_once import ConcurrentClient, concurrent_client
from tests.harness.api.seeding import Seeder
from tests.harness.freezing import frozen, own_server

CALLERS = 12
RECOVERY_SECONDS = 30
"""Only bounds a test that would hang."""


@pytest.fixture
async def hurried(api_settings: Settings) -> AsyncIterator[ConcurrentClient]:
    """An API with a short deadline over the session's engines, twice the usual one: every call is sent at the same moment."""
    update = {"request_deadline_seconds": 6.0, "row_timeout_seconds": 2.0}
    async with concurrent_client(api_settings.model_copy(update=update)) as opened:
        yield opened


def _is_honest(answer: httpx.Response) -> bool:
    if answer.status_code == 503:
        return bool(answer.headers.get("retry-after"))
    return answer.status_code in (200, 204)


async def _until_whole(client: httpx.AsyncClient, person: Person, shows: str) -> dict[str, Any]:
    """Home once it lacks nothing and shows this title: the process may have read its rows before the title was there."""
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            answer = await client.get("/api/v1/home", headers=person.headers)
            if answer.status_code == 200 and "degraded" not in answer.json() and shows in answer.text:
                page: dict[str, Any] = answer.json()
                return page


@contextlib.contextmanager
def _hanging(settings: Settings, port: str) -> Any:
    with frozen(own_server(settings.port(port))):
        yield


async def test_every_answer_comes_while_postgresql_hangs(
    hurried: ConcurrentClient, api_settings: Settings, people: People, seed: Seeder, stores: Stores
) -> None:
    engineer = await people.join("engineer")
    headers = engineer.headers
    movie_id = await seed.playable("Hangs", genres=GENRES[:3])
    await stores.row_cache.purge(keys_of_title(GENRES))
    await _until_whole(hurried, engineer, movie_id)
    upload: dict[str, Any] = {"file_name": "film.mp4", "size_bytes": 10}
    body = {"movie_id": movie_id, "position_seconds": 12}
    parts = {"parts": [{"number": 1, "size_bytes": 10, "checksum": "0" * 32}]}
    edit = {"title": "Another"}
    asked = {
        "home": hurried.get("/api/v1/home", headers=headers),
        "row": hurried.get("/api/v1/rows/genre-drama", headers=headers),
        "watching": hurried.get("/api/v1/rows/continue-watching", headers=headers),
        "search": hurried.get("/api/v1/search", params={"q": "hangs"}, headers=headers),
        "stream": hurried.get("/api/v1/stream", params={"movie_id": movie_id}, headers=headers),
        "progress": hurried.post("/api/v1/stream/progress", json=body, headers=headers),
        "history": hurried.get("/api/v1/history", headers=headers),
        "title": hurried.get(f"/api/v1/titles/{movie_id}", headers=headers),
        "titles": hurried.get("/api/v1/titles", headers=headers),
        "edit": hurried.patch(f"/api/v1/titles/{movie_id}", json=edit, headers=headers),
        "delete": hurried.delete(f"/api/v1/titles/{movie_id}", headers=headers),
        "account": hurried.get("/api/v1/accounts/me", headers=headers),
        "login": hurried.post("/api/v1/sessions", json={"email": engineer.email, "password": PASSWORD}),
        "uploads": hurried.get("/api/v1/uploads", params=upload, headers=headers),
        "upload": hurried.post("/api/v1/uploads", json=upload, headers=headers),
        "status": hurried.get(f"/api/v1/uploads/u_{'0' * 20}", headers=headers),
        "complete": hurried.post(f"/api/v1/uploads/u_{'0' * 20}/complete", json=parts, headers=headers),
        "healthz": hurried.get("/healthz"),
        "readyz": hurried.get("/readyz"),
    }
    with _hanging(api_settings, "postgres"):
        # PostgreSQL hangs until the last answer has come: whoever waits for it waits for ever.
        answers = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
    dishonest = {name: answer.status_code for name, answer in answers.items() if not _is_honest(answer)}
    assert not dishonest
    served = {name for name, answer in answers.items() if answer.status_code == 200}
    assert served == {"home", "row", "search", "healthz"}, "from the caches and the index, and nothing else"
    home = answers["home"].json()
    assert [row["id"] for row in home["degraded"]] == [CONTINUE_WATCHING.row_id]
    assert home["degraded"][0]["reason"] == "store-unavailable"
    assert movie_id in [item["movie_id"] for row in home["rows"] for item in row["items"]]
    assert answers["readyz"].json()["stores"]["catalogue"] != "ready", "readyz does not name PostgreSQL"
    assert answers["readyz"].json()["stores"]["search"] == "ready"
    metrics = (await hurried.get("/metrics")).text
    assert 'marquee_api_degraded_rows_total{reason="store-unavailable",row="continue-watching"}' in metrics
    await _until_whole(hurried, engineer, movie_id)
    async with asyncio.timeout(RECOVERY_SECONDS):
        while (await hurried.get("/readyz")).status_code != 200:
            pass


async def test_many_callers_leave_nothing_behind_and_no_acknowledged_position_is_lost(
    hurried: ConcurrentClient, api_settings: Settings, people: People, seed: Seeder
) -> None:
    person = await people.join()
    movies = [await seed.playable(f"Position {number}") for number in range(CALLERS)]
    services: Services = hurried.app.state.services
    database = services.streams._titles.database  # type: ignore[attr-defined]

    async def report(movie_id: str, seconds: int) -> httpx.Response:
        body = {"movie_id": movie_id, "position_seconds": seconds}
        return await hurried.post("/api/v1/stream/progress", json=body, headers=person.headers)

    first = await asyncio.gather(*(report(movie_id, 10) for movie_id in movies))
    assert {answer.status_code for answer in first} == {204}
    with _hanging(api_settings, "postgres"):
        during = await asyncio.gather(*(report(movie_id, 20) for movie_id in movies))
    assert all(_is_honest(answer) for answer in during)
    async with asyncio.timeout(RECOVERY_SECONDS):
        # Not at once: what the platform asks on its own is a call too, and ends at its own time.
        while database._shared.calls > 1:  # noqa: ASYNC110 - a number, not an event
            await asyncio.sleep(0.05)
        streams = [hurried.get("/api/v1/stream", params={"movie_id": one}, headers=person.headers) for one in movies]
        for stream, answer in zip(await asyncio.gather(*streams), during, strict=True):
            assert stream.status_code == 200, "a connection that hung is still in use"
            acknowledged = 20 if answer.status_code == 204 else 10
            assert stream.json()["resume_position_seconds"] >= acknowledged, "an acknowledged position was lost"
        last = await asyncio.gather(*(report(movie_id, 30) for movie_id in movies))
    assert {answer.status_code for answer in last} == {204}


async def test_s3_that_hangs_does_not_hold_an_engineer(
    hurried: ConcurrentClient, api_settings: Settings, engineer: Person
) -> None:
    upload = {"file_name": "film.mp4", "size_bytes": 10, "resume": False}
    with _hanging(api_settings, "s3_inner"):
        refused, home, ready = await asyncio.gather(
            hurried.post("/api/v1/uploads", json=upload, headers=engineer.headers),
            hurried.get("/api/v1/home", headers=engineer.headers),
            hurried.get("/readyz"),
        )
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert home.status_code == 200
    assert ready.json()["stores"]["objects"] != "ready"
    async with asyncio.timeout(RECOVERY_SECONDS):
        while (await hurried.post("/api/v1/uploads", json=upload, headers=engineer.headers)).status_code == 503:
            pass


@pytest.mark.parametrize("engine", ["cache", "log"])
async def test_a_valkey_that_hangs_takes_no_row_away(
    concurrent: ConcurrentClient, api_settings: Settings, viewer: Person, seed: Seeder, stores: Stores, engine: str
) -> None:
    movie_id = await seed.playable("Cached", genres=["Horror"])
    await stores.row_cache.purge(keys_of_title(["Horror"]))
    await _until_whole(concurrent, viewer, movie_id)
    with _hanging(api_settings, engine):
        pages = await asyncio.gather(*(concurrent.get("/api/v1/home", headers=viewer.headers) for _ in range(10)))
        login = await concurrent.post("/api/v1/sessions", json={"email": viewer.email, "password": PASSWORD})
    assert {page.status_code for page in pages} == {200}
    found = {item["movie_id"] for row in pages[-1].json()["rows"] for item in row["items"]}
    assert movie_id in found
    assert login.status_code == 201
    await _until_whole(concurrent, viewer, movie_id)
