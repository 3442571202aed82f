"""Uploads over a real S3: opened, resumed part by part, verified, completed into the outbox, aborted with nothing left."""

import hashlib
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.domain.lifecycle import FOLLOWED_SENTENCES
from marquee.events import TRANSCODING_JOBS
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.api.conftest import People, Person
from tests.harness.api.seeding import Seeder

Client = AsyncTestClient[Litestar]
PART = 8 * 1024 * 1024
FILM = bytes(range(256)) * (9 * 1024 * 4)
"""9 MiB: two parts."""


async def _open(client: Client, person: Person, **details: object) -> dict[str, Any]:
    body = {"file_name": "Big_Film.2024.mp4", "size_bytes": len(FILM), **details}
    answer = await client.post("/api/v1/uploads", json=body, headers=person.headers)
    assert answer.status_code == 201, answer.text
    opened: dict[str, Any] = answer.json()
    return opened


async def _put(client: Client, person: Person, upload_id: str, number: int, body: bytes) -> dict[str, object]:
    answer = await client.post(f"/api/v1/uploads/{upload_id}/parts", json={"numbers": [number]}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    part = answer.json()["parts"][0]
    assert part["size_bytes"] == len(body), "the API states another size for the part than the file gives it"
    async with httpx.AsyncClient() as http:
        stored = await http.put(part["url"], content=body)
    assert stored.status_code == 200, f"S3 refused the presigned part: {stored.text[:300]}"
    return {"number": number, "size_bytes": len(body), "checksum": hashlib.md5(body).hexdigest()}


async def test_a_film_is_uploaded_resumed_and_handed_to_the_chain(
    client: Client, people: People, stores: Stores
) -> None:
    person = await people.join("engineer")
    opened = await _open(client, person, genres=["science fiction", "Drama"], hot=True)
    assert (opened["parts_total"], opened["part_bytes"], opened["version"]) == (2, PART, 1)
    assert not opened["resumed"]
    upload_id = opened["upload_id"]
    first = await _put(client, person, upload_id, 1, FILM[:PART])

    again = await _open(client, person)
    assert again["resumed"], "the same file was not recognised"
    assert (again["upload_id"], again["movie_id"]) == (upload_id, opened["movie_id"])
    query = {"file_name": "Big_Film.2024.mp4", "size_bytes": len(FILM)}
    listed = await client.get("/api/v1/uploads", params=query, headers=person.headers)
    assert [one["upload_id"] for one in listed.json()["uploads"]] == [upload_id]
    held = await client.get(f"/api/v1/uploads/{upload_id}/parts", headers=person.headers)
    assert held.json()["parts"] == [first], "what S3 holds is not what was sent"

    early = await client.post(f"/api/v1/uploads/{upload_id}/complete", json={"parts": [first]}, headers=person.headers)
    assert (early.status_code, early.json()["code"]) == (422, "parts-mismatch"), "half a film was completed"
    second = await _put(client, person, upload_id, 2, FILM[PART:])
    wrong = {**second, "checksum": "0" * 32}
    spoilt = await client.post(
        f"/api/v1/uploads/{upload_id}/complete", json={"parts": [first, wrong]}, headers=person.headers
    )
    assert spoilt.status_code == 422, "a part with another checksum was accepted"
    for _ in range(2):
        done = await client.post(
            f"/api/v1/uploads/{upload_id}/complete", json={"parts": [second, first]}, headers=person.headers
        )
        assert done.status_code == 200, done.text
        assert (done.json()["state"], done.json()["upload_state"]) == ("ingesting", "completed")
    stored = await stores.objects.head(f"uploads/{upload_id}/source")
    assert stored is not None
    assert stored.size_bytes == len(FILM)
    messages = [one for one in await stores.catalogue.outbox.oldest(limit=100_000) if one.key == opened["movie_id"]]
    assert [one.topic for one in messages] == [TRANSCODING_JOBS], "completing twice has to leave one message"
    title = await stores.catalogue.titles.get(opened["movie_id"])
    assert title.details.title == "Big Film 2024"
    assert list(title.details.genres) == ["Sci-Fi", "Drama"]
    assert title.hot


async def test_another_account_does_not_get_or_touch_the_upload(client: Client, people: People) -> None:
    owner, other = await people.join("engineer"), await people.join("engineer")
    opened = await _open(client, owner, file_name="owned.mp4")
    theirs = await _open(client, other, file_name="owned.mp4")
    assert theirs["upload_id"] != opened["upload_id"], "an upload was handed to another account"
    for method, path in (("POST", "parts"), ("GET", "parts"), ("DELETE", "")):
        answer = await client.request(
            method,
            f"/api/v1/uploads/{opened['upload_id']}/{path}".rstrip("/"),
            json={"numbers": [1]} if method == "POST" else None,
            headers=other.headers,
        )
        assert answer.status_code == 403, f"{method} {path} on another's upload got {answer.status_code}"


async def test_a_film_opened_again_is_what_is_said_of_it_now(client: Client, people: People, stores: Stores) -> None:
    person = await people.join("engineer")
    opened = await _open(client, person, title="Wrogn", year=1999, genres=["Drama"], description="Old", hot=True)
    again = await _open(client, person, title="Right", year=None, genres=["Comedy"], hot=False)
    assert (again["upload_id"], again["resumed"]) == (opened["upload_id"], True)
    title = await stores.catalogue.titles.get(opened["movie_id"])
    said = (title.details.title, title.details.year, list(title.details.genres), title.details.description)
    assert said == ("Right", None, ["Comedy"], "Old"), "what was corrected was thrown away"
    assert not title.hot
    assert not (await stores.catalogue.uploads.get(opened["upload_id"])).hot
    await _open(client, person)
    assert await stores.catalogue.titles.get(opened["movie_id"]) == title, "what was not given was changed"


@pytest.mark.parametrize("announced", [False, True])
async def test_a_film_without_a_title_id_does_not_join_a_title_that_exists(
    client: Client, people: People, seed: Seeder, stores: Stores, announced: bool
) -> None:
    person = await people.join("engineer")
    movie_id = await (seed.announced if announced else seed.playable)("Remastered")
    master = await _open(client, person, movie_id=movie_id)
    other = await _open(client, person, title="Another film")
    assert not other["resumed"], "a film became a version of a title that was not named"
    assert other["movie_id"] != movie_id
    assert (await stores.catalogue.titles.get(movie_id)).details.title == "Remastered"
    again = await _open(client, person, movie_id=movie_id, title="Ignored", hot=True)
    assert (again["upload_id"], again["resumed"]) == (master["upload_id"], True), "the newer upload hid this one"
    title = await stores.catalogue.titles.get(movie_id)
    assert (title.details.title, title.hot) == ("Remastered", True)


async def test_a_new_master_makes_a_version_and_not_a_title(client: Client, people: People, seed: Seeder) -> None:
    person = await people.join("engineer")
    movie_id = await seed.playable("Remastered")
    opened = await _open(client, person, movie_id=movie_id)
    assert (opened["movie_id"], opened["version"]) == (movie_id, 2)
    status = await client.get(f"/api/v1/uploads/{opened['upload_id']}", headers=person.headers)
    assert status.json()["state"] == "uploading"
    assert not status.json()["playable"], "the old version plays, but this one does not"
    unknown = await client.post(
        "/api/v1/uploads",
        json={"file_name": "x.mp4", "size_bytes": 9, "movie_id": "m_vvvvvvvvvvvvvvvvvvvv"},
        headers=person.headers,
    )
    assert (unknown.status_code, unknown.json()["field"]) == (404, "movie_id")


async def test_an_aborted_upload_leaves_nothing(client: Client, people: People, stores: Stores) -> None:
    person = await people.join("engineer")
    opened = await _open(client, person, file_name="aborted.mp4")
    upload_id = opened["upload_id"]
    await _put(client, person, upload_id, 1, FILM[:PART])
    sidecar = {"file_name": "aborted.en.srt", "language": "en", "text": "1\n00:00:00,000 --> 00:00:01,000\nHi\n"}
    added = await client.post(f"/api/v1/uploads/{upload_id}/sidecars", json=sidecar, headers=person.headers)
    assert added.status_code == 201, added.text
    for _ in range(2):
        ended = await client.delete(f"/api/v1/uploads/{upload_id}", headers=person.headers)
        assert ended.status_code == 204, ended.text
    assert [one async for one in stores.objects.list(f"uploads/{upload_id}/")] == [], "objects were left behind"
    gone = await client.get(f"/api/v1/titles/{opened['movie_id']}", headers=person.headers)
    assert gone.status_code == 404, "the half-made title was left behind"
    status = await client.get(f"/api/v1/uploads/{upload_id}", headers=person.headers)
    assert (status.json()["state"], status.json()["reason"]) == ("aborted", FOLLOWED_SENTENCES["aborted"])
    late = await client.post(f"/api/v1/uploads/{upload_id}/parts", json={"numbers": [1]}, headers=person.headers)
    assert late.status_code == 409, "an aborted upload still takes parts"


async def test_sidecars_are_kept_once_and_bounded(client: Client, people: People, stores: Stores) -> None:
    person = await people.join("engineer")
    upload_id = (await _open(client, person, file_name="subtitled.mp4"))["upload_id"]
    path = f"/api/v1/uploads/{upload_id}/sidecars"
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nÄ"
    sidecar = {"file_name": "subtitled.de.vtt", "language": "de", "label": "Deutsch", "text": text}
    for _ in range(2):
        assert (await client.post(path, json=sidecar, headers=person.headers)).status_code == 201
    kept = (await stores.catalogue.uploads.get(upload_id)).sidecars
    assert [(one.language, one.label) for one in kept] == [("de", "Deutsch")], "the same subtitles were kept twice"
    assert await stores.objects.get(kept[0].key) == text.encode()
    for change, status in (
        ({"file_name": "a.exe"}, 415),
        ({"text": ""}, 400),
        ({"text": "x" * 2_000_001}, 400),
        ({"text": "x" * (5 * 1024 * 1024)}, 413),
        ({"language": "../en"}, 400),
        ({"language": "en\n"}, 400),
    ):
        answer = await client.post(path, json={**sidecar, **change}, headers=person.headers)
        assert answer.status_code == status, f"a sidecar with {str(change)[:40]} got {answer.status_code}"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"size_bytes": 0}, 422, "source-refused"),
        ({"size_bytes": 100 * 1024 * 1024 + 1}, 413, "upload-too-large"),
        ({"content_type": "text/html"}, 415, "media-type-refused"),
        ({"content_type": "image/png"}, 415, "media-type-refused"),
        ({"file_name": "a_film_called.txt"}, 201, None),
        ({"file_name": "broadcast.ts"}, 201, None),
        ({"file_name": "broadcast.ts", "content_type": "text/vnd.trolltech.linguist"}, 201, None),
        ({"file_name": "no_ending_at_all"}, 201, None),
        ({"file_name": "tape.mxf", "content_type": "application/mxf"}, 201, None),
        ({"file_name": "sound.m4a"}, 201, None),
    ],
)
async def test_size_and_type_are_limited(
    client: Client, engineer: Person, change: dict[str, object], status: int, code: str | None
) -> None:
    answer = await client.post(
        "/api/v1/uploads", json={"file_name": "f.mp4", "size_bytes": 10, **change}, headers=engineer.headers
    )
    assert answer.status_code == status, f"{change} got {answer.status_code}: {answer.text}"
    assert answer.json().get("code") == code


async def test_part_urls_are_bounded(client: Client, engineer: Person) -> None:
    upload_id = (await _open(client, engineer, file_name="bounded.mp4"))["upload_id"]
    for numbers in ([], [0], [3], [1] * 101, [10_001]):
        answer = await client.post(
            f"/api/v1/uploads/{upload_id}/parts", json={"numbers": numbers}, headers=engineer.headers
        )
        assert answer.status_code == 400, f"part numbers {numbers[:3]} got {answer.status_code}"
        assert answer.json()["field"].startswith("numbers")


async def test_an_account_opens_as_many_uploads_as_its_quota_and_is_told_which_are_open(
    client: Client, people: People, api_settings: Settings
) -> None:
    person = await people.join("engineer")
    names = [f"film-{number}.mp4" for number in range(api_settings.upload_max_open + 1)]
    opened = [await _open(client, person, file_name=name) for name in names[:-1]]
    refused = await client.post(
        "/api/v1/uploads", json={"file_name": names[-1], "size_bytes": 9}, headers=person.headers
    )
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    problem = refused.json()
    assert problem["code"] == "upload-quota-exceeded"
    assert names[0] in problem["detail"], "the sentence names what is open"
    assert [(one["upload_id"], one["file_name"]) for one in problem["open_uploads"]] == [
        (one["upload_id"], name) for one, name in zip(opened, names, strict=False)
    ]
    again = await client.post(
        "/api/v1/uploads", json={"file_name": names[0], "size_bytes": len(FILM)}, headers=person.headers
    )
    assert (again.status_code, again.json()["resumed"]) == (201, True), "an open upload is resumed all the same"
    ended = await client.delete(f"/api/v1/uploads/{opened[0]['upload_id']}", headers=person.headers)
    assert ended.status_code == 204
    await _open(client, person, file_name=names[-1])


async def test_a_file_that_no_day_could_take_is_too_large(client: Client, people: People) -> None:
    person = await people.join("engineer")
    body = {"file_name": "vast.mp4", "size_bytes": 2**52}
    assert (await client.post("/api/v1/uploads", json=body, headers=person.headers)).status_code == 413
