"""Wake-ups from the event log: a record on a topic means "look now"; no record means nothing.

Hints are read without a consumer group: every idle process sees every hint, and a busy one keeps none back. While the event log
is away a wait lasts its whole time. A hint is never the truth: the process that it wakes asks the job queue.
"""

import asyncio
import time

from marquee.errors import StoreUnavailable
from marquee.stores.event_log.contract import EventLog

_READ_SECONDS = 0.2


class Hints:
    """The hints published on `topic` since this object was made. For one task."""

    def __init__(self, event_log: EventLog, topic: str) -> None:
        self._event_log = event_log
        self._topic = topic
        self._since_ms = int(time.time() * 1000)
        self._cursor: str | None = None

    async def wait(self, stop: asyncio.Event, *, timeout_seconds: float) -> bool:
        """Wait for a hint, `stop` or the end of the time, whatever the event log does. Returns whether a hint came."""
        looking, stopping = asyncio.create_task(self._look()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({looking, stopping}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            if not looking.done():
                return False
            looking.result()  # raises what is no outage
            return True
        finally:
            for task in (looking, stopping):
                # Again and again: Python 3.11's wait_for, which Valkey's client uses, now and then swallows a cancellation.
                while not task.done():
                    task.cancel()
                    await asyncio.wait({task}, timeout=_READ_SECONDS)

    async def _look(self) -> None:
        """Until a hint comes."""
        while True:
            try:
                if await self._came():
                    return
            except StoreUnavailable:
                self._cursor = None
            await asyncio.sleep(_READ_SECONDS)

    async def _came(self) -> bool:
        if self._cursor is None:
            self._cursor = await self._event_log.cursor_at(self._topic, self._since_ms)
        records, self._cursor = await self._event_log.read(self._topic, self._cursor)
        if records:
            self._since_ms = records[-1].published_at_ms + 1
        return bool(records)
