"""How a request's bytes become values: the struct's own decoder reads the body, and text must be UTF-8 without NUL.

Litestar decodes JSON to plain objects and then converts them leniently: `"12"` would pass for a number. Here msgspec
decodes the bytes into the struct directly. That is stricter, and faster on the hot path.
"""

from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_plus, unquote_to_bytes

import msgspec
from litestar import Request
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.params import QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from api.problems import ContentTypeRefused, from_decoder
from marquee.errors import InputInvalid

MAX_BODY_BYTES: Final = 64 * 1024
"""Bound of an ordinary request's body. Endpoints for subtitle files and completions state their own."""


@lru_cache(256)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


class ApiRequest(Request[Any, Any, Any]):
    """A request whose JSON body is decoded by the type of the handler's `data`."""

    async def json(self) -> Any:
        """The decoded body.

        Raises `ContentTypeRefused` if it is not declared as JSON, `InputInvalid` with the field at fault.
        """
        content_type = self.content_type[0].lower()
        body = await self.body()
        if content_type != "application/json" and not content_type.endswith("+json"):
            raise ContentTypeRefused(
                f"Send the body as application/json, not as {content_type[:100] or 'nothing'}.", field="content-type"
            )
        field = self.route_handler.parsed_data_field
        try:
            return _decoder(field.annotation if field else Any).decode(body)
        except msgspec.ValidationError as error:
            raise from_decoder(error) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputInvalid(f"The body is not valid JSON in UTF-8: {error}.", field="body") from error


class UrlValidation(ASGIMiddleware):
    """Refuses a URL that is not UTF-8 or has a NUL, and query parameters that the handler does not know.

    An unknown parameter is refused like an unknown field: `?limt=5` would otherwise be answered with the default limit.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Raises `InputInvalid`, which names the parameter or the part of the URL."""
        query = scope.get("query_string") or b""
        if query:
            _check(query, "query")
            known = _query_parameters(scope["route_handler"])
            for part in query.split(b"&"):
                name = unquote_plus(part.partition(b"=")[0].decode())
                if part and name not in known:
                    raise InputInvalid(
                        f"This address has no query parameter {name[:60]}: check its spelling.",
                        field=name[:60] or "query",
                    )
        raw_path = scope.get("raw_path") or b""
        if b"%" in raw_path:
            _check(raw_path, "path")
        await next_app(scope, receive, send)


@lru_cache(256)
def _query_parameters(handler: BaseRouteHandler) -> frozenset[str]:
    fields = handler.parsed_fn_signature.parameters
    return frozenset(
        field.kwarg_definition.name or name
        for name, field in fields.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    )


def _check(raw: bytes, field: str) -> None:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise InputInvalid(f"The {field} of the address is not UTF-8.", field=field) from error
    if "\x00" in text:
        raise InputInvalid(f"The {field} of the address has a NUL character.", field=field)
