"""The supervisor restarts killed programs, leaves no process when it is killed itself, and stops programs in order."""

import asyncio
import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.platform.state import GENERATORS, bootstrap, run_folder, stored_secrets
from marquee.platform.supervisor import leftovers
from marquee.platform.supervisor.observation import observe
from marquee.platform.supervisor.supervision import PlatformEvent, Supervisor, start, stop
from marquee.settings import ENVIRONMENT_FILE, Settings, load_settings
from tests.harness.servers import make_test_settings
from tests.platform.conftest import without_all_but

SMALL = ("valkey-log", "seaweedfs", "postgres")
"""The least that the preparation needs."""


async def eventually(what: str, holds: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not so: {what}"
        await asyncio.sleep(0.05)


def processes_of(settings: Settings) -> list[int]:
    return leftovers.of_platform(run_folder(settings))


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


async def test_a_killed_program_comes_back(platform: Settings) -> None:
    supervisor = Supervisor(platform)
    for name, url in (
        ("edge-1", f"http://127.0.0.1:{platform.port('edge_1_status')}/healthz"),
        ("gateway", f"http://127.0.0.1:{platform.port('gateway_admin')}/ready"),
    ):
        before = (await supervisor.process(name)).pid
        os.kill(before, signal.SIGKILL)
        await eventually(f"{name} is gone", lambda pid=before: not psutil.pid_exists(pid))
        await eventually(f"{name} answers again", lambda url=url: answers(url))
        assert (await supervisor.process(name)).pid != before, f"{name} must be a new process"


async def test_a_second_start_changes_nothing(platform: Settings) -> None:
    before = {process.name: process.pid for process in await Supervisor(platform).processes()}
    seen: list[PlatformEvent] = []
    await start(platform, on_event=seen.append)
    after = {process.name: process.pid for process in await Supervisor(platform).processes()}
    assert before == after
    assert seen[0].kind == "already-running"


async def test_every_program_is_shown_with_its_memory(platform: Settings) -> None:
    observed = {process.name: process for process in await observe(platform)}
    assert observed["postgres"].port == platform.port("postgres")
    assert [process.name for process in observed.values() if process.memory_bytes == 0] == []
    assert [stat.S_IMODE(platform.state.stat().st_mode)] == [0o700]


async def test_a_killed_supervisor_leaves_no_orphan_and_the_next_start_recovers(tmp_path: Path) -> None:
    settings = await start(make_test_settings(tmp_path / "state", without=without_all_but(*SMALL)))
    try:
        pid = await Supervisor(settings).pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await eventually("every program is gone", lambda: not processes_of(settings))
        settings = await start(settings)
        assert all(process.state == "running" for process in await Supervisor(settings).processes())
        # Another platform beside it, with ports and a state of its own.
        beside = await start(make_test_settings(tmp_path / "beside", without=without_all_but(*SMALL)))
        assert await stop(beside)
        assert await Supervisor(settings).pid() is not None, "stopping one platform must leave the other alone"
    finally:
        await stop(settings)
    assert processes_of(settings) == [], "no process may be left after a stop"
    assert not await stop(settings), "a second stop finds nothing"


async def test_a_start_waits_for_a_platform_that_is_just_stopping(tmp_path: Path) -> None:
    settings = await start(make_test_settings(tmp_path / "state", without=without_all_but(*SMALL)))
    try:
        pid = await Supervisor(settings).pid()
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
        settings = await start(settings)
        assert await Supervisor(settings).pid() not in (None, pid), "the old supervisor was taken for a running one"
        assert all(process.state == "running" for process in await Supervisor(settings).processes())
    finally:
        await stop(settings)
    assert processes_of(settings) == []


async def test_a_used_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path / "state")
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port("s3")))
        other.listen()
        with pytest.raises(PlatformUnavailable, match=rf"Port {settings.port('s3')} \(s3-proxy\).*MARQUEE_PORT_BASE"):
            await start(settings)
    assert processes_of(settings) == []


async def test_a_program_that_cannot_start_says_why(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path / "state", without=without_all_but(*SMALL))
    folder = settings.state / "valkey-log" / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_text("this is no manifest")
    with pytest.raises(PlatformUnavailable, match=r"valkey-log[\s\S]*manifest"):
        await start(settings)
    assert processes_of(settings) == [], "a start that failed leaves nothing running"


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state")
    first = bootstrap(settings)
    file = tmp_path / "state" / "marquee.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(stored_secrets(settings)) == len(GENERATORS)
    assert bootstrap(settings).token_private_key == first.token_private_key
    assert first.password.get_secret_value() not in repr(first)


def test_a_state_folder_of_an_earlier_release_gets_the_secrets_that_are_new(tmp_path: Path) -> None:
    """Existing secrets are kept, because the data was created with them."""
    before = bootstrap(load_settings(state=tmp_path, port_base=9000))
    path = tmp_path / ENVIRONMENT_FILE
    old = [line for line in path.read_text().splitlines() if "_S3_PUBLISHED_" not in line and "_S3_EDGE_" not in line]
    path.write_text("\n".join([*old, "MARQUEE_OF_AN_OPERATOR=kept"]) + "\n")
    after = bootstrap(load_settings(state=tmp_path, port_base=9000))
    for name in GENERATORS:
        value = getattr(after, name).get_secret_value()
        assert value, f"{name} is missing"
        is_new = name.startswith(("s3_published_", "s3_edge_"))
        assert (value != getattr(before, name).get_secret_value()) == is_new, f"{name} is not what it was"
    assert set(old) <= set(path.read_text().splitlines())
    assert "MARQUEE_OF_AN_OPERATOR=kept" in path.read_text().splitlines()
    assert path.stat().st_mode & 0o777 == 0o600
    assert bootstrap(load_settings(state=tmp_path, port_base=9000)) == after, "made anew at each start"


def test_a_full_disk_and_an_unusable_path_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PlatformUnavailable, match="GiB free"):
        bootstrap(Settings(state=tmp_path / "state", min_free_bytes=1 << 60))
    with pytest.raises(SettingsInvalid, match="MARQUEE_STATE"):
        bootstrap(Settings(state=tmp_path / "quo'te"))


@pytest.mark.parametrize(("given", "missing"), [("objects_url", "PUBLISHED"), ("published_url", "OBJECTS")])
def test_one_bucket_elsewhere_names_the_setting_of_the_other(tmp_path: Path, given: str, missing: str) -> None:
    settings = Settings(state=tmp_path / "state").model_copy(update={given: "s3://films"})
    with pytest.raises(SettingsInvalid, match=f"MARQUEE_{missing}_URL is not: set both") as refused:
        bootstrap(settings)
    assert refused.value.field == f"MARQUEE_{missing}_URL"
    assert not settings.state.exists(), "nothing is made for settings that cannot work"
