"""Two stores while positions move from one to the other: every write goes to the first, every read asks both.

Of each title the event that goes before wins, wherever it lies, so that it does not matter which of them a write reached: a
platform changes its first store one process after the other, and no viewer loses a position or sees an older one. Forgetting
is an event like any other. Both have to answer: with one of them gone a read raises `StoreUnavailable`, as no answer
would be certain to be the newest. What is left in the second is moved by `marquee migrate resume-positions`.
"""

import asyncio
from collections.abc import Sequence

from marquee.stores.resume_positions.contract import (
    Event,
    MovableResumePositions,
    ResumePosition,
    newest,
    newest_first,
)


class BothResumePositions:
    def __init__(self, written: MovableResumePositions, also: MovableResumePositions) -> None:
        self._written = written
        self._also = also

    async def record(self, event: Event) -> None:
        await self._written.record(event)

    async def record_many(self, events: Sequence[Event]) -> None:
        await self._written.record_many(events)

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None:
        keys = [(user_id, movie_id)]
        found = await asyncio.gather(self._written.events(keys), self._also.events(keys))
        events = newest([event for each in found for event in each.values()])
        return next((event for event in events if isinstance(event, ResumePosition)), None)

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        found = await asyncio.gather(self._written.events_of_viewer(user_id), self._also.events_of_viewer(user_id))
        return newest_first(newest([event for each in found for event in each]), limit=limit)

    async def ping(self) -> None:
        await asyncio.gather(self._written.ping(), self._also.ping())

    async def close(self) -> None:
        await asyncio.gather(self._written.close(), self._also.close())
