"""Viewers who watch while their API processes are restarted one by one, and who read back every acknowledged position."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.stores.resume_positions import open_resume_positions
from marquee.stores.resume_positions.contract import (
    Event,
    Forgotten,
    Hidden,
    Key,
    ResumePosition,
    ResumePositions,
    key_of,
    newest_first,
    resumable,
)

NOW_MS = 1_800_000_000_000
WRITES_BETWEEN_RESTARTS = 60


class Process:
    """An API process: it serves from the stores of its settings until it is restarted with others."""

    def __init__(self) -> None:
        self._store: ResumePositions | None = None
        self._serving = 0
        self._idle = asyncio.Event()
        self._up = asyncio.Event()

    async def restart(self, url: str, *, read_also: str = "") -> None:
        """Restart a process; requests in progress are finished first, as after a SIGTERM."""
        self._up.clear()
        if self._store is not None:
            if self._serving:
                self._idle.clear()
                await self._idle.wait()
            await self._store.close()
        self._store = open_resume_positions(url, read_also=read_also)
        self._up.set()

    async def stop(self) -> None:
        assert self._store is not None
        await self._store.close()

    @property
    def is_up(self) -> bool:
        return self._up.is_set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[ResumePositions]:
        await self._up.wait()
        assert self._store is not None
        self._serving += 1
        try:
            yield self._store
        finally:
            self._serving -= 1
            if not self._serving:
                self._idle.set()


class Viewers:
    """Each viewer writes through any process that accepts the request, and reads the position back through another one."""

    def __init__(self, processes: list[Process]) -> None:
        self._processes = processes
        self.acknowledged: dict[Key, Event] = {}
        self.sent: set[Event] = set()
        self.written = 0
        self.everybody_reads_both = False
        self._stopped = False
        self._moment = itertools.count(NOW_MS)
        self._goal = 0
        self._enough = asyncio.Event()

    async def watch(self) -> None:
        user_id, movies = new_profile_id(), [new_movie_id() for _ in range(4)]
        while not self._stopped:
            event = self._next(user_id, random.choice(movies))
            self.sent.add(event)
            async with self._any().serving() as store:
                await store.record(event)
            self.acknowledged[key_of(event)] = event
            self.written += 1
            if self.written >= self._goal:
                self._enough.set()
            if self.everybody_reads_both:
                async with self._any().serving() as store:
                    await self._look(store, user_id, event)

    def _next(self, user_id: str, movie_id: str) -> Event:
        moment = next(self._moment)
        if random.random() < 0.1:
            return Forgotten(user_id, movie_id, moment)
        if random.random() < 0.1:
            return Hidden(user_id, movie_id, random.randrange(7_200_000), moment)
        return ResumePosition(user_id, movie_id, random.randrange(7_200_000), moment)

    async def _look(self, store: ResumePositions, user_id: str, event: Event) -> None:
        assert await store.get(*key_of(event)) == resumable(event), f"{event} was acknowledged and is not what is seen"
        known = [one for key, one in self.acknowledged.items() if key[0] == user_id]
        assert list(await store.continue_watching(user_id)) == list(newest_first(known, limit=50))

    def _any(self) -> Process:
        return random.choice([process for process in self._processes if process.is_up])

    async def write_some(self) -> None:
        self._goal = self.written + WRITES_BETWEEN_RESTARTS
        self._enough.clear()
        await asyncio.wait_for(self._enough.wait(), 120)

    def stop(self) -> None:
        self._stopped = True
