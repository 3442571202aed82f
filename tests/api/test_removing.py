"""Removing from continue watching and from the history: what stays, what goes, what a late write and an undo do."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.history.removal import MAX_CLOCK_AHEAD_MS
from marquee.domain.ids import new_movie_id
from marquee.stores.opened import Stores
from marquee.stores.resume_positions.contract import ResumePosition
from tests.api.conftest import People, Person
from tests.harness.api.seeding import Seeder

Client = AsyncTestClient[Litestar]
ROW = "/api/v1/rows/continue-watching"
HISTORY = "/api/v1/history"


async def _listed(client: Client, person: Person, path: str) -> list[str]:
    answer = await client.get(path, params={"limit": 50}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return [item["movie_id"] for item in answer.json()["items"]]


async def _watch(client: Client, person: Person, movie_id: str, seconds: float, age_ms: int = 0) -> None:
    body = {"movie_id": movie_id, "position_seconds": seconds, "age_ms": age_ms}
    answer = await client.post("/api/v1/stream/progress", json=body, headers=person.headers)
    assert answer.status_code == 204, answer.text
    await _clock_goes_on()


async def _clock_goes_on() -> None:
    """Until the next event is later than every one before: a removal may be a millisecond after the clock, and wins a tie."""
    begun_ms = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 < begun_ms + 3:  # noqa: ASYNC110 - the clock sets no event
        await asyncio.sleep(0.001)


async def _resume(client: Client, person: Person, movie_id: str) -> float:
    answer = await client.get("/api/v1/stream", params={"movie_id": movie_id}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return float(answer.json()["resume_position_seconds"])


async def _remove(client: Client, person: Person, path: str) -> str:
    answer = await client.delete(path, headers=person.headers)
    assert answer.status_code == 200, answer.text
    await _clock_goes_on()
    return str(answer.json()["undo"])


async def _undo(client: Client, person: Person, token: str) -> Any:
    return await client.post(f"{HISTORY}/undo", json={"undo": token}, headers=person.headers)


async def test_out_of_continue_watching_a_title_keeps_history_and_position_until_it_is_played_again(
    client: Client, people: People, seed: Seeder
) -> None:
    person, movie_id, other = await people.join(), await seed.playable("Seen"), await seed.playable("Also seen")
    for each in (other, movie_id):
        await _watch(client, person, each, 100)
    await _remove(client, person, f"{ROW}/{movie_id}")
    await _watch(client, person, movie_id, 90, age_ms=60_000)
    assert await _listed(client, person, ROW) == [other], "a write that was sent before the removal brought it back"
    assert await _listed(client, person, HISTORY) == [movie_id, other]
    assert await _resume(client, person, movie_id) == 100, "the viewer's place in the film is lost"
    await _watch(client, person, movie_id, 120)
    assert await _listed(client, person, ROW) == [movie_id, other], "playing it again does not list it again"


async def test_out_of_the_history_a_title_loses_its_position_too(client: Client, people: People, seed: Seeder) -> None:
    person, movie_id, other = await people.join(), await seed.playable("Seen"), await seed.playable("Also seen")
    for each in (other, movie_id):
        await _watch(client, person, each, 100)
    await _remove(client, person, f"{HISTORY}/{movie_id}")
    await _watch(client, person, movie_id, 90, age_ms=60_000)
    for path in (ROW, HISTORY):
        assert await _listed(client, person, path) == [other], (
            "a write that was sent before the removal brought it back"
        )
    assert await _resume(client, person, movie_id) == 0
    await _watch(client, person, movie_id, 30)
    for path in (ROW, HISTORY):
        assert await _listed(client, person, path) == [movie_id, other], (
            "playing it later does not list it again at once"
        )


@pytest.mark.parametrize("path", [ROW, HISTORY])
async def test_an_undo_brings_back_title_and_position(client: Client, people: People, seed: Seeder, path: str) -> None:
    person, movie_id = await people.join(), await seed.playable("Undone")
    await _watch(client, person, movie_id, 100)
    token = await _remove(client, person, f"{path}/{movie_id}")
    assert await _listed(client, person, path) == []
    for _ in range(2):
        assert (await _undo(client, person, token)).status_code == 204
    for each in (ROW, HISTORY):
        assert await _listed(client, person, each) == [movie_id]
    assert await _resume(client, person, movie_id) == 100
    await _watch(client, person, movie_id, 200)
    assert (await _undo(client, person, token)).status_code == 204
    assert await _resume(client, person, movie_id) == 200, "an undo put the viewer back behind what was played since"


async def test_an_undo_is_the_profiles_own(client: Client, people: People, seed: Seeder) -> None:
    person, other, movie_id = await people.join(), await people.join(), await seed.playable("Mine")
    await _watch(client, person, movie_id, 100)
    token = await _remove(client, person, f"{HISTORY}/{movie_id}")
    for who, text in ((other, token), (person, token[:-2] + "xx"), (person, "nonsense")):
        answer = await _undo(client, who, text)
        assert (answer.status_code, answer.json()["field"]) == (400, "undo"), answer.text
    assert await _listed(client, other, HISTORY) == []


async def test_clearing_the_history_forgets_every_position_of_this_profile_only(
    client: Client, people: People, seed: Seeder, stores: Stores
) -> None:
    person, other = await people.join(), await people.join()
    movies = [await seed.playable(f"Film {number}") for number in range(3)]
    for movie_id in movies:
        await _watch(client, person, movie_id, 100)
        await _watch(client, other, movie_id, 100)
    unnoted = await seed.playable("Its history was not written")
    position = ResumePosition(person.profile_id, unnoted, 5000, 1_700_000_000_000)
    await stores.resume_positions.record(position)
    await _remove(client, person, f"{ROW}/{movies[0]}")
    for _ in range(2):
        assert (await client.delete(HISTORY, headers=person.headers)).status_code == 204
    await _clock_goes_on()
    for path in (ROW, HISTORY):
        assert await _listed(client, person, path) == []
        assert sorted(await _listed(client, other, path)) == sorted(movies)
    assert [await _resume(client, person, each) for each in (*movies, unnoted)] == [0, 0, 0, 0]
    await _watch(client, person, movies[1], 50)
    assert await _listed(client, person, HISTORY) == [movies[1]]


@pytest.mark.parametrize("path", [f"{ROW}/{{movie_id}}", f"{HISTORY}/{{movie_id}}", HISTORY])
async def test_removing_what_was_never_watched_does_no_harm_and_needs_a_login(
    client: Client, people: People, seed: Seeder, path: str
) -> None:
    person, movie_id = await people.join(), await seed.playable("Unseen")
    address = path.format(movie_id=movie_id)
    assert (await client.delete(address, headers=person.headers)).status_code in {200, 204}
    assert (await client.delete(address)).status_code == 401
    assert await _listed(client, person, ROW) == await _listed(client, person, HISTORY) == []


async def test_only_continue_watching_can_be_changed(client: Client, viewer: Person, seed: Seeder) -> None:
    movie_id = await seed.playable("Stays")
    answer = await client.delete(f"/api/v1/rows/genre-drama/{movie_id}", headers=viewer.headers)
    assert answer.status_code in {404, 405}
    assert (await client.delete(f"{ROW}/nonsense", headers=viewer.headers)).status_code == 400


@pytest.mark.parametrize("path", [ROW, HISTORY])
async def test_an_unknown_title_is_answered_so_and_stores_nothing(
    client: Client, people: People, seed: Seeder, stores: Stores, path: str
) -> None:
    person = await people.join()
    announced, hidden, unknown = await seed.announced("Announced"), await seed.playable("Hidden"), new_movie_id()
    await stores.catalogue.titles.unpublish(hidden)
    for movie_id in (unknown, unknown, hidden):
        answer = await client.delete(f"{path}/{movie_id}", headers=person.headers)
        asked = await client.get(f"/api/v1/titles/{movie_id}", headers=person.headers)
        assert (answer.status_code, asked.status_code) == (404, 404), answer.text
        assert (answer.json()["code"], answer.json()["detail"]) == (asked.json()["code"], asked.json()["detail"])
    assert list(await stores.resume_positions.events_of_viewer(person.profile_id)) == []
    assert (await client.get(f"/api/v1/titles/{announced}", headers=person.headers)).status_code == 200
    await _remove(client, person, f"{path}/{announced}")
    gone = ResumePosition(person.profile_id, unknown, 5000, 1_700_000_000_000)
    await stores.resume_positions.record(gone)
    await _remove(client, person, f"{path}/{unknown}")
    assert await _listed(client, person, ROW) == []


@pytest.mark.parametrize("path", [ROW, HISTORY])
@pytest.mark.parametrize("undone_before", [False, True])
async def test_no_undo_brings_back_what_clearing_the_history_took(
    client: Client, people: People, seed: Seeder, path: str, undone_before: bool
) -> None:
    person, movie_id = await people.join(), await seed.playable("Cleared")
    await _watch(client, person, movie_id, 100)
    token = await _remove(client, person, f"{path}/{movie_id}")
    if undone_before:
        assert (await _undo(client, person, token)).status_code == 204
    assert (await client.delete(HISTORY, headers=person.headers)).status_code == 204
    for _ in range(2):
        answer = await _undo(client, person, token)
        assert (answer.status_code, answer.json()["field"]) == (400, "undo"), answer.text
        for each in (ROW, HISTORY):
            assert await _listed(client, person, each) == [], "an undo brought back what cannot be undone"
        assert await _resume(client, person, movie_id) == 0, "an undo brought the position back"


REMOVALS = pytest.mark.parametrize("path", [f"{ROW}/{{movie_id}}", f"{HISTORY}/{{movie_id}}", HISTORY])


@REMOVALS
async def test_a_removal_wins_over_a_host_whose_clock_is_ahead(
    client: Client, people: People, seed: Seeder, stores: Stores, path: str
) -> None:
    person, movie_id = await people.join(), await seed.playable("Ahead")
    ahead = await _stored_ahead(stores, person, movie_id, timedelta(milliseconds=MAX_CLOCK_AHEAD_MS - 60_000))
    answer = await client.delete(path.format(movie_id=movie_id), headers=person.headers)
    assert answer.status_code in {200, 204}, answer.text
    assert await _listed(client, person, ROW) == [], "the removal was acknowledged, and the title stays"
    if not path.startswith(ROW):
        assert await _listed(client, person, HISTORY) == [], "the removal was acknowledged, and the title stays"
        assert await _resume(client, person, movie_id) == 0
    if answer.status_code == 200:
        assert (await _undo(client, person, answer.json()["undo"])).status_code == 204
        assert await _listed(client, person, ROW) == await _listed(client, person, HISTORY) == [movie_id]
        (entry,) = await stores.history.page(person.profile_id, limit=2, before=None)
        assert entry.last_watched_at == ahead


@REMOVALS
async def test_a_time_further_ahead_is_told_and_no_removal_is_acknowledged_in_vain(
    client: Client, people: People, seed: Seeder, stores: Stores, path: str
) -> None:
    person, movie_id, other = await people.join(), await seed.playable("Far ahead"), await seed.playable("Other")
    await _watch(client, person, other, 100)
    await _stored_ahead(stores, person, movie_id, timedelta(milliseconds=2 * MAX_CLOCK_AHEAD_MS))
    answer = await client.delete(path.format(movie_id=movie_id), headers=person.headers)
    assert answer.status_code == 503, answer.text
    assert "clocks" in answer.json()["detail"]
    assert movie_id in await _listed(client, person, HISTORY)
    if path == HISTORY:
        assert other not in await _listed(client, person, HISTORY), "one title keeps all others from being forgotten"


async def _stored_ahead(stores: Stores, person: Person, movie_id: str, ahead: timedelta) -> datetime:
    """Progress as an API host writes it whose clock is so far ahead. The history's moment is not a whole millisecond."""
    at = datetime.now(UTC).replace(microsecond=123_456) + ahead
    at_ms = int(at.timestamp() * 1000)
    await stores.resume_positions.record(ResumePosition(person.profile_id, movie_id, 100_000, at_ms))
    await stores.history.record(person.profile_id, movie_id, at)
    return at
