"""Writers of resume positions that record which writes were acknowledged: after any number of kills all must be stored."""

import asyncio
from collections.abc import Awaitable, Callable

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.errors import StoreUnavailable
from marquee.ingest.outages import through_outages
from marquee.stores.resume_positions.contract import (
    Event,
    Key,
    MovableResumePositions,
    ResumePosition,
    key_of,
    precedence,
)

WRITERS = 16
WRITES_BETWEEN_KILLS = 1000
RETURN_SECONDS = 180
"""Long enough for an engine to come back on a machine with all cores busy."""


async def acknowledged_positions_outlive(
    kill: Callable[[], Awaitable[None]], positions: MovableResumePositions, *, kills: int
) -> None:
    """Write without a pause while `kill` kills the engine and waits until it runs again. No acknowledged position may be lost."""
    acknowledged: dict[Key, Event] = {}
    written = 0
    goal = WRITES_BETWEEN_KILLS
    enough = asyncio.Event()
    stopped = False
    moment = 1_700_000_000_000

    async def write() -> None:
        nonlocal moment, written
        user_id, movies = new_profile_id(), [new_movie_id() for _ in range(5)]
        while not stopped:
            moment += 1
            position = ResumePosition(user_id, movies[moment % 5], moment % 7_200_000, moment)
            try:
                await positions.record(position)
            except StoreUnavailable:
                continue  # not acknowledged; the client sends its next one
            acknowledged[key_of(position)] = position
            written += 1
            if written >= goal:
                enough.set()

    writers = [asyncio.create_task(write()) for _ in range(WRITERS)]
    for _ in range(kills):
        await asyncio.wait_for(enough.wait(), RETURN_SECONDS)
        before = dict(acknowledged)
        await kill()
        goal = written + WRITES_BETWEEN_KILLS
        enough.clear()
        await _all_there(positions, before)
    await asyncio.wait_for(enough.wait(), RETURN_SECONDS)
    stopped = True
    await asyncio.gather(*writers)
    await _all_there(positions, acknowledged)


async def _all_there(positions: MovableResumePositions, acknowledged: dict[Key, Event]) -> None:
    # Whoever reads while the engine is away may be told so; it has to come back, with everything.
    found = await through_outages(lambda: positions.events(list(acknowledged)), seconds=RETURN_SECONDS)
    for key, event in acknowledged.items():
        assert key in found, f"{event} was acknowledged and is gone"
        assert precedence(found[key]) >= precedence(event), f"{event} was acknowledged, and {found[key]} is kept"
