"""Gives every request its deadline, and answers 503 in its place when a handler is not ready by then.

A request has `MARQUEE_REQUEST_DEADLINE_SECONDS`; a handler with `opt=LONG` has `LONG_SECONDS`, and each call of a store in it
the usual time. The stores read the deadline (`marquee.deadlines`) and end their own waits with it, each with a sentence of its
own. `GRACE_SECONDS` later the handler is cancelled. The time starts anew with each part of the
request's body, because a client's slow line is not the platform's. A response that has begun is never cut off.
"""

import asyncio
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from marquee import deadlines
from marquee.errors import StoreUnavailable

LONG_SECONDS: Final = 25.0
"""For requests that join a film's parts or remove a title's objects. The gateway gives up after 30 s."""
GRACE_SECONDS: Final = 0.2
LONG: Final[dict[str, Any]] = {"is_long": True}
"""`opt` of a handler whose request may take `LONG_SECONDS`."""


class RequestDeadline(ASGIMiddleware):
    """`seconds`: what an ordinary request has."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Raises `StoreUnavailable` for a request that is not answered in time."""
        is_long = scope["route_handler"].opt.get("is_long", False)
        seconds = max(LONG_SECONDS, self._seconds) if is_long else self._seconds
        clock = asyncio.get_running_loop().time
        has_begun = False
        try:
            with deadlines.limited(seconds, call_seconds=self._seconds) as deadline:
                async with asyncio.timeout(seconds + GRACE_SECONDS) as limit:

                    async def receive_body() -> Any:
                        _move(limit, None)
                        message = await receive()
                        deadline.restart()
                        _move(limit, None if has_begun else clock() + seconds + GRACE_SECONDS)
                        return message

                    async def send_response(message: Message) -> None:
                        nonlocal has_begun
                        has_begun = True
                        _move(limit, None)
                        await send(message)

                    await next_app(scope, receive_body, send_response)
        except TimeoutError as error:
            if has_begun:
                raise
            raise StoreUnavailable(
                f"There was no answer within {seconds:.1f} s. If the request changes something, "
                "that may have happened or not: read the value before you repeat it."
            ) from error


def _move(limit: asyncio.Timeout, when: float | None) -> None:
    # A handler that is being cancelled may still send an answer. Its time-out cannot be moved any more.
    if not limit.expired():
        limit.reschedule(when)
