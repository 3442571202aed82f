"""Two processes of the API on one PostgreSQL: refreshes of one token at once, and sessions that end in both."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.api.conftest import PASSWORD, People, Person
from tests.harness.api.serving import serving

STOPS_SECONDS = 60.0


@pytest.fixture(scope="module")
def servers(api_settings: Settings, stores: Stores) -> Iterator[list[str]]:
    with serving(api_settings, 1) as one, serving(api_settings, 2) as two:
        yield [one, two]


@pytest.fixture
async def processes(servers: list[str]) -> AsyncIterator[list[httpx.AsyncClient]]:
    clients = [httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=30) for url in servers]
    yield clients
    for client in clients:
        await client.aclose()


async def log_in(process: httpx.AsyncClient, person: Person, password: str = PASSWORD) -> dict[str, str]:
    answer = await process.post("/sessions", json={"email": person.email, "password": password})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearer(session: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def until_refused(process: httpx.AsyncClient, session: dict[str, str]) -> None:
    while True:
        answer = await process.get("/sessions", headers=bearer(session))
        if answer.status_code == 401:
            return
        await asyncio.sleep(0.5)


async def test_ten_refreshes_at_once_in_two_processes_end_with_one_successor(
    processes: list[httpx.AsyncClient], people: People
) -> None:
    session = await log_in(processes[0], await people.join())
    token = session["refresh_token"]
    for _ in range(3):
        answers = await asyncio.gather(
            *(processes[n % 2].post("/sessions/refresh", json={"refresh_token": token}) for n in range(10))
        )
        assert [answer.status_code for answer in answers] == [201] * 10
        successors = {answer.json()["refresh_token"] for answer in answers}
        assert len(successors) == 1, "the processes gave different successors"
        [token] = successors


async def test_a_log_out_beside_refreshes_leaves_nothing_alive(
    processes: list[httpx.AsyncClient], people: People
) -> None:
    session = await log_in(processes[0], await people.join())
    token = session["refresh_token"]
    answers = await asyncio.gather(
        *(processes[n % 2].post("/sessions/refresh", json={"refresh_token": token}) for n in range(4)),
        processes[1].delete("/sessions", headers=bearer(session)),
        *(processes[n % 2].post("/sessions/refresh", json={"refresh_token": token}) for n in range(4)),
    )
    given = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 201}
    for left in {token, *given}:
        refused = await processes[0].post("/sessions/refresh", json={"refresh_token": left})
        assert refused.status_code == 401, "a refresh outlived the log out"


async def test_access_tokens_of_ended_sessions_stop_in_every_process_within_a_minute(
    processes: list[httpx.AsyncClient], people: People, stores: Stores
) -> None:
    """Ended one by one, by a change of password, with the account, and by a stolen refresh token."""
    persons = [await people.join() for _ in range(3)]
    by_id, by_password, by_account = [await log_in(processes[0], person) for person in persons]
    unharmed = await log_in(processes[1], persons[0])
    sessions = {"ended": by_id, "password": by_password, "account": by_account}
    for session in sessions.values():
        for process in processes:
            assert (await process.get("/accounts/me", headers=bearer(session))).status_code == 200
    gone = await processes[1].delete(f"/sessions/{by_id['session_id']}", headers=bearer(unharmed))
    assert gone.status_code == 204
    new = secrets.token_hex(12)
    body = {"current_password": PASSWORD, "new_password": new}
    changed = await processes[0].post("/accounts/password", json=body, headers=bearer(by_password))
    assert changed.status_code == 204, changed.text
    after = await log_in(processes[0], persons[1], new)
    await stores.sessions.end_all(persons[2].account_id)
    async with asyncio.timeout(STOPS_SECONDS):
        for name, session in sessions.items():
            for process in processes:
                await until_refused(process, session)
                answer = await process.get("/home", headers=bearer(session))
                assert answer.status_code == 401, f"{name}: a token works at one address and not at another"
    for session in (unharmed, after):
        for process in processes:
            assert (await process.get("/accounts/me", headers=bearer(session))).status_code == 200, (
                "a session that nobody ended was ended"
            )
