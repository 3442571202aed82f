"""What HTTP demands of every exchange, for all handlers: HEAD, Allow, the unread body, the longest address.

- HEAD is answered as GET is, with the same headers and no body. `Allow` lists HEAD beside GET.
- An answer may leave before its request's body was read (413, 401, 429). The rest of the body is read and dropped first, up to
  `MAX_DROPPED_BYTES`. Else the server closes a connection with unread bytes, the kernel resets it, and the gateway says 503
  instead of the answer (3 of 61 bodies over the limit).
- An address longer than `MAX_ADDRESS_BYTES` is 414.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final, cast

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from api.problems import send_problem
from api.unannounced_proxy import UnannouncedProxy
from api.wire import Problem
from marquee.http_problems import BY_STATUS

MAX_DROPPED_BYTES: Final = 16 * 1024**2
"""Unread bytes that are read before an early answer. The gateway forwards at most 4 MiB."""
DROP_SECONDS: Final = 5.0
MAX_ADDRESS_BYTES: Final = 8 * 1024
"""Path and query. The longest valid search with a cursor has 4 KiB."""


class HttpExchange:
    """Wraps Litestar's ASGI handler."""

    def __init__(self, app: Litestar) -> None:
        self._app = app.asgi_handler
        self._proxies = UnannouncedProxy()
        self._methods: dict[str, set[str]] = {}
        for route in app.routes:
            if isinstance(route, HTTPRoute):
                self._methods.setdefault(route.path_format, {"OPTIONS"}).update(route.methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        self._proxies.look(headers)
        exchange = _Exchange(scope, headers, receive, send, self._methods)
        if len(scope.get("raw_path") or b"") + len(scope["query_string"] or b"") > MAX_ADDRESS_BYTES:
            await exchange.refuse(414)
            return
        if exchange.head:
            scope["method"] = "GET"
        await self._app(scope, exchange.receive, exchange.send)


class _Exchange:
    """One request and its answer."""

    def __init__(
        self,
        scope: Scope,
        names: Mapping[bytes, bytes],
        receive: Receive,
        send: Send,
        methods: Mapping[str, set[str]],
    ) -> None:
        self._scope = scope
        self._methods = methods
        self._receive: Any = receive
        self._send = send
        method = cast("HTTPScope", scope)["method"]
        self.head = method == "HEAD"
        self._options = method == "OPTIONS"
        # A client that waits for `100 Continue` has not sent its body, and does not after a final answer.
        self._unread = b"expect" not in names and (
            b"transfer-encoding" in names or names.get(b"content-length", b"0") != b"0"
        )

    async def receive(self) -> HTTPReceiveMessage:
        message: HTTPReceiveMessage = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._unread:
                await self._drop_body()
            if self._options or message["status"] == 405:
                self._state_methods(message)
        elif self.head and message["type"] == "http.response.body":
            if message.get("more_body"):
                return
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _drop_body(self) -> None:
        dropped = 0
        # What did not arrive in time is the client's loss: its answer may be lost.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DROP_SECONDS):
                while self._unread and dropped < MAX_DROPPED_BYTES:
                    message = await self.receive()
                    dropped += len(message.get("body") or b"") if message["type"] == "http.request" else 0

    async def refuse(self, status: int) -> None:
        """Answer with the general problem of this status, without a handler."""
        one = BY_STATUS[status]
        problem = Problem(title=one.title, status=one.status, code=one.code, detail=one.detail)
        await send_problem(self.send, problem)

    def _state_methods(self, message: Message) -> None:
        """Make `Allow` complete. Litestar's own leaves out HEAD, and for OPTIONS all but one handler of the address."""
        headers = MutableScopeHeaders.from_message(message)
        known = self._methods.get(self._scope.get("path_template") or "")
        stated = known or {each.strip() for each in headers.get("allow", "").split(",")}
        headers["allow"] = ", ".join(sorted(stated | ({"HEAD"} if "GET" in stated else set())))
