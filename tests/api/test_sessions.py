"""Accounts and logins: registering, logging in, tokens, profiles, and what guessers of passwords get."""

import statistics
import time
from datetime import UTC, datetime

import jwt
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from pydantic import SecretStr

from api.app import create_app
from api.auth.attempts import account_key
from api.auth.keys import keys_of
from api.auth.tokens import AccessTokens
from marquee.errors import NotAuthenticated, SettingsInvalid
from marquee.settings import Settings
from marquee.stores.accounts.contract import Account
from tests.api.conftest import PASSWORD, People, Person

Client = AsyncTestClient[Litestar]


async def test_a_person_registers_logs_in_and_sees_the_profiles(client: Client) -> None:
    body = {"email": "New.Person@example.org", "password": PASSWORD, "profiles": ["Kid", "Me"]}
    registered = await client.post("/api/v1/accounts", json=body)
    assert registered.status_code == 201, registered.text
    assert [profile["name"] for profile in registered.json()["profiles"]] == ["Kid", "Me"]
    assert registered.json()["role"] == "viewer", "registering must never make more than a viewer"
    again = await client.post("/api/v1/accounts", json={**body, "email": "new.person@EXAMPLE.org"})
    assert again.status_code == 409, "the same address in another case made a second account"
    session = await client.post("/api/v1/sessions", json={"email": "new.person@example.org", "password": PASSWORD})
    assert session.status_code == 201, session.text
    me = await client.get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {session.json()['access_token']}"})
    assert me.json()["account_id"] == registered.json()["account_id"]


def test_another_spelling_of_an_address_gives_no_further_guesses() -> None:
    for spelling in (" Anna@Example.org", "ANNA@example.ORG", "\uff41nna@example.org"):
        assert account_key(spelling) == account_key("anna@example.org"), f"{spelling!r} is counted apart"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cursor_secret", ""),
        ("edge_secret", ""),
        ("token_private_key", ""),
        ("token_private_key", "bm90IGEga2V5"),
        ("token_private_key", "not even base64!"),
    ],
)
def test_without_its_secrets_the_api_does_not_start(api_settings: Settings, name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        create_app(api_settings.model_copy(update={name: SecretStr(value)}))
    assert refused.value.field == f"MARQUEE_{name.upper()}"


async def test_the_published_key_set_verifies_the_token_and_its_claims(
    client: Client, viewer: Person, api_settings: Settings
) -> None:
    keys = jwt.PyJWKSet.from_dict((await client.get("/.well-known/jwks.json")).json())
    header = jwt.get_unverified_header(viewer.token)
    claims = jwt.decode(viewer.token, keys[header["kid"]].key, algorithms=["EdDSA"], issuer="marquee")
    assert claims["sub"] == viewer.account_id
    assert claims["profile"] == viewer.profile_id
    assert claims["role"] == "viewer"
    assert claims["exp"] - claims["iat"] == api_settings.access_token_seconds
    assert claims["jti"]


async def test_tokens_that_are_forged_expired_or_of_no_algorithm_are_refused(client: Client, viewer: Person) -> None:
    payload = jwt.decode(viewer.token, options={"verify_signature": False})
    own_key = "k" * 40
    forged = {
        "none": jwt.encode(payload, None, algorithm="none"),
        "hmac": jwt.encode(payload, own_key, algorithm="HS256"),
        "changed": viewer.token[:-4] + ("AAAA" if not viewer.token.endswith("AAAA") else "BBBB"),
        "half": viewer.token.rsplit(".", 1)[0],
        "words": "not a token",
    }
    for kind, token in forged.items():
        answer = await client.get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, f"a token that is {kind} was accepted"
        assert answer.headers["www-authenticate"].startswith("Bearer"), "a 401 has to name its scheme"
    assert (await client.get("/api/v1/accounts/me")).status_code == 401


async def test_an_expired_token_is_refused_even_if_it_was_verified_before(api_settings: Settings) -> None:
    now = time.time()
    tokens = AccessTokens(keys_of(api_settings, follow=False), life_seconds=60, clock=lambda: now)
    token = tokens.issue(Account("a_1", "x@example.org", "", "viewer", datetime.now(UTC), ()), "p_1", "s_1")
    assert tokens.read(token).role == "viewer"
    now += 61
    with pytest.raises(NotAuthenticated):
        tokens.read(token)


async def test_logging_out_and_changing_the_password_end_the_refresh_tokens(client: Client, people: People) -> None:
    person = await people.join()
    login = {"email": person.email, "password": PASSWORD}
    session = (await client.post("/api/v1/sessions", json=login)).json()
    assert (await client.delete("/api/v1/sessions", headers=person.headers)).status_code == 204
    gone = await client.post("/api/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert gone.status_code == 401, "logging out left a refresh token alive"
    # The access token of before stops soon.
    session = (await client.post("/api/v1/sessions", json=login)).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    wrong = await client.post(
        "/api/v1/accounts/password",
        json={"current_password": "not it at all", "new_password": "another long secret"},
        headers=headers,
    )
    assert (wrong.status_code, wrong.json()["field"]) == (400, "current_password")
    for easy in ("password123", person.email):
        weak = await client.post(
            "/api/v1/accounts/password",
            json={"current_password": PASSWORD, "new_password": easy},
            headers=headers,
        )
        assert (weak.status_code, weak.json()["field"]) == (400, "new_password"), "the request has no such field"
    changed = await client.post(
        "/api/v1/accounts/password",
        json={"current_password": PASSWORD, "new_password": "another long secret"},
        headers=headers,
    )
    assert changed.status_code == 204, changed.text
    gone = await client.post("/api/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert gone.status_code == 401, "changing the password left a refresh token alive"
    assert (await client.post("/api/v1/sessions", json=login)).status_code == 401
    new = {"email": person.email, "password": "another long secret"}
    assert (await client.post("/api/v1/sessions", json=new)).status_code == 201


async def test_another_profile_is_chosen_by_refreshing_with_its_id(client: Client, people: People) -> None:
    person = await people.join()
    made = await client.post("/api/v1/accounts/me/profiles", json={"name": "Zoe"}, headers=person.headers)
    assert made.status_code == 201, made.text
    login = {"email": person.email, "password": PASSWORD, "profile_id": made.json()["profile_id"]}
    session = (await client.post("/api/v1/sessions", json=login)).json()
    assert session["profile_id"] == made.json()["profile_id"]
    other = await people.join()
    stranger = await client.post("/api/v1/sessions", json={**login, "profile_id": other.profile_id})
    assert (stranger.status_code, stranger.json()["field"]) == (400, "profile_id"), "a stranger's profile was taken"


@pytest.mark.parametrize("password", ["short", "password", "12345678", "aaaaaaaaaaaa", "weak@example.org"])
async def test_a_weak_password_is_refused_and_names_its_field(client: Client, password: str) -> None:
    answer = await client.post("/api/v1/accounts", json={"email": "weak@example.org", "password": password})
    assert (answer.status_code, answer.json()["field"]) == (400, "password"), f"{password!r} was accepted"


async def test_an_unknown_address_takes_as_long_as_a_wrong_password(client: Client, viewer: Person) -> None:
    async def seconds(email: str) -> float:
        begun = time.perf_counter()
        answer = await client.post("/api/v1/sessions", json={"email": email, "password": "wrong wrong wrong"})
        assert answer.status_code == 401
        return time.perf_counter() - begun

    known, unknown = [], []
    for turn in range(5):
        known.append(await seconds(viewer.email))
        unknown.append(await seconds(f"nobody-{turn}@example.org"))
    ratio = statistics.median(unknown) / statistics.median(known)
    assert 0.4 < ratio < 2.5, (
        f"an unknown address answers {ratio:.2f} times as long as a known one: it can be told apart"
    )
