"""How a process of the API leaves without losing a request: it goes on answering while the gateway turns away from it.

`Draining` wraps the application. From `begin` on, the health endpoints answer 503, and every other answer carries two
headers: one marks this process as unhealthy at once in Envoy, the other closes the connection after the answer. So no
request is on its way to a connection that is about to be closed. `finish` returns when the gateway has had time to notice
and no more requests arrive. The server stops after that (`api.server`).
"""

import asyncio
import time
from typing import Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import send_problem
from api.wire import Problem

NOTICE_SECONDS: Final = 1.5
"""The gateway asks for the health of each process once a second (`gateway.yaml.jinja`). This is longer."""
QUIET_SECONDS: Final = 0.3
"""Without a request for so long, no gateway sends to this process any more."""
MAX_SECONDS: Final = 6.0
"""A client that ignores the health endpoints does not keep the process from stopping."""
HEALTH_PATHS: Final = frozenset(("/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz"))
_HEADERS: Final = {"x-envoy-immediate-health-check-fail": "true", "connection": "close"}
_PROBLEM: Final = Problem(
    title="This process of the API is stopping", status=503, code="draining", detail="Another process answers."
)


class Draining:
    """The application, and whether this process is about to stop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_draining = False
        self._last_request = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; while draining, mark its answer."""
        if not self._is_draining or "path" not in scope:
            await self._app(scope, receive, send)
        elif scope["path"] in HEALTH_PATHS:
            await send_problem(send, _PROBLEM, _HEADERS)
        else:
            self._last_request = time.monotonic()
            await self._app(scope, receive, _marked(send))

    def begin(self) -> None:
        """From now on say that this process is stopping. May be repeated."""
        self._is_draining = True

    async def finish(self) -> None:
        """Wait until no gateway sends any more: NOTICE_SECONDS, then until QUIET_SECONDS pass without a request."""
        self.begin()
        begun = time.monotonic()
        self._last_request = begun
        while True:
            now = time.monotonic()
            due = max(begun + NOTICE_SECONDS, self._last_request + QUIET_SECONDS)
            if now >= min(due, begun + MAX_SECONDS):
                return
            await asyncio.sleep(min(due - now, QUIET_SECONDS))


def _marked(send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message["headers"] = [*message["headers"], *added]
        await send(message)

    return marked
