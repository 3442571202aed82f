"""A process of the API that is restarted, stopped or killed costs no request: the gateway and the other process see to it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from marquee.domain.ids import new_movie_id
from marquee.errors import InputInvalid, PlatformUnavailable
from marquee.platform.supervisor import rolling
from marquee.platform.supervisor.observation import observe
from marquee.platform.supervisor.supervision import PlatformEvent, Supervisor, start, stop
from marquee.settings import ENVIRONMENT_FILE, Settings
from marquee.stores.search import open_search_writer
from tests.harness.servers import make_test_settings
from tests.platform.conftest import without_all_but

CALLERS = 8
PROCESSES = ("api-1", "api-2")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A platform of two API processes behind the gateway, and nothing that they do not need."""
    programs = ("postgres", "valkey-cache", "valkey-log", "seaweedfs", "api", "gateway")
    settings = make_test_settings(
        tmp_path_factory.mktemp("restarts") / "state",
        api_workers=2,
        rate_limit_scale=1000,
        without=without_all_but(*programs),
    )
    settings = asyncio.run(start(settings))
    asyncio.run(make_index(settings))
    yield settings
    asyncio.run(stop(settings))


async def make_index(settings: Settings) -> None:
    """An empty index, which search-sync makes on a whole platform: a search without one is 503."""
    index = await open_search_writer(settings.search)
    await index.close()


@pytest.fixture(scope="module")
def tokens(served: Settings) -> list[str]:
    """CALLERS tokens: the gateway chooses a process by the token, so that both processes have viewers."""
    credentials = {"email": served.email, "password": served.password.get_secret_value()}
    with httpx.Client(base_url=served.public, timeout=30) as http:
        answers = [http.post("/api/v1/sessions", json=credentials) for _ in range(CALLERS)]
    return [answer.raise_for_status().json()["access_token"] for answer in answers]


@dataclass
class Load:
    """What callers got who ask again and again: how many answers, and which requests failed."""

    answers: int = 0
    failed: list[str] = field(default_factory=list)


@asynccontextmanager
async def load(settings: Settings, tokens: list[str]) -> AsyncIterator[Load]:
    """A viewer for each token on kept-alive connections, as long as the block runs."""
    seen, over = Load(), asyncio.Event()

    async def caller(http: httpx.AsyncClient, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        progress = {"movie_id": new_movie_id(), "position_seconds": 4}
        while not over.is_set():
            for method, path, body, expected in (
                ("GET", "/api/v1/search?q=film", None, 200),
                ("GET", "/api/v1/titles/m_00000000000000000000", None, 404),
                ("POST", "/api/v1/stream/progress", progress, 404),
            ):
                try:
                    answer = await http.request(method, path, json=body, headers=headers)
                except httpx.HTTPError as error:
                    seen.failed.append(f"{method} {path}: {error!r}")
                    continue
                seen.answers += 1
                if answer.status_code != expected:
                    seen.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(0.02)

    async with (
        asyncio.TaskGroup() as tasks,
        httpx.AsyncClient(base_url=settings.public, timeout=30) as http,
    ):
        callers = [tasks.create_task(caller(http, token)) for token in tokens]
        try:
            yield seen
        finally:
            over.set()
            await asyncio.gather(*callers)


async def pids(settings: Settings) -> dict[str, int]:
    return {each.name: each.pid for each in await Supervisor(settings).processes() if each.name in PROCESSES}


async def new_process_is_ready(settings: Settings, name: str, old: int) -> None:
    port = {"api-1": "api", "api-2": "api_2"}[name]
    async with asyncio.timeout(60), httpx.AsyncClient(base_url=settings.loopback(port), timeout=5) as http:
        while True:
            try:
                is_ready = (await http.get("/readyz")).status_code == 200
            except httpx.HTTPError:
                is_ready = False
            if is_ready and (await pids(settings))[name] not in (0, old):
                return
            await asyncio.sleep(0.05)


async def test_each_process_is_shown_with_a_port_of_its_own(served: Settings) -> None:
    shown = {each.name: each.port for each in await observe(served)}
    assert {name: shown[name] for name in PROCESSES} == {"api-1": served.port("api"), "api-2": served.port("api_2")}
    async with httpx.AsyncClient() as http:
        for port in ("api", "api_2"):
            assert "marquee_api_requests_total" in (await http.get(f"{served.loopback(port)}/metrics")).text


async def test_a_rolling_restart_under_load_fails_no_request(served: Settings, tokens: list[str]) -> None:
    before, seen = await pids(served), list[PlatformEvent]()
    async with load(served, tokens) as answered:
        await rolling.restart(served, "api", on_event=seen.append)
    after = await pids(served)
    assert answered.failed == []
    assert answered.answers > 0, "there was no load"
    assert all(after[name] != before[name] for name in PROCESSES), "a process was not restarted"
    steps = [(event.kind, event.name) for event in seen]
    assert steps == [("stopping", "api-1"), ("ready", "api-1"), ("stopping", "api-2"), ("ready", "api-2")], (
        "the second process must go on until the first one is back"
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGHUP])
async def test_one_lost_process_fails_no_request_that_is_safe_to_repeat(
    served: Settings, tokens: list[str], how: signal.Signals
) -> None:
    before = await pids(served)
    async with load(served, tokens) as answered:
        os.kill(before["api-1"], how)
        await new_process_is_ready(served, "api-1", before["api-1"])
    assert answered.failed == []
    assert (await pids(served))["api-2"] == before["api-2"]


async def test_one_process_that_hangs_holds_up_no_viewer(served: Settings, tokens: list[str]) -> None:
    before = await pids(served)
    os.kill(before["api-1"], signal.SIGSTOP)
    try:
        async with httpx.AsyncClient(base_url=served.public, timeout=30) as http:
            asked = [
                http.get("/api/v1/search?q=film", headers={"Authorization": f"Bearer {token}"}) for token in tokens
            ]
            answers = await asyncio.gather(*asked)
    finally:
        os.kill(before["api-1"], signal.SIGCONT)
    assert [answer.status_code for answer in answers] == [200] * len(tokens)
    assert await pids(served) == before


@pytest.fixture
async def hung(served: Settings) -> AsyncIterator[None]:
    """One of the two processes hangs during the test."""
    before = await pids(served)
    os.kill(before["api-1"], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(before["api-1"], signal.SIGCONT)


@pytest.mark.usefixtures("hung")
async def test_one_process_that_hangs_fails_no_login(served: Settings) -> None:
    """A login may be repeated: the gateway has another process answer it, while the first one still hangs."""
    credentials = {"email": served.email, "password": served.password.get_secret_value()}
    async with httpx.AsyncClient(base_url=served.public, timeout=30) as http:
        answers = await asyncio.gather(*(http.post("/api/v1/sessions", json=credentials) for _ in range(4)))
    # 429: on a busy machine the one process may have no time for four hashes at once.
    assert {answer.status_code for answer in answers} <= {201, 429}, [answer.text for answer in answers]


@pytest.mark.usefixtures("hung")
async def test_a_write_that_meets_a_process_that_hangs_is_answered_soon(served: Settings, tokens: list[str]) -> None:
    """It is not repeated: 504 says that it may have had its effect. It came after 30 s before."""
    movie = f"/api/v1/titles/{new_movie_id()}"
    async with httpx.AsyncClient(base_url=served.public, timeout=20) as http:
        asked = [
            http.patch(movie, json={"title": "New"}, headers={"Authorization": f"Bearer {token}"}) for token in tokens
        ]
        answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} <= {404, 504}, [answer.text for answer in answers]
    assert all(answer.headers.get("retry-after") for answer in answers if answer.status_code == 504)


async def test_a_restart_ends_where_the_new_process_does_not_become_ready(served: Settings, tokens: list[str]) -> None:
    """A setting that cannot be used, in the file that each process reads when it starts."""
    file = served.state / ENVIRONMENT_FILE
    written, before = file.read_text(), await pids(served)
    try:
        file.write_text(f"{written}MARQUEE_ROW_TTL_SECONDS=soon\n")
        async with load(served, tokens) as answered:
            with pytest.raises(
                PlatformUnavailable, match=r"restart of api-1 failed.*api-2[\s\S]*MARQUEE_ROW_TTL_SECONDS"
            ):
                await rolling.restart(served, "api", on_event=lambda _: None)
            with pytest.raises(PlatformUnavailable, match=r"api-1 is not ready .* nothing was restarted"):
                await rolling.restart(served, "api", on_event=lambda _: None)
        assert answered.failed == [], "the process that was not restarted must serve everything"
        assert (await pids(served))["api-2"] == before["api-2"]
    finally:
        file.write_text(written)
    await new_process_is_ready(served, "api-1", before["api-1"])


async def test_a_running_platform_is_not_taken_for_one_of_other_settings(served: Settings) -> None:
    with pytest.raises(PlatformUnavailable, match=r"runs without api-3: .*`marquee down`, then `marquee up`"):
        await start(served.model_copy(update={"api_workers": 3}))


async def test_a_program_that_does_not_run_here_is_named(served: Settings) -> None:
    for name in ("outbox", "api-3"):
        with pytest.raises(InputInvalid, match=f"runs no program {name}"):
            await rolling.restart(served, name, on_event=lambda _: None)
