"""Playing: addresses that an edge accepts, resuming, the 95 % rule, progress by event time, history."""

import time
from datetime import datetime

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.cdn.addresses import edge_of
from marquee.cdn.signed_paths import stream_path
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.api.conftest import People, Person
from tests.harness.api.seeding import Seeder

Client = AsyncTestClient[Litestar]


async def _report(client: Client, person: Person, movie_id: str, seconds: float, age_ms: int = 0) -> None:
    body = {"movie_id": movie_id, "position_seconds": seconds, "age_ms": age_ms}
    answer = await client.post("/api/v1/stream/progress", json=body, headers=person.headers)
    assert answer.status_code == 204, answer.text
    assert not answer.content


async def _resume(client: Client, person: Person, movie_id: str) -> float:
    answer = await client.get("/api/v1/stream", params={"movie_id": movie_id}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    seconds: float = answer.json()["resume_position_seconds"]
    return seconds


async def test_the_stream_is_signed_for_the_edge_and_all_that_lies_below(
    client: Client, viewer: Person, seed: Seeder, api_settings: Settings
) -> None:
    movie_id = await seed.playable("Signed", duration_seconds=100)
    answer = await client.get("/api/v1/stream", params={"movie_id": movie_id}, headers=viewer.headers)
    stream = answer.json()
    edge = edge_of(movie_id, api_settings.edges)
    expires_at = int(datetime.fromisoformat(stream["expires_at"]).timestamp())
    prefix = edge + stream_path(
        api_settings.edge_secret.get_secret_value(), movie_id, 1, expires_at=expires_at, session_id=stream["session_id"]
    )
    assert stream["stream_url"] == f"{prefix}master.m3u8"
    assert stream["dash_url"] == f"{prefix}manifest.mpd"
    assert stream["poster_url"] == f"{edge}/images/{movie_id}/v1/poster-640x360.jpg"
    assert stream["sprite_vtt_url"] == f"{edge}/images/{movie_id}/v1/sprite.vtt"
    assert abs(expires_at - time.time() - api_settings.stream_url_seconds) < 30
    assert stream["duration_seconds"] == 100
    assert answer.headers["cache-control"] == "no-store", "a proxy may keep a viewer's signed address"


@pytest.mark.parametrize(
    ("seconds", "resumes_at"), [(40.0, 40.0), (94.9, 94.9), (95.0, 0.0), (99.0, 0.0), (110.0, 0.0)]
)
async def test_at_or_past_95_percent_a_title_starts_anew(
    client: Client, viewer: Person, seed: Seeder, seconds: float, resumes_at: float
) -> None:
    movie_id = await seed.playable("Nearly seen", duration_seconds=100)
    assert await _resume(client, viewer, movie_id) == 0, "a title never seen has to start at 0"
    await _report(client, viewer, movie_id, seconds)
    assert await _resume(client, viewer, movie_id) == pytest.approx(resumes_at, abs=0.001)


@pytest.mark.parametrize(("seconds", "resumes_at"), [(6.6179, 6.617), (6.618, 0.0), (0.95 * 6.966667, 0.0)])
async def test_the_95_percent_rule_is_exact_to_the_millisecond(
    client: Client, viewer: Person, seed: Seeder, seconds: float, resumes_at: float
) -> None:
    movie_id = await seed.playable("Six seconds", duration_seconds=6.966667)
    await _report(client, viewer, movie_id, seconds)
    assert await _resume(client, viewer, movie_id) == resumes_at
    row = (await client.get("/api/v1/rows/continue-watching", headers=viewer.headers)).json()
    shown = [one["resume_position_seconds"] for one in row["items"] if one["movie_id"] == movie_id]
    assert shown == ([resumes_at] if resumes_at else []), "the row and the stream disagree on 95 %"


async def test_the_newest_event_wins_whatever_the_order_of_arrival(
    client: Client, viewer: Person, seed: Seeder
) -> None:
    movie_id = await seed.playable("Disorder")
    await _report(client, viewer, movie_id, 50, age_ms=0)
    await _report(client, viewer, movie_id, 10, age_ms=60_000)
    assert await _resume(client, viewer, movie_id) == 50, "an older event that arrived later won"
    await _report(client, viewer, movie_id, 20)
    assert await _resume(client, viewer, movie_id) == 20, "seeking back was not kept"


async def test_a_position_belongs_to_the_profile(client: Client, people: People, seed: Seeder) -> None:
    one, other = await people.join(), await people.join()
    movie_id = await seed.playable("Mine")
    await _report(client, one, movie_id, 77)
    assert await _resume(client, one, movie_id) == 77
    assert await _resume(client, other, movie_id) == 0, "a position leaked to another profile"


@pytest.mark.parametrize("kind", ["ingesting", "announced", "unpublished"])
async def test_what_cannot_be_played_says_so(
    client: Client, viewer: Person, seed: Seeder, stores: Stores, kind: str
) -> None:
    if kind == "unpublished":
        movie_id = await seed.playable("Taken out")
        await stores.catalogue.titles.unpublish(movie_id)
    else:
        movie_id = await (seed.ingesting("Soon") if kind == "ingesting" else seed.announced("Some day"))
    for answer in (
        await client.get("/api/v1/stream", params={"movie_id": movie_id}, headers=viewer.headers),
        await client.post(
            "/api/v1/stream/progress", json={"movie_id": movie_id, "position_seconds": 1}, headers=viewer.headers
        ),
    ):
        assert answer.status_code == 409, f"an {kind} title answered {answer.status_code}"
        assert (answer.json()["code"], answer.json()["field"]) == ("title-not-playable", "movie_id")


async def test_history_lists_what_was_watched_newest_first_in_pages(
    client: Client, people: People, seed: Seeder, stores: Stores
) -> None:
    person = await people.join()
    seen = []
    for number in range(5):
        movie_id = await seed.playable(f"Seen {number}")
        await _report(client, person, movie_id, 5, age_ms=(5 - number) * 1000)
        seen.append(movie_id)
    found, cursor = [], ""
    for _ in range(5):
        page = await client.get("/api/v1/history", params={"limit": 2, "cursor": cursor}, headers=person.headers)
        assert page.status_code == 200, page.text
        found += [item["movie_id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"] or ""
        if not cursor:
            break
    assert found == list(reversed(seen))
    await stores.catalogue.titles.unpublish(seen[0])
    left = await client.get("/api/v1/history", headers=person.headers)
    assert seen[0] not in [item["movie_id"] for item in left.json()["items"]], "history offers what cannot be played"
