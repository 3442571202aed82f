"""A real edge with its log, a real event log, and the process that ships the one to the other; each may be killed."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil

from marquee.cdn.signed_paths import stream_path
from marquee.events import VIEWING_EVENTS, ViewingEvent
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings
from marquee.stores.event_log.contract import EventLog
from tests.harness.recording_origin import RecordingOrigin
from tests.harness.servers import make_test_settings, running

SECONDS = 60.0
MOVIE = "m_00000000000000000001"


def played(settings: Settings, session_id: str | None, *, seconds: int = 600) -> str:
    """The signed path of version 3 for a session."""
    secret = settings.edge_secret.get_secret_value()
    return stream_path(secret, MOVIE, 3, expires_at=int(time.time()) + seconds, session_id=session_id)


@contextlib.contextmanager
def shipping(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m jobs.edge_logs`; whoever kills it starts another one."""
    environment = {
        "MARQUEE_STATE": str(settings.state),
        "MARQUEE_EVENT_LOG_URL": settings.event_log,
        "MARQUEE_PUBLIC_EDGE_URLS": ",".join(settings.edges),
        "MARQUEE_EDGE_LOG_SHARE": str(settings.edge_log_share),
    }
    with (settings.state / "edge-logs.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs.edge_logs"], env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def kill_with_children(pid: int) -> None:
    """SIGKILL to a process and all that it started."""
    process = psutil.Process(pid)
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def logged(settings: Settings) -> list[bytes]:
    """The lines of the first edge's log that are still on disk."""
    folder: Path = settings.state / "edge-logs" / "edge-1"
    return [line for each in sorted(folder.glob("*.jsonl")) for line in each.read_bytes().splitlines()]


class Arrivals:
    """The viewing events of sessions, as they come on an event log; also those that come twice."""

    def __init__(self, log: EventLog, sessions: set[str]) -> None:
        self._log, self._sessions = log, sessions
        self._cursor: str | None = None
        self.events: list[ViewingEvent] = []

    async def look(self) -> list[ViewingEvent]:
        """All that have come so far."""
        while True:
            records, self._cursor = await self._log.read(VIEWING_EVENTS, self._cursor, limit=1000)
            if not records:
                return self.events
            self.events += [
                msgspec.json.decode(each.value, type=ViewingEvent) for each in records if each.key in self._sessions
            ]

    @property
    def ids(self) -> set[str]:
        return {each.event_id for each in self.events}


def settings_of(folder: Path, origin: RecordingOrigin, **values: object) -> Settings:
    return make_test_settings(
        folder,
        published_url=f"s3+http://{origin.address}/films",
        objects_url=f"s3+http://{origin.address}/masters",
        **values,
    )


async def started(stack: contextlib.AsyncExitStack, program: Program, folder: Path) -> "subprocess.Popen[bytes]":
    return await asyncio.to_thread(stack.enter_context, running(program, folder))


async def until(holds: Callable[[], bool], arrivals: Arrivals, told: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{told}: {len(arrivals.events)} events came"
        await arrivals.look()
        await asyncio.sleep(0.05)
