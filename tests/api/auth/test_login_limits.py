"""Guessing passwords: who is slowed, by how much, and who never is."""

import asyncio
import secrets
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import AsyncTestClient
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from api.app import create_app
from api.auth import attempts
from api.auth.attempts import BY_ACCOUNT_AND_ADDRESS
from api.services import Services
from marquee.domain.attempts import AttemptRule
from marquee.domain.client_address import CLIENT_ADDRESS_HEADER
from marquee.platform import local_engines
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.api.conftest import PASSWORD, People, Person
from tests.harness.servers import make_test_settings, running

Client = AsyncTestClient[Litestar]
FEW = AttemptRule(free=3, first_seconds=60, max_seconds=60, forget_seconds=600)


@pytest.fixture
def owners(stores: Stores, client: Client, monkeypatch: pytest.MonkeyPatch) -> People:
    """Accounts whose hashes cost next to nothing: these tests are about counting."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    made = People(stores, client)
    services: Services = client.app.state.services
    for passwords in (made._passwords, services.auth._passwords):
        monkeypatch.setattr(passwords, "_hasher", cheap)
        monkeypatch.setattr(passwords, "_dummy_hash", cheap.hash("the password of no account"))
    return made


@pytest.fixture
def address() -> Callable[[], str]:
    """Makes client addresses that no other test has used."""
    return lambda: f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


def counted_in_process() -> float:
    value = REGISTRY.get_sample_value("marquee_api_attempts_counted_in_process_total")
    assert value is not None, "there is no such metric"
    return value


async def log_in(
    client: httpx.AsyncClient, email: str, address: str, password: str = PASSWORD, device: str | None = None
) -> httpx.Response:
    body = {"email": email, "password": password, **({"device_token": device} if device else {})}
    client.cookies.clear()  # a known device is what the body says
    return await client.post("/api/v1/sessions", json=body, headers={CLIENT_ADDRESS_HEADER: address})


def seconds_of(refused: httpx.Response) -> int:
    """Of a refusal: it is a 429 that names when to come again."""
    assert refused.status_code == 429, refused.text
    seconds = int(refused.headers["retry-after"])
    assert f"{seconds} s" in refused.json()["detail"], "the sentence and the header name different times"
    return seconds


async def test_a_stranger_locks_the_owner_out_of_nothing(
    client: Client, owners: People, address: Callable[[], str]
) -> None:
    owner, home, elsewhere = await owners.join(), address(), address()
    session = (await log_in(client, owner.email, home)).json()
    tried = [await log_in(client, owner.email, elsewhere, f"guess {number}") for number in range(62)]
    judged = Counter(answer.status_code for answer in tried)
    assert set(judged) == {401, 429}
    # Each wait is longer than the one before, so a slow machine does not judge many more.
    assert judged[401] <= BY_ACCOUNT_AND_ADDRESS.free + 5, f"{judged[401]} of 62 guesses were judged"
    assert seconds_of(tried[-1]) <= BY_ACCOUNT_AND_ADDRESS.max_seconds

    known = await log_in(client, owner.email, home, device=session["device_token"])
    assert known.status_code == 201, f"the owner is locked out on a known device: {known.text}"
    beside = await log_in(client, owner.email, elsewhere, device=session["device_token"])
    assert beside.status_code == 201, f"the stranger's address locks the owner's known device: {beside.text}"
    new = await log_in(client, owner.email, address())
    assert new.status_code == 201, f"the owner is locked out on a new device at her own address: {new.text}"
    changed = await client.post(
        "/api/v1/accounts/password",
        json={"current_password": PASSWORD, "new_password": "another long secret"},
        headers={"Authorization": f"Bearer {new.json()['access_token']}", CLIENT_ADDRESS_HEADER: elsewhere},
    )
    assert changed.status_code == 204, f"the owner cannot change her password: {changed.text}"


async def test_guesses_that_come_at_once_are_not_more_than_those_in_a_row(
    concurrent: httpx.AsyncClient, owners: People, address: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "BY_ACCOUNT_AND_ADDRESS", FEW)
    owner, stranger = await owners.join(), address()
    answers = await asyncio.gather(*(log_in(concurrent, owner.email, stranger, f"guess {n}") for n in range(40)))
    judged = Counter(answer.status_code for answer in answers)
    assert set(judged) <= {401, 429}
    assert judged[401] <= FEW.free, f"{judged[401]} guesses passed because they came at once"
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 429)


async def test_waits_do_not_tell_which_addresses_have_an_account(
    client: Client, owners: People, address: Callable[[], str]
) -> None:
    owner = await owners.join()

    async def story(email: str) -> list[tuple[int, str, str | None]]:
        stranger = address()
        answers = [
            await log_in(client, email, stranger, "a wrong guess") for _ in range(BY_ACCOUNT_AND_ADDRESS.free + 2)
        ]
        return [(answer.status_code, answer.json()["detail"], answer.headers.get("retry-after")) for answer in answers]

    assert await story(owner.email) == await story(f"nobody-{secrets.token_hex(4)}@example.org")


async def test_a_right_login_ends_the_count(client: Client, owners: People, address: Callable[[], str]) -> None:
    owner, home = await owners.join(), address()
    for _ in range(3):
        for _ in range(BY_ACCOUNT_AND_ADDRESS.free - 1):
            assert (await log_in(client, owner.email, home, "mistyped")).status_code == 401
        assert (await log_in(client, owner.email, home)).status_code == 201, "few wrong attempts kept the owner waiting"


async def test_right_logins_have_a_bound_too(
    client: Client, owners: People, address: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "LOGINS_A_MINUTE", 3)
    owner, home = await owners.join(), address()
    found = [await log_in(client, owner.email, home) for _ in range(4)]
    assert [answer.status_code for answer in found] == [201] * 3 + [429], "a script with the password hashes for ever"
    device = found[0].json()["device_token"]
    assert (await log_in(client, owner.email, home, device=device)).status_code == 201


async def test_one_password_over_many_accounts_is_slowed_by_address(
    client: Client, owners: People, address: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "BY_ADDRESS", FEW)
    owner, office = await owners.join(), address()
    device = (await log_in(client, owner.email, office)).json()["device_token"]
    for _ in range(2 * FEW.free):
        assert (await log_in(client, owner.email, office)).status_code == 201, "right logins count as wrong ones"
    for number in range(FEW.free):
        sprayed = await log_in(client, f"victim-{number}@example.org", office, "Summer2026!")
        assert sprayed.status_code == 401
    assert seconds_of(await log_in(client, "one-more@example.org", office, "Summer2026!")) <= FEW.max_seconds
    assert (await log_in(client, owner.email, office, device=device)).status_code == 201
    assert (await log_in(client, owner.email, address())).status_code == 201


async def test_an_attack_from_many_addresses_slows_unknown_devices_alone(
    client: Client, owners: People, address: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await owners.join()
    device = (await log_in(client, owner.email, address())).json()["device_token"]
    home, guesser = address(), address()
    assert (await log_in(client, owner.email, home)).status_code == 201
    monkeypatch.setattr(attempts, "BY_ACCOUNT", FEW)
    monkeypatch.setattr(attempts, "NEWCOMER", FEW)
    monkeypatch.setattr(attempts, "BY_ACCOUNT_AND_ADDRESS", replace(FEW, free=100))
    tried = [await log_in(client, owner.email, guesser, "a guess") for _ in range(2 * FEW.free + 1)]
    assert [answer.status_code for answer in tried] == [401] * 2 * FEW.free + [429]
    assert "logged in" in tried[-1].json()["detail"], "the refusal does not name the remedy"
    assert seconds_of(tried[-1]) <= FEW.max_seconds
    assert (await log_in(client, owner.email, address(), device=device)).status_code == 201
    assert (await log_in(client, owner.email, home)).status_code == 201, "the owner waits at home, on a new device"
    assert (await log_in(client, owner.email, address())).status_code == 201, "the owner waits at a new address"


async def test_a_device_token_is_of_one_account_and_counts_its_own_attempts(
    client: Client, owners: People, address: Callable[[], str]
) -> None:
    owner, thief = await owners.join(), await owners.join()
    own = (await log_in(client, owner.email, address())).json()["device_token"]
    second = (await log_in(client, owner.email, address())).json()["device_token"]
    others = (await log_in(client, thief.email, address())).json()["device_token"]
    for token in (others, own[:-4] + "AAAA", "x" * 300):
        stranger = address()
        found = [(await log_in(client, owner.email, stranger, "guess", device=token)).status_code for _ in range(6)]
        assert found[-1] == 429, "a token that is forged or of another account gave further guesses"
    found = [(await log_in(client, owner.email, address(), "guess", device=own)).status_code for _ in range(6)]
    assert found == [401] * 5 + [429], "a device token gives guesses without end"
    assert (await log_in(client, owner.email, address(), device=second)).status_code == 201
    kept = (await log_in(client, owner.email, address(), device=second)).json()["device_token"]
    for _ in range(5):
        await log_in(client, owner.email, address(), "guess", device=second)
    assert (await log_in(client, owner.email, address(), device=kept)).status_code == 429, "a new token is a new device"


async def test_a_browser_is_known_by_its_cookie(client: Client, owners: People, address: Callable[[], str]) -> None:
    owner, elsewhere = await owners.join(), address()
    answer = await log_in(client, owner.email, address())
    cookie = next(each for each in answer.headers.get_list("set-cookie") if "device" in each)
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/api/v1/sessions"):
        assert attribute.lower() in cookie.lower()
    for number in range(8):
        await log_in(client, owner.email, elsewhere, f"guess {number}")
    name, _, value = cookie.partition(";")[0].partition("=")
    login = {"email": owner.email, "password": PASSWORD}
    for sent, status in ((f"{name}={value}", 201), (f"{name}=x; {name}={value}", 429), (f"{name}=%00", 429)):
        client.cookies.clear()
        headers = {CLIENT_ADDRESS_HEADER: elsewhere, "Cookie": sent}
        answer = await client.post("/api/v1/sessions", json=login, headers=headers)
        assert answer.status_code == status, f"the cookie {sent[:40]}: {answer.text}"


async def test_the_password_is_guessed_by_a_stolen_session_a_few_times_only(client: Client, owners: People) -> None:
    owner = await owners.join()
    body = {"current_password": "a guess", "new_password": "another long secret"}
    found = [
        (await client.post("/api/v1/accounts/password", json=body, headers=owner.headers)).status_code for _ in range(7)
    ]
    assert found == [400] * 5 + [429] * 2


async def test_one_address_registers_a_bounded_number_of_accounts(
    client: Client, address: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "REGISTRATIONS", ((2, 60), (3, 3600)))
    greedy = address()

    async def register(at: str) -> httpx.Response:
        body = {"email": f"{secrets.token_hex(6)}@example.org", "password": PASSWORD}
        return await client.post("/api/v1/accounts", json=body, headers={CLIENT_ADDRESS_HEADER: at})

    assert [(await register(greedy)).status_code for _ in range(2)] == [201, 201]
    assert 1 <= seconds_of(await register(greedy)) <= 60
    assert (await register(address())).status_code == 201, "one address used up everybody's new accounts"


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[tuple[Settings, subprocess.Popen[bytes]]]:
    settings = make_test_settings(tmp_path)
    with running(local_engines.valkey_log(settings), tmp_path) as process:
        yield settings, process


async def test_without_the_counters_engine_the_limits_hold(
    own_valkey: tuple[Settings, subprocess.Popen[bytes]],
    api_settings: Settings,
    viewer: Person,
    address: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, process = own_valkey
    monkeypatch.setattr(attempts, "BY_ACCOUNT_AND_ADDRESS", replace(FEW, free=5))
    app = create_app(api_settings.model_copy(update={"coordination_url": settings.coordination}))
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        stranger = address()
        for _ in range(3):
            assert (await log_in(client, viewer.email, stranger, "guess")).status_code == 401
        process.kill()
        process.wait()
        before = counted_in_process()
        with capture_logs() as lines:
            found = [(await log_in(client, viewer.email, stranger, "guess")).status_code for _ in range(6)]
        assert found == [401] * 2 + [429] * 4, "the engine's loss gave the guesser further attempts"
        assert (await log_in(client, viewer.email, address())).status_code == 201, "nobody can log in without Valkey"
        assert counted_in_process() > before, "no metric tells that the engine does not count"
    told = [line["event"] for line in lines].count("attempts are counted by this process alone")
    assert told == 1, f"the log tells {told} times that the engine does not count"
