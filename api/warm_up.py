"""What an API process does before its first request: it reads everything that a home page and a search read.

A new process has no connections, and its first calls load code. A first home page would meet all of that within one row's
time-out, and would lack its rows. So the process reads the page itself, as a viewer who has watched nothing, until no row is
missing. It serves after `WARM_UP_SECONDS` at the latest: engines may be down when it starts. It is ready (`/readyz`) only when
a whole page has been read; each probe tries again.
"""

import asyncio
import time
from typing import Final

from api.auth.tokens import Caller
from api.home.service import HomeService
from api.rows.single_flight import SingleFlight
from marquee import deadlines
from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.stores.search.contract import SearchIndex

WARM_UP_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.1
NOBODY: Final = Caller("a_" + "0" * 20, "p_" + "0" * 20, "viewer", 0.0)

log = get_logger()


class WarmUp:
    """Reads a page until one is whole. `done` from then on."""

    def __init__(self, home: HomeService, search: SearchIndex) -> None:
        self._home = home
        self._search = search
        self._tries: SingleFlight[None] = SingleFlight("warm-up")
        self.done = False

    async def run(self) -> None:
        """Try for `WARM_UP_SECONDS`. A failure is logged: the process starts anyway, and is not ready."""
        until = time.monotonic() + WARM_UP_SECONDS
        while (left := until - time.monotonic()) > 0:
            try:
                with deadlines.limited(left):
                    async with asyncio.timeout(left):
                        await self._read()
            except (StoreUnavailable, TimeoutError) as error:
                log.warning("the warm-up is not complete", reason=str(error) or "it took too long")
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return

    async def ping(self) -> None:
        """Raises `StoreUnavailable`, which names the missing rows, until a whole page has been read once."""
        if not self.done:
            await self._tries.join("page", self._read)

    async def _read(self) -> None:
        page = await self._home.page(NOBODY, limit=10, cursor=None, is_counted=False)
        if page.degraded:
            raise StoreUnavailable(f"these rows cannot be read: {', '.join(one.id for one in page.degraded)}")
        await self._search.search("a", limit=1)
        self.done = True
