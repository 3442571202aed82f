"""Titles: what viewers see and what engineers change; each change reaches the rows, and a deletion leaves no object."""

import asyncio

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.domain.rows import GENRES, ROWS, canonical_genres
from marquee.stores.opened import Stores
from tests.api.conftest import Person
from tests.harness.api.at_once import ConcurrentClient
from tests.harness.api.seeding import Seeder

Client = AsyncTestClient[Litestar]


async def _row(client: Client, person: Person, row_id: str) -> list[str]:
    answer = await client.get(f"/api/v1/rows/{row_id}", params={"limit": 50}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return [item["movie_id"] for item in answer.json()["items"]]


async def test_a_change_reaches_the_rows_at_once(
    client: Client, viewer: Person, engineer: Person, seed: Seeder, stores: Stores
) -> None:
    movie_id = await seed.playable("Moves", genres=["Silent"])
    await stores.row_cache.purge(["row:genre-silent:v1", "row:genre-short:v1"])
    assert movie_id in await _row(client, viewer, "genre-silent")
    assert movie_id not in await _row(client, viewer, "genre-short")

    path = f"/api/v1/titles/{movie_id}"
    edited = await client.patch(path, json={"genres": ["shorts"], "title": "Moved"}, headers=engineer.headers)
    assert edited.status_code == 200, edited.text
    assert edited.json()["genres"] == ["Short"], "a genre's other spelling was not put right"
    assert movie_id not in await _row(client, viewer, "genre-silent"), "the row of the old genre still shows it"
    assert movie_id in await _row(client, viewer, "genre-short"), "the row of the new genre does not show it"

    assert (await client.post(f"{path}/unpublish", headers=engineer.headers)).json()["playable"] is False
    assert movie_id not in await _row(client, viewer, "genre-short"), "an unpublished title is offered"
    assert (await client.get(path, headers=viewer.headers)).status_code == 404
    assert (await client.get(path, headers=engineer.headers)).json()["state"] == "unpublished"
    assert (await client.post(f"{path}/republish", headers=engineer.headers)).json()["playable"] is True
    assert movie_id in await _row(client, viewer, "genre-short"), "a republished title is missing"


async def test_deleting_removes_the_title_and_every_object_of_it(
    client: Client, viewer: Person, engineer: Person, seed: Seeder, stores: Stores
) -> None:
    movie_id, other = await seed.playable("Goes", genres=["War"]), await seed.playable("Stays", genres=["War"])
    for owner in (movie_id, other):
        for key in (f"{owner}/v1/master.m3u8", f"{owner}/v1/video/360p/1.m4s", f"images/{owner}/v1/poster.jpg"):
            await stores.published.put(key, b"x", content_type="text/plain")
        await stores.objects.put(f"titles/{owner}/v1/source.json", b"{}", content_type="application/json")
    assert (await client.delete(f"/api/v1/titles/{movie_id}", headers=engineer.headers)).status_code == 204
    assert (await client.get(f"/api/v1/titles/{movie_id}", headers=engineer.headers)).status_code == 404
    left = [one.key async for one in stores.published.list("") if movie_id in one.key]
    left += [one.key async for one in stores.objects.list("titles/") if movie_id in one.key]
    assert left == [], f"a deleted title left objects: {left}"
    assert len([one async for one in stores.published.list(f"{other}/")]) == 2, "another title's objects were taken"
    assert movie_id not in await _row(client, viewer, "genre-war")
    again = await client.delete(f"/api/v1/titles/{movie_id}", headers=engineer.headers)
    assert again.status_code == 404, "deleting what is gone has to say so"


async def test_an_edit_with_an_old_revision_changes_nothing(client: Client, engineer: Person, seed: Seeder) -> None:
    path = f"/api/v1/titles/{await seed.playable('Contended')}"
    read = await client.get(path, headers=engineer.headers)
    etag, revision = read.headers["etag"], read.json()["revision"]
    first = await client.patch(path, json={"year": 1999}, headers={**engineer.headers, "If-Match": etag})
    assert first.status_code == 200, first.text
    for answer in (
        await client.patch(path, json={"year": 2001}, headers={**engineer.headers, "If-Match": etag}),
        await client.patch(path, json={"year": 2001, "revision": revision}, headers=engineer.headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "revision-conflict")
    assert (await client.get(path, headers=engineer.headers)).json()["year"] == 1999
    bad = await client.patch(path, json={}, headers={**engineer.headers, "If-Match": "yesterday"})
    assert (bad.status_code, bad.json()["field"]) == (400, "If-Match")


async def test_edits_of_different_fields_at_once_all_stay(
    client: Client, concurrent: ConcurrentClient, engineer: Person, seed: Seeder
) -> None:
    path = f"/api/v1/titles/{await seed.playable('Busy')}"
    changes = [{"year": 1980}, {"description": "words"}, {"people": ["A Person"]}]
    answers = await asyncio.gather(*(concurrent.patch(path, json=one, headers=engineer.headers) for one in changes))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    title = (await client.get(path, headers=engineer.headers)).json()
    assert (title["year"], title["description"], title["people"]) == (1980, "words", ["A Person"]), "an edit was lost"
    cleared = await client.patch(path, json={"year": None}, headers=engineer.headers)
    assert (cleared.json()["year"], cleared.json()["description"]) == (None, "words")


def test_there_are_20_genres_and_their_spellings_are_one() -> None:
    assert len(GENRES) == 20
    assert len({row.row_id for row in ROWS}) == 23
    assert canonical_genres([" science  fiction ", "Scifi", "DRAMA", "Dramas", "Polar Noir"]) == [
        "Sci-Fi",
        "Drama",
        "Polar Noir",
    ]
    assert canonical_genres(["", "  "]) == []


@pytest.mark.parametrize("state", ["announced", "ingesting"])
async def test_a_title_that_does_not_play_yet_says_so(client: Client, viewer: Person, seed: Seeder, state: str) -> None:
    movie_id = await (seed.announced("Later") if state == "announced" else seed.ingesting("Soon"))
    title = (await client.get(f"/api/v1/titles/{movie_id}", headers=viewer.headers)).json()
    assert (title["state"], title["playable"]) == (state, False)
