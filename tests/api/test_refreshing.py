"""Refreshing, listing and ending sessions over HTTP: by an app with the token in the body, and by the web client's cookie."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.auth.cookies import COOKIE_PATH, BrowserCookies, cookies_of
from marquee.settings import Settings
from tests.api.conftest import PASSWORD, People, Person

Client = AsyncTestClient[Litestar]
Json = dict[str, Any]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def cookies(api_settings: Settings) -> BrowserCookies:
    return cookies_of(api_settings.public)


@pytest.fixture(scope="module")
def page(cookies: BrowserCookies) -> dict[str, str]:
    """The header that a browser adds to a request of the web client's page."""
    return {"Origin": min(cookies.origins)}


async def log_in(client: httpx.AsyncClient, person: Person, **more: object) -> Json:
    answer = await client.post("/api/v1/sessions", json={"email": person.email, "password": PASSWORD, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def refresh(client: httpx.AsyncClient, token: str, **more: object) -> httpx.Response:
    return await client.post("/api/v1/sessions/refresh", json={"refresh_token": token, **more})


def bearer(session: Json) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def test_ten_refreshes_at_once_go_on_with_one_token(
    client: Client, concurrent: httpx.AsyncClient, people: People
) -> None:
    session = await log_in(client, await people.join())
    answers = await asyncio.gather(*(refresh(concurrent, session["refresh_token"]) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1, "there are several successors"
    assert len({answer.json()["access_token"] for answer in answers}) == 10, "access tokens have to be fresh"
    assert {answer.json()["session_id"] for answer in answers} == {session["session_id"]}
    after = await refresh(client, answers[0].json()["refresh_token"])
    assert after.status_code == 201, after.text
    assert after.json()["profile_id"] == session["profile_id"], "a refresh has to keep the profile"


async def test_a_wrong_profile_uses_nothing_up(client: Client, people: People) -> None:
    person, other = await people.join(), await people.join()
    session = await log_in(client, person)
    for wrong in (other.profile_id, "p_" + "0" * 20):
        refused = await refresh(client, session["refresh_token"], profile_id=wrong)
        assert (refused.status_code, refused.json()["field"]) == (400, "profile_id")
    assert (await refresh(client, session["refresh_token"])).status_code == 201


async def test_the_access_token_names_its_session(client: Client, people: People) -> None:
    session = await log_in(client, await people.join())
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    assert claims["sid"] == session["session_id"]


async def test_sessions_are_listed_with_their_devices_to_their_own_account_alone(
    client: Client, people: People
) -> None:
    person, stranger = await people.join(), await people.join()
    phone = await log_in(client, person, device_name="Zoe's phone\u202e\x07")
    listed = (await client.get("/api/v1/sessions", headers=bearer(phone))).json()["sessions"]
    assert [each["current"] for each in listed] == [True, False]
    assert listed[0]["session_id"] == phone["session_id"]
    assert listed[0]["device"] == "Zoe's phone"
    assert listed[1]["device"] not in ("", "Unknown device"), "without a name the User-Agent says what it is"
    assert all(each["created_at"] and each["last_used_at"] for each in listed)
    theirs = (await client.get("/api/v1/sessions", headers=stranger.headers)).json()["sessions"]
    assert not {each["session_id"] for each in theirs} & {each["session_id"] for each in listed}


async def test_one_session_is_ended_and_no_strangers(client: Client, people: People) -> None:
    person, stranger = await people.join(), await people.join()
    session = await log_in(client, person)
    address = f"/api/v1/sessions/{session['session_id']}"
    refused = await client.delete(address, headers=stranger.headers)
    unknown = await client.delete("/api/v1/sessions/s_" + "0" * 20, headers=stranger.headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "session-unknown")
    assert refused.json()["detail"] == unknown.json()["detail"], "the answer tells that the session exists"
    assert (await client.delete(address)).status_code == 401
    assert (await client.delete(address, headers=person.headers)).status_code == 204
    assert (await client.delete(address, headers=person.headers)).status_code == 404
    assert (await refresh(client, session["refresh_token"])).status_code == 401
    still = (await client.get("/api/v1/sessions", headers=person.headers)).json()["sessions"]
    assert [each["current"] for each in still] == [True], "another session ended too"


@pytest.mark.parametrize("session_id", ["x", "s_", "s_" + "z" * 20, "m_" + "0" * 20, "s_" + "0" * 21, "%00"])
async def test_what_is_no_session_id_is_refused(client: Client, viewer: Person, session_id: str) -> None:
    answer = await client.delete(f"/api/v1/sessions/{session_id}", headers=viewer.headers)
    assert answer.status_code in (400, 404), answer.text


# --- the cookie form ---


def given_cookie(answer: httpx.Response, cookies: BrowserCookies) -> str:
    """The refresh token in an answer's cookie, whose attributes are checked."""
    [header] = [each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{cookies.refresh}=")]
    words = [word.strip() for word in header.split(";")]
    token = words[0].partition("=")[2]
    assert {"httponly", "samesite=strict", f"path={COOKIE_PATH}"} <= {word.lower() for word in words}, words
    return token


async def test_the_web_clients_token_is_in_a_cookie_and_nowhere_else(
    client: Client, people: People, cookies: BrowserCookies, page: dict[str, str]
) -> None:
    person = await people.join()
    body = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
    answer = await client.post("/api/v1/sessions", json=body, headers=page)
    assert answer.status_code == 201, answer.text
    token = given_cookie(answer, cookies)
    client.cookies.clear()
    assert answer.json()["refresh_token"] is None
    assert token not in answer.text
    headers = {**page, "Cookie": f"{cookies.refresh}={token}"}
    refreshed = await client.post("/api/v1/sessions/refresh", json={"transport": "cookie"}, headers=headers)
    assert refreshed.status_code == 201, refreshed.text
    successor = given_cookie(refreshed, cookies)
    client.cookies.clear()
    assert successor not in (token, "")
    assert successor not in refreshed.text
    out = await client.delete("/api/v1/sessions/current", headers={**page, "Cookie": f"{cookies.refresh}={successor}"})
    assert out.status_code == 204
    assert given_cookie(out, cookies) in ("", '""'), "the browser keeps its cookie"
    client.cookies.clear()
    assert (await refresh(client, successor)).status_code == 401, "logging out left the session alive"


Request = Callable[[httpx.AsyncClient, dict[str, str]], Any]


def by_cookie(token: str, cookies: BrowserCookies) -> dict[str, Request]:
    cookie = {"Cookie": f"{cookies.refresh}={token}"}
    return {
        "refresh": lambda client, origin: client.post(
            "/api/v1/sessions/refresh", json={"transport": "cookie"}, headers={**cookie, **origin}
        ),
        "log out": lambda client, origin: client.delete("/api/v1/sessions/current", headers={**cookie, **origin}),
    }


async def test_an_answer_that_arrives_last_leaves_no_older_cookie(
    client: Client, people: People, cookies: BrowserCookies, page: dict[str, str]
) -> None:
    person = await people.join()
    body = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
    made = await client.post("/api/v1/sessions", json=body, headers=page)
    given = [made.cookies[cookies.refresh]]
    for _ in range(4):
        client.cookies.clear()
        header = {**page, "Cookie": f"{cookies.refresh}={given[-1]}"}
        answer = await client.post("/api/v1/sessions/refresh", json={"transport": "cookie"}, headers=header)
        assert answer.status_code == 201, answer.text
        given.append(answer.cookies[cookies.refresh])
    client.cookies.clear()
    assert given[1] != given[0], "a login's token is used once"
    assert len(set(given[1:])) == 1, "a page that is loaded again and again must not race with its own cookies"


@pytest.mark.parametrize(
    "origin", [{}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:1"}]
)
async def test_no_other_page_acts_by_the_cookie(
    client: Client, people: People, cookies: BrowserCookies, origin: dict[str, str]
) -> None:
    person = await people.join()
    session = await log_in(client, person)
    for name, send in by_cookie(session["refresh_token"], cookies).items():
        answer = await send(client, origin)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin-refused"), f"{name} got {answer.text}"
        assert "set-cookie" not in answer.headers
    body = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
    answer = await client.post("/api/v1/sessions", json=body, headers=origin)
    assert answer.status_code == 403, "another page could log a viewer in to its own account"
    unharmed = await refresh(client, session["refresh_token"])
    assert unharmed.status_code == 201, "a refused request used the token up"


async def test_a_form_of_another_page_does_nothing(
    client: Client, people: People, cookies: BrowserCookies, page: dict[str, str]
) -> None:
    session = await log_in(client, await people.join())
    headers = {**page, "Cookie": f"{cookies.refresh}={session['refresh_token']}"}
    for content_type, content in ((FORM, "transport=cookie"), ("text/plain", '{"transport":"cookie"}')):
        answer = await client.post(
            "/api/v1/sessions/refresh", content=content, headers={**headers, "Content-Type": content_type}
        )
        assert answer.status_code == 415, f"a browser sends {content_type} to other sites without asking first"


async def test_the_body_form_needs_no_origin_and_ignores_cookies(
    client: Client, people: People, cookies: BrowserCookies
) -> None:
    one, two = await log_in(client, await people.join()), await log_in(client, await people.join())
    headers = {"Cookie": f"{cookies.refresh}={one['refresh_token']}", "Origin": "http://elsewhere.example"}
    answer = await client.post(
        "/api/v1/sessions/refresh", json={"refresh_token": two["refresh_token"]}, headers=headers
    )
    assert answer.json()["session_id"] == two["session_id"]
    assert answer.json()["refresh_token"]
    assert "set-cookie" not in answer.headers
    empty = await client.post("/api/v1/sessions/refresh", json={}, headers=headers)
    assert (empty.status_code, empty.json()["field"]) == (400, "refresh_token"), "the cookie was used unasked"


async def test_a_token_from_before_moves_into_the_cookie(
    client: Client, people: People, cookies: BrowserCookies, page: dict[str, str]
) -> None:
    """What the web client does once with the token that its 0.1.0 kept in localStorage."""
    old, other = await log_in(client, await people.join()), await log_in(client, await people.join())
    headers = {**page, "Cookie": f"{cookies.refresh}={other['refresh_token']}"}
    body = {"refresh_token": old["refresh_token"], "transport": "cookie"}
    answer = await client.post("/api/v1/sessions/refresh", json=body, headers=headers)
    assert answer.json()["session_id"] == old["session_id"], "of two tokens the one in the body counts"
    assert answer.json()["refresh_token"] is None
    token = given_cookie(answer, cookies)
    client.cookies.clear()
    assert (await refresh(client, token)).status_code == 201
    assert (await refresh(client, other["refresh_token"])).status_code == 201, "the cookie's token was used as well"


@pytest.mark.parametrize("value", ["", "x", "x" * 8000, "\xff\xfe", "'; DROP TABLE session; --"])
async def test_a_cookie_that_is_no_token_is_a_401(
    client: Client, cookies: BrowserCookies, page: dict[str, str], value: str
) -> None:
    headers = [*page.items(), ("Cookie", f"{cookies.refresh}={value}".encode("latin-1"))]
    answer = await client.post("/api/v1/sessions/refresh", json={"transport": "cookie"}, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_cookie_of_another_ports_platform_is_not_ours(
    client: Client, people: People, page: dict[str, str]
) -> None:
    session = await log_in(client, await people.join())
    headers = {**page, "Cookie": f"marquee_refresh_1={session['refresh_token']}"}
    answer = await client.post("/api/v1/sessions/refresh", json={"transport": "cookie"}, headers=headers)
    assert answer.status_code == 401
