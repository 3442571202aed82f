"""Notes in the API: engineers get all of them with stream and figures, viewers only what concerns them."""

from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.notes import NoteStream, note
from marquee.stores.opened import Stores
from tests.api.conftest import Person
from tests.harness.api.seeding import Seeder

Client = AsyncTestClient[Litestar]
TOLD = {
    "source": [
        note("data-left-out", NoteStream(kind="data", index=2), index=2, format="tmcd"),
        note("silent", why="the only sound is AC-4, which cannot be decoded"),
    ],
    "subtitles": [
        note("subtitles-are-teletext", NoteStream(kind="subtitle", index=3, language="swe"), index=3, track="Swedish")
    ],
}


async def test_engineers_get_every_note_of_a_title_and_viewers_what_concerns_them(
    client: Client, viewer: Person, engineer: Person, seed: Seeder, stores: Stores
) -> None:
    movie_id, plain = await seed.playable("Silent"), await seed.playable("Plain")
    await stores.catalogue.versions.set_notes(movie_id, 1, TOLD)
    path = f"/api/v1/titles/{movie_id}"
    told = (await client.get(path, headers=engineer.headers)).json()["notes"]
    assert [one["code"] for one in told] == ["silent", "subtitles-are-teletext", "data-left-out"], "by severity"
    assert told[1] == {
        "code": "subtitles-are-teletext",
        "severity": "warning",
        "sentence": "Subtitle track 3 (Swedish) is left out: it is teletext.",
        "stream": {"kind": "subtitle", "index": 3, "language": "swe"},
        "figures": {"index": 3, "track": "Swedish"},
    }
    shown = (await client.get(path, headers=viewer.headers)).json()["notes"]
    assert shown == [
        {"code": "silent", "severity": "serious", "sentence": "This film has no sound.", "stream": None, "figures": {}}
    ], "a viewer is shown what only the uploader can use"
    assert (await client.get(f"/api/v1/titles/{plain}", headers=engineer.headers)).json()["notes"] == []
    listed = (await client.get("/api/v1/titles", params={"limit": 100}, headers=engineer.headers)).json()["titles"]
    counted = {one["movie_id"]: len(one["notes"]) for one in listed}
    assert (counted[movie_id], counted[plain]) == (3, 0)
    edited = await client.patch(path, json={"year": 1999}, headers=engineer.headers)
    assert edited.json()["notes"] == told, "an edit's answer lost the notes"


async def test_an_upload_has_the_notes_so_far_also_when_it_was_refused(
    client: Client, engineer: Person, stores: Stores
) -> None:
    body = {"file_name": "film.mp4", "size_bytes": 1000, "resume": False}
    opened = (await client.post("/api/v1/uploads", json=body, headers=engineer.headers)).json()
    path = f"/api/v1/uploads/{opened['upload_id']}"
    assert (await client.get(path, headers=engineer.headers)).json()["notes"] == []
    await stores.catalogue.versions.set_notes(opened["movie_id"], opened["version"], TOLD)
    notes = (await client.get(path, headers=engineer.headers)).json()["notes"]
    assert [one["severity"] for one in notes] == ["serious", "warning", "info"]
    assert (await client.delete(path, headers=engineer.headers)).status_code == 204
    assert (await client.get(path, headers=engineer.headers)).json()["notes"] == []
