"""Subtitle files over the API: bytes of any encoding, what name and request say, and what is refused before the film."""

import base64

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.stores.opened import Stores
from tests.api.conftest import People
from tests.harness.media.sentences import SENTENCES, subrip

Client = AsyncTestClient[Litestar]


async def _opened(client: Client, people: People, name: str) -> tuple[str, dict[str, str]]:
    person = await people.join("engineer")
    answer = await client.post("/api/v1/uploads", json={"file_name": name, "size_bytes": 10}, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return f"/api/v1/uploads/{answer.json()['upload_id']}/sidecars", person.headers


def _sent(text: str, encoding: str, **fields: object) -> dict[str, object]:
    return {"content": base64.b64encode(text.encode(encoding)).decode(), **fields}


async def test_bytes_are_kept_and_their_encoding_is_found_with_the_names_language(
    client: Client, people: People, stores: Stores
) -> None:
    path, headers = await _opened(client, people, "bytes.mp4")
    text = subrip(SENTENCES["ru"])
    answer = await client.post(path, json=_sent(text, "cp1251", file_name="film.ru.forced.srt"), headers=headers)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert {
        name: said[name] for name in ("language", "label", "encoding", "encoding_guessed", "forced", "first_line")
    } == {
        "language": "ru",
        "label": "Russian (forced)",
        "encoding": "windows-1251",
        "encoding_guessed": True,
        "forced": True,
        "first_line": SENTENCES["ru"][0],
    }
    assert [note["code"] for note in said["notes"]] == ["text-encoding-guessed"]
    [kept] = (await stores.catalogue.uploads.get(path.split("/")[-2])).sidecars
    assert await stores.objects.get(kept.key) == text.encode("cp1251"), "the bytes were changed"
    assert (kept.encoding, kept.label, kept.forced) == ("cp1251", None, True)


async def test_the_request_overrides_the_name(client: Client, people: People) -> None:
    path, headers = await _opened(client, people, "stated.mp4")
    fields = {
        "file_name": "film.en.forced.srt",
        "language": "de",
        "label": "Für alle",
        "forced": False,
        "commentary": True,
    }
    answer = await client.post(path, json=_sent(subrip(["Hallo"]), "utf-16", **fields), headers=headers)
    said = answer.json()
    assert (said["language"], said["label"], said["forced"], said["commentary"]) == ("de", "Für alle", False, True)
    assert (said["encoding_guessed"], said["notes"]) == (False, [])


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"content": base64.b64encode(subrip(["Café"]).encode("cp1252")).decode()}, 422, "windows-1252"),
        ({"content": base64.b64encode(b"\x00\x01\x02\x00").decode()}, 422, "is not text"),
        ({"content": base64.b64encode(b"<SAMI><BODY></SAMI>").decode()}, 422, "SAMI"),
        ({"encoding": "klingon"}, 422, "klingon"),
        ({"encoding": "utf-16"}, 422, "utf-16"),
        ({"encoding": "base64"}, 422, "base64"),
        ({"content": "no base64!"}, 400, "content"),
        ({"content": ""}, 400, "content"),
        ({"content": None}, 400, "either"),
        ({"text": "1"}, 400, "either"),
        ({"file_name": "film.smi"}, 415, ".srt"),
        ({"content": base64.b64encode(bytes(3_500_001)).decode()}, 400, "content"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_remedy(
    client: Client, people: People, change: dict[str, object], status: int, words: str
) -> None:
    path, headers = await _opened(client, people, "refused.mp4")
    good = _sent(subrip(["Hello"]), "utf-8", file_name="film.srt")
    answer = await client.post(path, json={**good, **change}, headers=headers)
    assert answer.status_code == status, answer.text
    assert words in answer.text
    if status == 422:
        assert answer.json()["code"] == "subtitles-refused"
        assert "film.srt" in answer.json()["detail"]
    assert (await client.post(path, json=good, headers=headers)).status_code == 201, "a refused file blocks the upload"


@pytest.mark.parametrize(
    "text", ["Dear Sir or Madam,\n", "\n\n", "WEBVTT\n\nNOTE nothing\n", "1\n00:00:05,000 --> 00:00:02,000\nBack\n"]
)
async def test_a_file_without_a_cue_is_refused_before_the_film(text: str, client: Client, people: People) -> None:
    path, headers = await _opened(client, people, "prose.mp4")
    answer = await client.post(path, json=_sent(text, "utf-8", file_name="film.en.srt"), headers=headers)
    assert answer.status_code == 422
    assert "film.en.srt has no cue that can be read: save it as SubRip" in answer.text
    assert answer.json()["errors"][0]["field"] == "content"


async def test_ttml_is_taken_with_its_declared_encoding(client: Client, people: People) -> None:
    path, headers = await _opened(client, people, "ttml.mp4")
    text = (
        '<?xml version="1.0" encoding="iso-8859-1"?><tt xmlns="http://www.w3.org/ns/ttml"><body><div>'
        '<p begin="1s" end="2s">Café</p></div></body></tt>'
    )
    answer = await client.post(path, json=_sent(text, "latin-1", file_name="film.fr.ttml"), headers=headers)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["first_line"], answer.json()["encoding_guessed"]) == ("Café", False)


async def test_a_client_of_an_earlier_release_gets_the_languages_name(client: Client, people: People) -> None:
    path, headers = await _opened(client, people, "older.mp4")
    for sent, label in (("de", "German"), ("und", "French")):
        body = {"file_name": "film.fr.srt", "language": sent, "label": sent, "text": subrip(["Ça va"])}
        answer = await client.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["label"]) == (201, label), answer.text
        assert answer.json()["encoding_guessed"] is False
