"""Two stores during a move: every write goes to the first, every read asks both.

For each title the event that wins by `precedence` is returned, from either store. So it does not matter which store a write
reached. An operator can change the first store of a platform one process at a time: no viewer loses a position or sees an
older one. Hiding and forgetting are events too. If one store is down, a read raises `StoreUnavailable`, because the other store's
event may not be the newest. `marquee migrate resume-positions` moves what is left in the second store.
"""

import asyncio
from collections.abc import Sequence

from marquee.stores.resume_positions.contract import (
    Event,
    MovableResumePositions,
    ResumePosition,
    newest,
    newest_first,
    resumable,
)


class BothResumePositions:
    """`written` gets every write; `also` is only read."""

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
        return resumable(events[0] if events else None)

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        return newest_first(await self.events_of_viewer(user_id), limit=limit)

    async def events_of_viewer(self, user_id: str) -> Sequence[Event]:
        found = await asyncio.gather(self._written.events_of_viewer(user_id), self._also.events_of_viewer(user_id))
        return newest([event for each in found for event in each])

    async def erase(self, user_id: str) -> None:
        await asyncio.gather(self._written.erase(user_id), self._also.erase(user_id))

    async def ping(self) -> None:
        await asyncio.gather(self._written.ping(), self._also.ping())

    async def close(self) -> None:
        await asyncio.gather(self._written.close(), self._also.close())
