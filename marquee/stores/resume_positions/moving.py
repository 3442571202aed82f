"""Moves all resume positions from one store to another while both are in use.

The move scans the old store in passes. Each event that wins over the new store's event is written to the new store. The move
ends with a complete pass that moved nothing. If the last process that writes to the old store ended before that pass began, the
new store has everything: a scan sees each write that was acknowledged before it began. Every step may be repeated, so an
interrupted move continues after its last page.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Final

from marquee.stores.resume_positions.contract import MovableResumePositions, Page, key_of, precedence

PAUSE_SECONDS: Final = 1.0
"""Pause between passes, which are repeated only while processes still write to the old store."""


@dataclass(frozen=True)
class Pass:
    """Progress of one pass through the old store. `read` and `moved` count events."""

    number: int = 1
    read: int = 0
    moved: int = 0
    cursor: str | None = None
    """After the last page that was moved; None at the beginning."""
    whole: bool = True
    """False if the pass continues an interrupted command's pass: it then misses later writes to pages that were read before."""
    ended: bool = False


def resumed(last: Pass) -> Pass:
    """Where an interrupted move continues. `last`: the last pass that it yielded."""
    if last.ended or last.cursor is None:
        return Pass(last.number + last.ended)
    return replace(last, whole=False)


async def move(
    source: MovableResumePositions, target: MovableResumePositions, *, begin: Pass
) -> AsyncGenerator[Pass, None]:
    """Move all events. Yields the progress after each page and at the end of each pass.

    Raises `StoreUnavailable`, and `InputInvalid` if the cursor of `begin` is of another engine.
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
