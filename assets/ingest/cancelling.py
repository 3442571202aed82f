"""How a stage learns that its version was cancelled, or its title deleted, and how its run ends then.

A stage looks once a second. Its work is cancelled with the programs that it started, and what the version stored is removed. The
run ends with the reason, and is not retried. The sensor `cancelled_ingests` ends runs that have not begun.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from marquee.domain.lifecycle import CANCELLED, FOLLOWED_SENTENCES
from marquee.errors import IngestCancelled, MarqueeError, SettingsInvalid, StoreUnavailable, TitleUnknown
from marquee.ingest.unfinished import remove_cancelled
from marquee.logs import get_logger
from marquee.stores.catalogue.contract import Versions
from marquee.stores.catalogue.values import Upload
from marquee.stores.opened import Stores

LOOK_SECONDS: Final = 1.0

log = get_logger()


@asynccontextmanager
async def until_cancelled(versions: Versions, upload: Upload) -> AsyncIterator[None]:
    """Cancel the block once the upload's version is cancelled or its title deleted.

    Raises `IngestCancelled` or `TitleUnknown` then. With the catalogue down, the block goes on.
    """
    working = asyncio.current_task()
    assert working is not None, "a stage runs in a task"
    ended: MarqueeError | None = None

    async def watch() -> None:
        nonlocal ended
        while ended is None:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                ended = await _end_of(versions, upload)
            except Exception:
                # The watch must not end unseen: then no cancellation would reach the stage.
                log.exception("looking for a cancellation failed", movie_id=upload.movie_id, version=upload.version)
        working.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if ended is None:
            raise
    finally:
        watching.cancel()
    if ended is not None:
        # The block may have ended in the same moment: then its cancellation is delivered here.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        working.uncancel()
        raise ended


async def _end_of(versions: Versions, upload: Upload) -> MarqueeError | None:
    try:
        version = await versions.get(upload.movie_id, upload.version)
    except TitleUnknown as deleted:
        return deleted
    except StoreUnavailable:
        return None
    return IngestCancelled(version.reason or FOLLOWED_SENTENCES[CANCELLED]) if version.state == CANCELLED else None


async def remove_what_it_stored(stores: Stores, upload: Upload) -> None:
    """With a store down, housekeeping removes it (`remove_cancelled_versions`)."""
    with contextlib.suppress(StoreUnavailable, SettingsInvalid):
        await remove_cancelled(stores, upload.movie_id, upload.version)
