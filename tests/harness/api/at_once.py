"""A client of an application in this event loop. Its requests run at the same time if they are sent at the same time.

Litestar's `AsyncTestClient` blocks the event loop until each answer is there, so `asyncio.gather` over it sends one request after
the other. A test of races, floods or engines that hang needs this client.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from litestar import Litestar

from api.app import create_app
from marquee.settings import Settings


class ConcurrentClient(httpx.AsyncClient):
    """A fault of the application shows as the 500 that a client would get."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # the same protocol
        super().__init__(transport=transport, base_url="http://testserver.local")


@asynccontextmanager
async def concurrent_client(settings: Settings) -> AsyncIterator[ConcurrentClient]:
    """An application of its own over these settings' engines."""
    app = create_app(settings)
    started, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        # A task of its own: the lifespan has to end in the task that began it, and a fixture may end in another one.
        async with app.lifespan():
            started.set()
            await over.wait()

    living = asyncio.create_task(live())
    living.add_done_callback(lambda _: started.set())
    await started.wait()
    try:
        async with ConcurrentClient(app) as client:
            yield client
    finally:
        over.set()
        await living
