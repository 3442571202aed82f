"""`python -m jobs.event_sink`: viewing events of the event log become files of the lake, and the lake is kept in order.

One process of all hosts works: the one that has the turn (an advisory lock in PostgreSQL). The others wait. When the worker ends
or is killed, one of them goes on where it was. The worker has two tasks: the sink, and a loop for each thing that keeps the lake
(`loops`). The rules are in `marquee.ingest.lake`. A stop flushes what was read. An outage is waited through; a sink that another
one has overtaken waits for its next turn. Needs the extra `analytics`. Figures: port `event_sink`, `/metrics`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from prometheus_client import start_http_server

from marquee.analytics_extra import how_to_get_analytics
from marquee.errors import StoreUnavailable
from marquee.events.topics import VIEWING_EVENTS
from marquee.ingest.lake import figures
from marquee.ingest.lake.compaction import compact
from marquee.ingest.lake.erasure import Rounds, forget_finished
from marquee.ingest.lake.sink import EventSink, Limits
from marquee.ingest.lake.sweep import delete_retired, retire_old, sweep_unlisted
from marquee.logs import get_logger, log_context
from marquee.processes.repeating import every, until_answered
from marquee.processes.runner import Process, run_process
from marquee.processes.stopping import wait_for_stop
from marquee.settings import Settings
from marquee.stores.lake.arrow import arrow_is_installed
from marquee.stores.lake.contract import Lake, Turn
from marquee.stores.lake.errors import SinkOvertaken

TURN: Final = "event sink"
TURN_SECONDS: Final = 2.0
"""How often a waiting process asks for its turn."""
IDLE_SECONDS: Final = 0.5
"""How long the sink waits after a read that brought nothing."""
SAY_AGAIN_SECONDS: Final = 600.0
MINUTE_SECONDS: Final = 60.0
HOUR_SECONDS: Final = 3600.0

log = get_logger()


@dataclass(frozen=True)
class Loop:
    """One task that keeps the lake, done at the start and then `seconds` after each end."""

    name: str
    seconds: float
    round: Callable[[], Awaitable[object]]


def loops(settings: Settings, lake: Lake) -> tuple[Loop, ...]:
    state, short = settings.state, min(5 * MINUTE_SECONDS, max(1.0, settings.lake_retired_seconds))
    return (
        Loop("compact", MINUTE_SECONDS, partial(compact, lake, state, quiet_seconds=settings.lake_compact_seconds)),
        Loop("erase", 10.0, Rounds(lake, state, recheck_seconds=10 * MINUTE_SECONDS).round),
        Loop("retire-old", HOUR_SECONDS, partial(retire_old, lake, days=settings.lake_days)),
        Loop("delete-retired", short, partial(delete_retired, lake, retired_seconds=settings.lake_retired_seconds)),
        Loop("sweep-unlisted", HOUR_SECONDS, partial(sweep_unlisted, lake)),
        Loop("forget-erasures", HOUR_SECONDS, partial(forget_finished, lake)),
    )


async def run(process: Process) -> None:
    if not arrow_is_installed():
        await _say_what_is_missing(process)
        return
    settings, lake = process.settings, process.stores.lake
    start_http_server(settings.port("event_sink"), settings.inner_host)
    await process.ready(process.stores.catalogue)
    await until_answered(process.stop, lake.files.ensure)
    while not process.stop.is_set():
        turn = await until_answered(process.stop, partial(lake.take_turn, TURN))
        if turn is None:
            await wait_for_stop(process.stop, TURN_SECONDS)
        else:
            await _work(process, turn)


async def _say_what_is_missing(process: Process) -> None:
    """In an image that was built without the extra. A process that ended would be started again and again. It is never ready."""
    while not process.stop.is_set():
        log.error("viewing events are not written: pyarrow is not installed", remedy=how_to_get_analytics())
        await wait_for_stop(process.stop, SAY_AGAIN_SECONDS)


async def _work(process: Process, turn: Turn) -> None:
    """Until the stop, or until another process has taken over."""
    figures.IS_WRITER.set(1)
    settings, lake, over = process.settings, process.stores.lake, asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_stop_too(process.stop, over))
            for loop in loops(settings, lake):
                tasks.create_task(_repeat(loop, over))
            try:
                await _sink(process)
            except SinkOvertaken as error:
                log.warning("overtaken", reason=error.detail)
            over.set()
    finally:
        figures.IS_WRITER.set(0)
        await turn.end()


async def _stop_too(stop: asyncio.Event, over: asyncio.Event) -> None:
    stopping, ending = asyncio.create_task(stop.wait()), asyncio.create_task(over.wait())
    try:
        await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        ending.cancel()
    over.set()


async def _repeat(loop: Loop, over: asyncio.Event) -> None:
    with log_context(loop=loop.name):
        await every(loop.seconds, over, loop.round)


async def _sink(process: Process) -> None:
    settings, stop = process.settings, process.stop
    limits = Limits(settings.sink_flush_rows, settings.sink_flush_bytes, settings.sink_flush_seconds)
    sink = EventSink(process.stores.event_log, process.stores.lake, VIEWING_EVENTS, limits)
    try:
        await until_answered(stop, sink.begin)
        while not stop.is_set():
            if not await until_answered(stop, sink.step):
                await wait_for_stop(stop, IDLE_SECONDS)
        await sink.flush()
    except StoreUnavailable as error:  # told to stop while a store was away: the next sink reads the same records
        log.warning("stopped without a flush", reason=error.detail)


if __name__ == "__main__":
    raise SystemExit(run_process("event-sink", run))
