"""Shipper, edge and event log are killed while players watch: each request is one viewing event."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from marquee.cdn.edge_log.shipping import BATCH_LINES
from marquee.domain.ids import new_playback_id
from marquee.platform import local_engines
from marquee.platform.programs import edges
from marquee.stores.event_log import open_event_log
from tests.harness.edge_logs import SECONDS, Arrivals, kill_with_children, played, settings_of, shipping, started, until
from tests.harness.recording_origin import RecordingOrigin

SEGMENT = "video/1080p/seg_00001.m4s"


@pytest.fixture
def origin() -> Iterator[RecordingOrigin]:
    with RecordingOrigin() as recording:
        yield recording


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.soak)])
async def test_kills_of_shipper_edge_and_event_log_lose_no_request_and_count_none_twice(
    kills: int, tmp_path: Path, origin: RecordingOrigin
) -> None:
    settings = settings_of(tmp_path, origin)
    sessions = [new_playback_id() for _ in range(4)]
    answered: set[tuple[str, int]] = set()
    """(session, number of its request), of requests that were answered. The number is told as CMCD's buffer."""
    stop = asyncio.Event()

    async def watch(session: str) -> None:
        async with httpx.AsyncClient(base_url=settings.edges[0]) as client:
            path = played(settings, session, seconds=6000)
            for number in itertools.count():
                if stop.is_set():
                    return
                with contextlib.suppress(httpx.TransportError):
                    await client.get(f"{path}{SEGMENT}?CMCD=bl%3D{number}")
                    answered.add((session, number))
                    continue
                await asyncio.sleep(0.05)

    async def more(count: int) -> None:
        enough = len(answered) + count
        async with asyncio.timeout(SECONDS):
            while len(answered) < enough:  # noqa: ASYNC110  (another task)
                await asyncio.sleep(0.01)

    async with contextlib.AsyncExitStack() as stack:
        valkey = await started(stack, local_engines.valkey_log(settings), tmp_path)
        nginx = await started(stack, edges.edge(settings, 1), tmp_path)
        event_log = open_event_log(settings.event_log)
        stack.push_async_callback(event_log.close)
        watching = [asyncio.create_task(watch(session)) for session in sessions]
        arrivals = Arrivals(event_log, set(sessions))
        for number in range(kills):
            come = len(arrivals.events)
            with shipping(settings) as shipper:
                await until(lambda come=come: len(arrivals.events) > come, arrivals, "the shipper ships nothing")  # type: ignore[misc]
                await more(7 * number % 40)
                shipper.kill()
            if number % 3 == 1:
                kill_with_children(nginx.pid)
                nginx = await started(stack, edges.edge(settings, 1), tmp_path)
            if number % 3 == 2:
                valkey.kill()
                valkey.wait()
                valkey = await started(stack, local_engines.valkey_log(settings), tmp_path)
            await more(50)
        stop.set()
        await asyncio.gather(*watching)
        # A killed edge may have sent an answer, one a connection, whose line it had not yet written.
        unwritten = len(sessions) * sum(number % 3 == 1 for number in range(kills))

        def arrived() -> list[tuple[str | None, int | None]]:
            """Of each event id once: a batch that was published again counts as one."""
            found = {event.event_id: event for event in arrivals.events}
            return [(event.session_id, event.buffer_ms) for event in found.values()]

        with shipping(settings):
            await until(lambda: len(answered - set(arrived())) <= unwritten, arrivals, "requests are lost")
    assert len(arrived()) == len(set(arrived())), "a request was counted twice"
    assert len(arrivals.events) - len(arrived()) <= kills * BATCH_LINES, "more than a batch a kill came again"
