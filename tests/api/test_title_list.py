"""The engineers' list of titles, why a title does not play, and cancelling a version in work."""

import asyncio
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.notes import note
from marquee.stores.opened import Stores
from tests.api.conftest import Person
from tests.harness.api.at_once import ConcurrentClient
from tests.harness.api.seeding import Seeder
from tests.harness.uploads import mark_completed, new_upload

Client = AsyncTestClient[Litestar]
TITLES = "/api/v1/titles"


async def listed(client: Client, person: Person, **query: object) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await client.get(TITLES, params={**query, "cursor": cursor}, headers=person.headers)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        found += answer.json()["titles"]
        cursor = answer.json()["next_cursor"] or ""
        if not cursor:
            return found


async def test_engineers_page_through_all_titles(client: Client, engineer: Person, seed: Seeder) -> None:
    made = [await seed.ingesting(f"Zyx listed {number}") for number in range(5)]
    found = [title["movie_id"] for title in await listed(client, engineer, limit=2, state="ingesting", q="ZYX list")]
    assert found == made[::-1], "a title is missing, stands on two pages or is not where its change puts it"


async def test_a_cursor_is_of_one_filter(client: Client, engineer: Person, seed: Seeder) -> None:
    for number in range(3):
        await seed.ingesting(f"Wvu listed {number}")
    query = {"limit": 1, "q": "wvu"}
    cursor = (await client.get(TITLES, params=query, headers=engineer.headers)).json()["next_cursor"]
    for other in ({}, {"q": "wvu listed"}, {"q": "wvu", "in_work": "true"}, {"q": "wvu", "state": "ingesting"}):
        answer = await client.get(TITLES, params={**other, "cursor": cursor}, headers=engineer.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid"), f"it reads on with {other}"


async def test_refused_and_failed_titles_say_why_to_engineers(
    client: Client, viewer: Person, engineer: Person, seed: Seeder, stores: Stores
) -> None:
    versions = stores.catalogue.versions
    refused, failed = await seed.ingesting("Uts refused"), await seed.ingesting("Uts failed")
    plays, working = await seed.playable("Uts plays"), await seed.ingesting("Uts works")
    await versions.refuse(refused, 1, "The file has no picture.")
    await versions.fail(failed, 1, "The disk is full.")
    await versions.set_notes(plays, 1, {"source": [note("no-sound")]})
    await versions.report_progress(working, 1, stage="renditions", percent=42.0, speed=1.5)
    by_id = {title["movie_id"]: title for title in await listed(client, engineer, q="uts")}
    assert (by_id[refused]["state"], by_id[refused]["reason"]) == ("refused", "The file has no picture.")
    assert (by_id[failed]["state"], by_id[failed]["reason"]) == ("failed", "The disk is full.")
    assert by_id[plays]["reason"] is None
    assert [one["code"] for one in by_id[plays]["notes"]] == ["no-sound"]
    newest = by_id[working]["newest_version"]
    assert (newest["version"], newest["stage"], newest["percent"], newest["speed"]) == (1, "renditions", 42.0, 1.5)
    for movie_id, title in by_id.items():
        answer = await client.get(f"{TITLES}/{movie_id}", headers=engineer.headers)
        assert answer.json() == title, "a title's own answer differs from the list's"
    assert [one["movie_id"] for one in await listed(client, engineer, q="uts", with_notes=True)] == [plays]
    assert [one["movie_id"] for one in await listed(client, engineer, q="uts", in_work=True)] == [working]
    for movie_id in (plays, working):
        seen = (await client.get(f"{TITLES}/{movie_id}", headers=viewer.headers)).json()
        assert (seen["reason"], seen["newest_version"]) == (None, None), "a viewer learns who works on what"
    for movie_id in (refused, failed):
        assert (await client.get(f"{TITLES}/{movie_id}", headers=viewer.headers)).status_code == 404


async def test_the_list_says_whose_upload_it_is(client: Client, engineer: Person, stores: Stores) -> None:
    body = {"file_name": "Rqp mine.mp4", "size_bytes": 9, "title": "Rqp mine"}
    opened = await client.post("/api/v1/uploads", json=body, headers=engineer.headers)
    assert opened.status_code == 201, opened.text
    [title] = await listed(client, engineer, q="rqp")
    me = (await client.get("/api/v1/accounts/me", headers=engineer.headers)).json()
    assert title["newest_version"]["uploaded_by"] == me["email"]
    assert (title["newest_version"]["state"], title["newest_version"]["stage"]) == ("uploading", "upload")


async def test_a_viewer_gets_no_list(client: Client, viewer: Person) -> None:
    answer = await client.get(TITLES, headers=viewer.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-permitted")


@pytest.mark.parametrize(
    "query", ["q=" + "x" * 201, "state=gone", "in_work=perhaps", "with_notes=2", "limit=0", "limit=101"]
)
async def test_a_query_that_cannot_be_used_is_named(client: Client, engineer: Person, query: str) -> None:
    answer = await client.get(f"{TITLES}?{query}", headers=engineer.headers)
    assert (answer.status_code, answer.json()["field"]) == (400, query.partition("=")[0]), answer.text


async def test_cancelling_a_new_titles_ingest(client: Client, engineer: Person, seed: Seeder) -> None:
    movie_id = await seed.ingesting("Pon cancelled")
    path = f"{TITLES}/{movie_id}/versions/1/cancel"
    assert (await client.post(path, headers=engineer.headers)).status_code == 204
    title = (await client.get(f"{TITLES}/{movie_id}", headers=engineer.headers)).json()
    assert (title["state"], title["reason"]) == ("cancelled", "Preparing the film was cancelled.")
    upload = await client.get(f"/api/v1/uploads/{title['newest_version']['upload_id']}", headers=engineer.headers)
    assert (upload.json()["state"], upload.json()["reason"]) == ("cancelled", "Preparing the film was cancelled.")
    again = await client.post(path, headers=engineer.headers)
    assert (again.status_code, again.json()["code"]) == (409, "version-not-in-work")
    assert again.json()["detail"] == "Version 1 cannot be cancelled. Preparing the film was cancelled."
    for wrong in (f"{TITLES}/{movie_id}/versions/2/cancel", path.replace(movie_id, "m_vvvvvvvvvvvvvvvvvvvv")):
        assert (await client.post(wrong, headers=engineer.headers)).status_code == 404


async def test_cancelling_a_replacement_leaves_the_film_playing(
    client: Client, engineer: Person, viewer: Person, seed: Seeder, stores: Stores
) -> None:
    movie_id = await seed.playable("Mlk replaced")
    await mark_completed(
        stores.catalogue.uploads, await stores.catalogue.uploads.open(new_upload(movie_id=movie_id), None)
    )
    old = await client.post(f"{TITLES}/{movie_id}/versions/1/cancel", headers=engineer.headers)
    assert (old.status_code, old.json()["detail"]) == (409, "Version 1 cannot be cancelled. The film can be played.")
    assert (await client.post(f"{TITLES}/{movie_id}/versions/2/cancel", headers=engineer.headers)).status_code == 204
    title = (await client.get(f"{TITLES}/{movie_id}", headers=engineer.headers)).json()
    assert (title["state"], title["active_version"], title["newest_version"]["state"]) == ("playable", 1, "cancelled")
    stream = await client.get("/api/v1/stream", params={"movie_id": movie_id}, headers=viewer.headers)
    assert stream.status_code == 200, "the film that plays was taken with the cancelled one"


async def test_cancelling_a_version_on_its_way_up_ends_the_upload(client: Client, engineer: Person) -> None:
    body = {"file_name": "Jih.mp4", "size_bytes": 9, "title": "Jih going up"}
    opened = (await client.post("/api/v1/uploads", json=body, headers=engineer.headers)).json()
    path = f"{TITLES}/{opened['movie_id']}/versions/1/cancel"
    assert (await client.post(path, headers=engineer.headers)).status_code == 204
    assert (await client.get(f"{TITLES}/{opened['movie_id']}", headers=engineer.headers)).status_code == 404
    upload = (await client.get(f"/api/v1/uploads/{opened['upload_id']}", headers=engineer.headers)).json()
    assert upload["upload_state"] == "aborted"
    assert (await client.post(path, headers=engineer.headers)).status_code == 404


async def test_of_cancellations_at_once_one_does_it(
    client: Client, concurrent: ConcurrentClient, engineer: Person, seed: Seeder
) -> None:
    path = f"{TITLES}/{await seed.ingesting('Gfe')}/versions/1/cancel"
    answers = await asyncio.gather(*(concurrent.post(path, headers=engineer.headers) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409]
