"""How a request's bytes become values: the struct's own decoder reads the body, and text must be UTF-8 without NUL.

Litestar decodes JSON to plain objects and then converts them leniently: `"12"` would pass for a number. Here msgspec
decodes the bytes into the struct directly. That is stricter, and faster on the hot path. What has two meanings is refused: a
query parameter or a JSON key given twice, a number in another notation than plain digits.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, get_args
from urllib.parse import unquote_plus, unquote_to_bytes

import msgspec
from litestar import Request
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.params import QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from api.json_body import check_content_encoding, check_content_type, check_keys, check_not_empty
from api.problems import BodyIncomplete, BodyTooLarge, from_decoder
from marquee.errors import InputInvalid

MAX_BODY_BYTES: Final = 64 * 1024
"""Bound of an ordinary request's body. Endpoints for subtitle files and completions state their own."""
_INTEGER: Final = re.compile("-?(0|[1-9][0-9]*)")


@lru_cache(256)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


class ApiRequest(Request[Any, Any, Any]):
    """A request whose JSON body is decoded by the type of the handler's `data`."""

    async def json(self) -> Any:
        """The decoded body.

        Raises `InputInvalid` with the field at fault, `ContentTypeRefused` if it is not declared as JSON in UTF-8,
        `ContentEncodingRefused`, `BodyTooLarge`, `BodyIncomplete`.
        """
        body = await self.body()
        check_content_type(tuple(self.headers.getall("content-type", ())))
        check_content_encoding(tuple(self.headers.getall("content-encoding", ())))
        try:
            decoded = _decoder(self._body_kind()).decode(body)
        except msgspec.ValidationError as error:
            raise from_decoder(error) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputInvalid(f"The body is not valid JSON in UTF-8: {error}.", field="body") from error
        check_keys(body)
        return decoded

    async def body(self) -> bytes:
        """The whole body, of a handler that takes one.

        Raises `BodyTooLarge`, `BodyIncomplete` if the client goes away or a chunk is malformed, `InputInvalid` for an empty body.
        """
        try:
            body = await super().body()
        except HTTPException as error:
            if error.status_code == 413:
                limit = self.route_handler.resolve_request_max_body_size()
                raise BodyTooLarge(f"The body is larger than {limit} bytes, the limit of this address.") from error
            raise BodyIncomplete(
                "The connection ended before the whole body arrived, or a chunk of it is malformed: send the request again."
            ) from error
        # Here, because Litestar does not ask for the JSON of an empty body.
        check_not_empty(body, self._body_kind())
        return body

    def _body_kind(self) -> Any:
        field = self.route_handler.parsed_data_field
        return field.annotation if field else Any


class UrlValidation(ASGIMiddleware):
    """Refuses a URL that is not UTF-8 or has a NUL, and query parameters that are unknown, given twice or no plain integers.

    An unknown parameter is refused like an unknown field: `?limt=5` would otherwise be answered with the default limit.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Raises `InputInvalid`, which names the parameter or the part of the URL."""
        query = scope.get("query_string") or b""
        if query and scope.get("method") != "OPTIONS":
            _check(query, "query")
            _check_parameters(query, _query_parameters(scope["route_handler"]))
        raw_path = scope.get("raw_path") or b""
        if b"%" in raw_path:
            _check(raw_path, "path")
        await next_app(scope, receive, send)


def _check_parameters(query: bytes, known: Mapping[str, bool]) -> None:
    seen: set[str] = set()
    for part in query.split(b"&"):
        if not part:
            continue
        raw_name, _, raw_value = part.partition(b"=")
        name = unquote_plus(raw_name.decode())
        if not name:
            raise InputInvalid("A query parameter has no name: write name=value.", field="query")
        if name not in known:
            raise InputInvalid(f"This address has no query parameter {name[:60]}: check its spelling.", field=name[:60])
        if name in seen:
            raise InputInvalid(f"The query parameter {name} stands twice: send it once.", field=name)
        seen.add(name)
        # Litestar would take 1e1 and 5.0 for integers.
        if known[name] and not _INTEGER.fullmatch(value := unquote_plus(raw_value.decode())):
            raise InputInvalid(f"{name}: {value[:60]!r} is no integer: write it in digits alone.", field=name)


@lru_cache(256)
def _query_parameters(handler: BaseRouteHandler) -> Mapping[str, bool]:
    """Each query parameter of the handler -> whether it is an integer."""
    fields = handler.parsed_fn_signature.parameters
    return {
        field.kwarg_definition.name or name: int in (field.annotation, *get_args(field.annotation))
        for name, field in fields.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }


def _check(raw: bytes, field: str) -> None:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise InputInvalid(f"The {field} of the address is not UTF-8.", field=field) from error
    if "\x00" in text:
        raise InputInvalid(f"The {field} of the address has a NUL character.", field=field)
