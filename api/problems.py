"""Turns every error into an RFC 9457 problem document, which names the field if one is at fault.

There is one exception handler. The platform's own errors carry their status; errors of Litestar and of the decoder are
translated. Any other exception is a fault of the platform: it is logged with its traceback and answered by a 500
without details.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import Send

from api.wire import FieldProblem, OpenUploadOfProblem, Problem
from marquee.domain.upload_quota import UploadQuotaExceeded
from marquee.errors import InputInvalid, MarqueeError, TooManyRequests
from marquee.http_problems import BY_STATUS, PROBLEM_MEDIA_TYPE, RETRY_AFTER_SECONDS
from marquee.logs import get_logger

_LITESTAR: Final = {
    **{status: (one.code, one.title, one.detail) for status, one in BY_STATUS.items()},
    400: (InputInvalid.code, InputInvalid.title, None),
}
"""HTTP status -> (code, title, detail) for errors that Litestar raises. A detail of Litestar's own says more."""
_PATH = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")
_NAMED = re.compile(r"(?:missing required|unknown) field `(.*)`")

log = get_logger()


class BodyTooLarge(MarqueeError):
    """The request's body is larger than its endpoint allows."""

    status = 413
    code = "body-too-large"
    title = "The request's body is too large"


class BodyIncomplete(MarqueeError):
    """The request's body ended early: the client went away, or a chunk is malformed."""

    status = 400
    code = "body-incomplete"
    title = "The request's body ended early"


class ContentEncodingRefused(MarqueeError):
    """The request's body is compressed."""

    status = 415
    code = "content-encoding-refused"
    title = "The body has to be sent without a content coding"


class ContentTypeRefused(MarqueeError):
    """The request's body is not declared as JSON in UTF-8."""

    status = 415
    code = "content-type-refused"
    title = "The body has to be JSON"


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """A handler's problem responses for OpenAPI: `statuses`, and 400, 429 and 503, which any request may get."""
    # Client generators read OpenAPI: a generated client does not handle an undocumented status.
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=HTTPStatus(status).phrase,
            media_type=PROBLEM_MEDIA_TYPE,
            generate_examples=False,
        )
        for status in sorted({*statuses, 400, 429, 503})
    }


def field_of(message: str) -> tuple[str, str]:
    """(dotted field, message without its path) of a message of msgspec.

    The field is empty if the message names none.
    """
    path = _PATH.search(message)
    field = path.group(1) if path else ""
    plain = _PATH.sub("", message)
    named = _NAMED.search(plain)
    if named:
        field = f"{field}.{named.group(1)}" if field else named.group(1)
    return field, plain


def from_decoder(error: msgspec.ValidationError) -> InputInvalid:
    """msgspec's error as the platform's own, with the field."""
    field, plain = field_of(str(error))
    return InputInvalid(f"{plain}." if not field else f"{field}: {plain}.", field=field or None)


def _problem(request: Request[Any, Any, Any], error: Exception) -> Problem:
    path = request.scope.get("path")
    if isinstance(error, MarqueeError):
        fields = [FieldProblem(field=error.field, detail=error.detail)] if error.field else []
        return Problem(
            title=error.title,
            status=error.status,
            code=error.code,
            # The detail of an internal fault goes to the log only: it may show internals.
            detail=error.detail if error.status < 500 or error.status == 503 else None,
            instance=path,
            field=error.field,
            errors=fields,
            open_uploads=_open_uploads(error),
        )
    if isinstance(error, HTTPException) and error.status_code < 500:
        phrase = HTTPStatus(error.status_code).phrase
        code, title, general = _LITESTAR.get(error.status_code, ("input-invalid", phrase, None))
        # Litestar's detail is the status's phrase where it has nothing to say.
        detail = general if error.detail in ("", phrase) else error.detail
        fields = (
            _validation_fields(error.extra, _stated_names(request)) if isinstance(error, ValidationException) else []
        )
        return Problem(
            title=title,
            status=error.status_code,
            code=code,
            detail="; ".join(f"{one.field}: {one.detail}" for one in fields) or detail or None,
            instance=path,
            field=fields[0].field if fields else None,
            errors=fields,
        )
    return Problem(title=MarqueeError.title, status=500, code=MarqueeError.code, instance=path)


def _open_uploads(error: MarqueeError) -> list[OpenUploadOfProblem]:
    if not isinstance(error, UploadQuotaExceeded):
        return []
    return msgspec.convert(error.open_uploads, type=list[OpenUploadOfProblem], from_attributes=True)


def _stated_names(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Parameter of the handler -> its name in the request, where they differ: `state` is a word of Litestar's own."""
    parameters = request.route_handler.parsed_fn_signature.parameters
    named = {name: getattr(field.kwarg_definition, "name", None) for name, field in parameters.items()}
    return {name: stated for name, stated in named.items() if stated}


def _validation_fields(extra: object, stated_names: Mapping[str, str]) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    for one in extra if isinstance(extra, Sequence) else []:
        if isinstance(one, dict):
            path, plain = field_of(str(one.get("message", "")))
            name = str(one.get("key") or path or "")
            found.append(FieldProblem(field=stated_names.get(name, name), detail=plain))
    return found


def _headers(problem: Problem, retry_after_seconds: int = RETRY_AFTER_SECONDS) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if problem.status in (429, 503):
        headers["Retry-After"] = str(retry_after_seconds)
    return headers


async def send_problem(send: Send, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
    """Answer with a problem, outside of Litestar: for what wraps the application."""
    body = msgspec.json.encode(problem)
    own = {"Content-Type": PROBLEM_MEDIA_TYPE, "Content-Length": str(len(body))}
    stated = {**own, **_headers(problem), **(headers or {})}
    encoded = [(name.lower().encode(), value.encode()) for name, value in stated.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the whole application."""
    problem = _problem(request, error)
    headers = _headers(
        problem, error.retry_after_seconds if isinstance(error, TooManyRequests) else RETRY_AFTER_SECONDS
    )
    if isinstance(error, HTTPException) and error.headers:
        headers |= {name: str(value) for name, value in error.headers.items()}
    if isinstance(error, ContentEncodingRefused):
        headers["Accept-Encoding"] = "identity"
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="marquee"'
    if problem.status >= 500 and problem.status != 503:
        log.error("request failed", path=problem.instance, exc_info=error)
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_MEDIA_TYPE, headers=headers
    )
