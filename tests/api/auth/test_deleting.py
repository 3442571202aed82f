"""Deleting a profile and the account, as a client sees it; what a deleted account still holds works nowhere, or to no effect."""

import asyncio
from urllib.parse import urlsplit

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.auth.ended_sessions import EndedSessions
from marquee.domain.ids import new_profile_id
from marquee.stores.opened import Stores
from tests.api.conftest import PASSWORD, People, Person
from tests.harness.api.at_once import ConcurrentClient
from tests.harness.api.seeding import Seeder
from tests.harness.api.telemetry import batch, begin

Client = AsyncTestClient[Litestar]


async def _delete(client: Client, person: Person, password: object = PASSWORD) -> tuple[int, str | None]:
    answer = await client.request("DELETE", "/api/v1/accounts/me", json={"password": password}, headers=person.headers)
    return answer.status_code, None if answer.status_code == 204 else answer.json()["field"]


async def test_an_account_is_deleted_by_its_password_alone(
    client: Client, people: People, stores: Stores, seed: Seeder
) -> None:
    person = await people.join()
    login = {"email": person.email, "password": PASSWORD}
    refresh_token = (await client.post("/api/v1/sessions", json=login)).json()["refresh_token"]
    playback = await begin(client, person, await seed.playable("Watched to the last"))
    assert await _delete(client, person, "a wrong password") == (400, "password")
    assert await _delete(client, person, "") == (400, "password")
    without = await client.request("DELETE", "/api/v1/accounts/me", headers=person.headers)
    assert without.status_code in (400, 415), "an account is deleted without a password"
    assert await stores.accounts.by_id(person.account_id) is not None
    assert await _delete(client, person) == (204, None)
    assert (await client.post("/api/v1/sessions", json=login)).status_code == 401
    refused = await client.post("/api/v1/sessions/refresh", json={"refresh_token": refresh_token})
    assert refused.status_code == 401, "a refresh token of a deleted account works"
    ended = EndedSessions(stores.sessions, token_seconds=900)
    await ended.read()
    assert _session_of(person) in ended, "its access tokens go on until they expire"
    told = await client.post(playback.path, json=batch({"kind": "attempt"}))
    assert told.status_code == 204, "a player without a login is told of nothing"
    assert person.profile_id in (await stores.lake.erased()).profile_ids, "what it tells would be kept"
    # Until the end of its session is known here, the access token reads nothing of the account, and a second time is no fault.
    for method, path, body in (
        ("GET", "/api/v1/accounts/me", None),
        ("POST", "/api/v1/accounts/me/profiles", {"name": "New"}),
        ("DELETE", "/api/v1/accounts/me", {"password": PASSWORD}),
        ("POST", "/api/v1/accounts/password", {"current_password": PASSWORD, "new_password": "another secret 7"}),
    ):
        answer = await client.request(method, path, json=body, headers=person.headers)
        assert answer.status_code == 401, f"{method} {path}: {answer.text}"


async def test_an_account_deletes_only_so_many_profiles_an_hour(
    client: Client, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.auth.attempts.PROFILE_DELETIONS_AN_HOUR", 2)
    person = await people.join()
    answers = []
    for number in range(3):
        body = {"name": f"Again {number}"}
        added = (await client.post("/api/v1/accounts/me/profiles", json=body, headers=person.headers)).json()
        path = f"/api/v1/accounts/me/profiles/{added['profile_id']}"
        answers.append(await client.delete(path, headers=person.headers))
    assert [answer.status_code for answer in answers] == [204, 204, 429], "a viewer keeps the lake busy without end"
    assert int(answers[-1].headers["retry-after"]) > 0


def _session_of(person: Person) -> str:
    import jwt

    return str(jwt.decode(person.token, options={"verify_signature": False})["sid"])


async def test_a_profile_is_deleted_but_not_the_only_one_and_nobody_elses(client: Client, people: People) -> None:
    person, stranger = await people.join(), await people.join()

    async def delete(who: Person, profile_id: str) -> tuple[int, str | None]:
        answer = await client.delete(f"/api/v1/accounts/me/profiles/{profile_id}", headers=who.headers)
        return answer.status_code, None if answer.status_code == 204 else answer.json()["code"]

    account = (await client.get("/api/v1/accounts/me", headers=person.headers)).json()
    [other] = [one["profile_id"] for one in account["profiles"] if one["profile_id"] != person.profile_id]
    assert await delete(stranger, other) == (404, "profile-unknown")
    assert await delete(person, new_profile_id()) == (404, "profile-unknown")
    assert await delete(person, "p_nobody") == (400, "input-invalid")
    assert await delete(person, other) == (204, None)
    assert await delete(person, other) == (204, None), "a repeat after a lost answer is a fault"
    assert await delete(person, person.profile_id) == (400, "input-invalid"), "an account without a profile"
    left = (await client.get("/api/v1/accounts/me", headers=person.headers)).json()["profiles"]
    assert [one["profile_id"] for one in left] == [person.profile_id]


async def test_two_deletions_at_once_and_an_upload_under_way(
    client: Client, concurrent: ConcurrentClient, people: People, engineer: Person, stores: Stores
) -> None:
    person = await people.join("engineer")
    body = {"file_name": "Begun.mp4", "size_bytes": 9 * 1024 * 1024}
    opened = (await client.post("/api/v1/uploads", json=body, headers=person.headers)).json()
    answers = await asyncio.gather(
        *(
            concurrent.request("DELETE", "/api/v1/accounts/me", json={"password": PASSWORD}, headers=person.headers)
            for _ in range(2)
        )
    )
    assert {answer.status_code for answer in answers} <= {204, 401}, [answer.text for answer in answers]
    assert 204 in {answer.status_code for answer in answers}
    listed = await client.get(f"/api/v1/uploads/{opened['upload_id']}", headers=engineer.headers)
    assert listed.status_code == 200, f"the upload is lost, or its page fails without an uploader: {listed.text}"
    titles = await client.get("/api/v1/titles", params={"q": "Begun"}, headers=engineer.headers)
    assert titles.status_code == 200, titles.text
    assert urlsplit(str(titles.url)).path == "/api/v1/titles"
