"""Moving all resume positions from one store to another while both are in use.

The old store is gone through again and again: what goes before what the new one has is written there. It ends with a pass
that went through everything and moved nothing. When the last process that writes to the old store ended before such a pass
began, everything is in the new one: what is acknowledged before a scan begins is seen by it. Doing any of it twice does no
harm, so a move that was broken off goes on from the place of its last page.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Final

from marquee.stores.resume_positions.contract import MovableResumePositions, Page, key_of, precedence

PAUSE_SECONDS: Final = 1.0
"""Between passes: while something still writes to the old store there is no hurry."""


@dataclass(frozen=True)
class Pass:
    """One way through the old store, so far. Counts are of events."""

    number: int = 1
    read: int = 0
    moved: int = 0
    cursor: str | None = None
    """Behind the last page that was moved; None at the beginning."""
    whole: bool = True
    """False: it goes on with an earlier command's, and what was written before its cursor meanwhile is not in it."""
    ended: bool = False


def resumed(last: Pass) -> Pass:
    """Where to go on after a move that was broken off, from the last that it yielded."""
    if last.ended or last.cursor is None:
        return Pass(last.number + last.ended)
    return replace(last, whole=False)


async def move(
    source: MovableResumePositions, target: MovableResumePositions, *, begin: Pass
) -> AsyncGenerator[Pass, None]:
    """Move everything; yields after each page and at the end of each pass, the last of which moved nothing.

    Raises `StoreUnavailable`, and `InputInvalid` for a cursor of another engine.
    """
    current = begin
    while True:
        async for page in source.scan(after=current.cursor):
            moved = await _move_page(page, target)
            current = replace(
                current, read=current.read + len(page.events), moved=current.moved + moved, cursor=page.cursor
            )
            yield current
        yield replace(current, ended=True)
        if current.whole and not current.moved:
            return
        await asyncio.sleep(PAUSE_SECONDS)
        current = Pass(current.number + 1)


async def _move_page(page: Page, target: MovableResumePositions) -> int:
    kept = await target.events([key_of(event) for event in page.events])
    newer = [
        event
        for event in page.events
        if (known := kept.get(key_of(event))) is None or precedence(event) > precedence(known)
    ]
    await target.record_many(newer)
    return len(newer)
