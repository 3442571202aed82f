"""Rotating the keys of access tokens behind a real gateway and two processes of the API, under requests all the time."""

import asyncio
import contextlib
import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from pydantic import SecretStr

from marquee import token_keys
from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.platform import key_rotation
from marquee.platform.key_rotation import MAX_KEYS, PRIVATE_VARIABLE, key_id, rotate
from marquee.platform.programs.gateway import gateway
from marquee.platform.programs.gateway_tokens import accepted_keys, drop_ended_keys, write_filter
from marquee.platform.state import bootstrap, start_stop_lock, stored_secrets
from marquee.settings import ENVIRONMENT_FILE, Settings
from marquee.stores.opened import open_stores
from tests.harness.api.serving import serving
from tests.harness.servers import free_port_base, make_test_settings, running

PASSWORD = "a long enough secret"


@pytest.fixture(scope="module")
def base(
    tmp_path_factory: pytest.TempPathFactory,
    migrated_database: Settings,
    valkey_cache_server: Settings,
    valkey_log_server: Settings,
    s3_server: Settings,
) -> Settings:
    """Settings without token keys: those are in `marquee.env` of their state folder, as a start makes them."""
    shared = migrated_database
    return shared.model_copy(
        update={
            "state": tmp_path_factory.mktemp("rotation") / "state",
            "port_base": free_port_base(),
            "api_workers": 2,
            "database_url": shared.database,
            "row_cache_url": shared.row_cache,
            "event_log_url": shared.event_log,
            "coordination_url": shared.coordination,
            "objects_url": shared.objects,
            "published_url": shared.published,
        }
    )


def now_stored(base: Settings) -> Settings:
    """The settings as a command would load them now."""
    stored = stored_secrets(base)
    names = ("token_private_key", "token_other_public_keys")
    return base.model_copy(update={name: SecretStr(stored.get(f"MARQUEE_{name.upper()}", "")) for name in names})


async def prepare(settings: Settings) -> None:
    async with open_stores(settings, search_writer=True) as stores:
        await stores.objects.ensure_bucket()
        await stores.published.ensure_bucket()


@pytest.fixture(scope="module")
def platform(base: Settings) -> Iterator[Settings]:
    asyncio.run(prepare(bootstrap(base)))
    with contextlib.ExitStack() as stack:
        for number in (1, 2):
            stack.enter_context(serving(base, number))
        stack.enter_context(running(gateway(now_stored(base)), base.state))
        yield base


class Requests:
    """Clients that never stop: one with an access token of the first key, one that logs in, one that refreshes."""

    def __init__(self, settings: Settings) -> None:
        self.url = f"{settings.public}/api/v1"
        self.answered = 0
        self.refused: list[str] = []
        self._stop = threading.Event()
        with httpx.Client(base_url=self.url, timeout=20) as client:
            self.email = f"{secrets.token_hex(6)}@example.org"
            made = client.post("/accounts", json={"email": self.email, "password": PASSWORD})
            assert made.status_code == 201, made.text
            self.session = client.post("/sessions", json={"email": self.email, "password": PASSWORD}).json()
        self._threads = [threading.Thread(target=work) for work in (self._watch, self._refresh)]

    def __enter__(self) -> "Requests":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def key_of_a_login(self) -> str:
        """The id of the key that signed a new access token."""
        login = httpx.post(f"{self.url}/sessions", json={"email": self.email, "password": PASSWORD}).json()
        return str(jwt.get_unverified_header(login["access_token"])["kid"])

    def _note(self, answer: httpx.Response) -> None:
        self.answered += 1
        if answer.status_code >= 400:
            self.refused.append(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")

    def _watch(self) -> None:
        headers = {"Authorization": f"Bearer {self.session['access_token']}"}
        with httpx.Client(base_url=self.url, timeout=20, headers=headers) as client:
            while not self._stop.wait(0.01):
                self._note(client.get("/accounts/me"))

    def _refresh(self) -> None:
        """Each new access token is used at once: at the gateway, and at either process of the API."""
        token = self.session["refresh_token"]
        with httpx.Client(base_url=self.url, timeout=20) as client:
            while not self._stop.wait(0.01):
                refreshed = client.post("/sessions/refresh", json={"refresh_token": token})
                self._note(refreshed)
                if refreshed.is_success:
                    token = refreshed.json()["refresh_token"]
                    bearer = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
                    self._note(client.get("/accounts/me", headers=bearer))


def ids_at(url: str) -> list[str]:
    return [key["kid"] for key in httpx.get(f"{url}/.well-known/jwks.json").json()["keys"]]


def ids_of(settings: Settings) -> list[str]:
    return ids_at(settings.public)


async def test_two_rotations_in_a_row_refuse_no_request_and_log_nobody_out(platform: Settings) -> None:
    [first] = ids_of(platform)
    with Requests(platform) as requests:
        done = await rotate(now_stored(platform))
        again = await rotate(now_stored(platform))
        before = requests.answered
        while requests.answered < before + 20:
            pass
    assert not requests.refused, requests.refused[:3]
    assert (done.old, done.new, again.old) == (first, again.old, done.new)
    assert ids_of(platform) == [again.new, first, done.new], "the signing key comes first, and the old ones are kept"
    for url in platform.apis:
        assert ids_at(url)[0] == again.new, f"{url} does not sign with the new key"
    assert requests.key_of_a_login() == again.new


def at_the_gateway(settings: Settings, token: str) -> int:
    """401 is the gateway's: of an address that it does not have the API says 404, whatever the token."""
    answer = httpx.get(f"{settings.public}/api/v1/no-such-address", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


async def test_the_gateway_refuses_tokens_of_a_key_that_has_ended(platform: Settings) -> None:
    """Without another rotation or start: housekeeping writes the gateway's keys again."""
    with Requests(platform) as requests:
        token = requests.session["access_token"]
    await rotate(now_stored(platform))
    assert not drop_ended_keys(platform), "the keys were written again before one had ended"
    assert at_the_gateway(platform, token) == 404

    path = platform.state / ENVIRONMENT_FILE
    path.write_text(re.sub(r"@\d+", "@1", path.read_text()))
    with start_stop_lock(platform):
        assert not drop_ended_keys(platform), "the keys were written while another command had the lock"
    assert drop_ended_keys(platform)
    async with asyncio.timeout(30):
        while at_the_gateway(platform, token) != 401:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)
    assert not drop_ended_keys(platform), "unchanged keys were written again"
    before = path.read_text()
    path.write_text(re.sub(r"(OTHER_PUBLIC_KEYS)=.*", r"\1=nonsense@soon", before))
    assert not drop_ended_keys(platform), "keys that cannot be read took the place of good ones"
    path.write_text(before)
    with Requests(platform) as requests:
        while requests.answered < 10:
            pass
    assert not requests.refused, requests.refused[:3]


def test_a_host_without_a_gateway_has_no_keys_to_end(tmp_path: Path) -> None:
    assert not drop_ended_keys(make_test_settings(tmp_path / "state", password="x"))


async def test_a_key_past_its_end_counts_no_more(platform: Settings) -> None:
    settings = now_stored(platform)
    old = token_keys.generate_private_key()
    ended = token_keys.with_end(token_keys.public_key(old), 1)
    given = settings.model_copy(update={"token_other_public_keys": SecretStr(ended)})
    assert accepted_keys(given) == [token_keys.public_key(settings.token_private_key.get_secret_value())]


async def test_a_kill_between_the_steps_leaves_the_old_key(platform: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = now_stored(platform)
    before = ids_of(platform)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(key_rotation, "_store", killed)
        with pytest.raises(KeyboardInterrupt):
            await rotate(settings)
    assert ids_of(platform) == before
    with Requests(platform) as requests:
        done = await rotate(now_stored(platform))
    assert not requests.refused, requests.refused[:3]
    assert ids_of(platform)[0] == done.new


async def test_a_gateway_that_does_not_take_the_key_keeps_the_old_one(
    platform: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ids_of(platform)
    monkeypatch.setattr(key_rotation, "WAIT_SECONDS", 1.0)
    monkeypatch.setattr(key_rotation, "write_filter", lambda *_: None)
    with pytest.raises(PlatformUnavailable, match="gateway did not take the new key"):
        await rotate(now_stored(platform))
    assert ids_of(platform) == before
    assert stored_secrets(platform) == stored_secrets(now_stored(platform))


def test_a_process_of_the_api_that_keeps_the_old_key_stops_the_rotation(
    platform: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process whose environment has the key does not follow the file: its tokens would be refused in the end."""
    settings = now_stored(platform)
    monkeypatch.setattr(key_rotation, "WAIT_SECONDS", 2.0)
    with (
        serving(settings, 3),
        Requests(platform) as requests,
        pytest.raises(PlatformUnavailable, match="old key signs again"),
    ):
        asyncio.run(rotate(settings.model_copy(update={"api_workers": 3})))
    assert not requests.refused, requests.refused[:3]
    assert ids_of(platform)[0] == key_id(settings.token_private_key.get_secret_value())


async def test_too_many_rotations_wait_for_the_oldest_key(platform: Settings) -> None:
    async def rotate_often() -> None:
        for _ in range(MAX_KEYS):
            await rotate(now_stored(platform))

    with pytest.raises(PlatformUnavailable, match="until the oldest has ended"):
        await rotate_often()
    assert len(ids_of(platform)) <= MAX_KEYS


# --- without processes ---


@pytest.fixture
def stopped(tmp_path: Path) -> Settings:
    """A platform that has run, and does not run now."""
    base = make_test_settings(tmp_path / "state", password="x", postgres_password="x")
    write_filter(bootstrap(base), accepted_keys(now_stored(base)))
    return base


async def test_a_stopped_platform_starts_with_the_new_key(stopped: Settings) -> None:
    path = stopped.state / ENVIRONMENT_FILE
    path.write_text(path.read_text() + "# My own setting.\nMARQUEE_ROW_TTL_SECONDS=7\n")
    before = now_stored(stopped)
    done = await rotate(before)
    after = now_stored(stopped)
    assert key_id(after.token_private_key.get_secret_value()) == done.new
    old = token_keys.public_key(before.token_private_key.get_secret_value())
    assert accepted_keys(after) == [token_keys.public_key(after.token_private_key.get_secret_value()), old]
    assert "# My own setting.\nMARQUEE_ROW_TTL_SECONDS=7\n" in path.read_text(), "a rotation changed other lines"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().count(PRIVATE_VARIABLE) == 1, "the old private key is kept"


async def test_keys_that_the_environment_gives_are_not_rotated_here(stopped: Settings) -> None:
    given = now_stored(stopped)
    for other in (
        given.model_copy(update={"token_private_key": SecretStr(token_keys.generate_private_key())}),
        given.model_copy(update={"token_public_key": token_keys.public_key(token_keys.generate_private_key())}),
    ):
        with pytest.raises(SettingsInvalid, match="for several hosts"):
            await rotate(other)


async def test_a_host_without_a_gateway_rotates_nothing(tmp_path: Path) -> None:
    base = make_test_settings(tmp_path / "state", password="x")
    bootstrap(base)
    with pytest.raises(SettingsInvalid, match="has never run with"):
        await rotate(now_stored(base))
