"""Every error that a server in front of the platform's code answers by itself: gateway, edges, S3's proxy, web client's server.

One entry for each HTTP status, or several where one status has several reasons. The templates of Envoy and nginx are filled
from these entries, the API takes code and title of Litestar's errors from them, and docs/api.md lists them. Each answer is an
RFC 9457 problem document and is never cacheable. Errors that the platform's code raises are in `marquee.errors`.
"""

import json
from dataclasses import dataclass
from typing import Final

RETRY_AFTER_SECONDS: Final = 2
"""Retry-After of 502, 503 and 504: seconds until another request is worth its cost."""
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True)
class HttpProblem:
    """One error. `code` is for programs and never changes; `detail` says what is wrong and what to do."""

    status: int
    code: str
    title: str
    detail: str
    retry_after_seconds: int | None = None

    @property
    def document(self) -> str:
        """The problem document as JSON."""
        fields = {"type": "about:blank", "title": self.title, "status": self.status, "code": self.code}
        return json.dumps({**fields, "detail": self.detail})


REQUEST_MALFORMED: Final = HttpProblem(
    400,
    "request-malformed",
    "This is not a well-formed HTTP request",
    "The request line, a header or the body's framing breaks the rules of HTTP. Send the request with an HTTP library.",
)
TARGET_REFUSED: Final = HttpProblem(
    400,
    "request-target-refused",
    "The request line names no path",
    "Send the path alone in the request line, as in `GET /api/v1/home HTTP/1.1`. This is no proxy for other hosts.",
)
UPGRADE_REFUSED: Final = HttpProblem(
    403,
    "upgrade-refused",
    "This is not offered here",
    "The gateway offers no upgrade, such as WebSocket, no tunnel, and no other scheme than the connection's.",
)
HTTPS_NEEDED: Final = HttpProblem(
    403,
    "https-needed",
    "This is sent by https only",
    "What this request contained has gone over the network in the open. Send it to the https address.",
)
PATH_UNSIGNED: Final = HttpProblem(
    403,
    "path-unsigned",
    "This address has no signature",
    "An edge serves signed stream paths and pictures only. Ask GET /api/v1/stream for a stream_url.",
)
SIGNATURE_INVALID: Final = HttpProblem(
    403,
    "signature-invalid",
    "The signature does not fit this address",
    "The path was changed after it was signed. Ask GET /api/v1/stream for a stream_url and use it unchanged.",
)
URL_EXPIRED: Final = HttpProblem(
    403,
    "url-expired",
    "The signed address has expired",
    "Ask GET /api/v1/stream for a new stream_url.",
)
FILE_UNAVAILABLE: Final = HttpProblem(
    403,
    "file-unavailable",
    "This file cannot be read",
    "There is no such file, or it was removed. Ask GET /api/v1/stream for a new stream_url.",
)
ORIGIN_FAILED: Final = HttpProblem(
    502,
    "origin-failed",
    "The origin did not answer as it should",
    "The edge could not read the file from its origin. Try again, or use another edge.",
    RETRY_AFTER_SECONDS,
)

NOT_PRESIGNED: Final = HttpProblem(
    403,
    "not-presigned",
    "The URL is not presigned",
    "Ask POST /api/v1/uploads/{id}/parts for a URL of this part, and use it unchanged.",
)
PART_TOO_SLOW: Final = HttpProblem(
    408,
    "part-too-slow",
    "The part came too slowly",
    "Send this part again, with fewer parts at the same time.",
)
PART_TOO_LARGE: Final = HttpProblem(
    413,
    "part-too-large",
    "The part is larger than any part of an upload",
    "PUT exactly the size_bytes that the API gave for this part.",
)

BY_STATUS: Final = {
    one.status: one
    for one in (
        REQUEST_MALFORMED,
        HttpProblem(
            401,
            "not-authenticated",
            "Log in first",
            "Send a valid access token: `Authorization: Bearer ...`, from POST /api/v1/sessions.",
        ),
        HttpProblem(
            403,
            "not-permitted",
            "This is not permitted",
            "The request asks for something that this address never allows.",
        ),
        HttpProblem(404, "not-found", "There is nothing at this address", "Check the spelling of the path."),
        HttpProblem(
            405,
            "method-not-allowed",
            "This address does not know that method",
            "Use one of the methods that the header Allow lists.",
        ),
        HttpProblem(
            408,
            "request-timeout",
            "The request did not arrive in time",
            "Send the whole request again, without pauses.",
        ),
        HttpProblem(411, "length-required", "The body has no length", "Send Content-Length with the body."),
        HttpProblem(
            412,
            "precondition-failed",
            "The file is not the one that the request names",
            "If-Match or If-Unmodified-Since does not fit the file. Read it again without the condition.",
        ),
        HttpProblem(
            413,
            "request-too-large",
            "The request is larger than this platform accepts",
            "Send a smaller body. Media goes to S3 by presigned URLs.",
        ),
        HttpProblem(414, "address-too-long", "The address is too long", "Send a shorter path and query."),
        HttpProblem(
            415,
            "content-type-refused",
            "The body has to be JSON",
            "Send the body as application/json in UTF-8, without Content-Encoding.",
        ),
        HttpProblem(
            416,
            "range-not-satisfiable",
            "The file does not have this range",
            "The range begins past the end. The header Content-Range gives the file's size.",
        ),
        HttpProblem(421, "misdirected-request", "This server does not answer for that host", "Check the header Host."),
        HttpProblem(
            426,
            "http-version-refused",
            "This version of HTTP is too old",
            "Send the request by HTTP/1.1 or HTTP/2.",
        ),
        HttpProblem(
            429,
            "too-many-requests",
            "Too many requests",
            "Wait as many seconds as the header Retry-After says.",
            RETRY_AFTER_SECONDS,
        ),
        HttpProblem(
            431,
            "headers-too-large",
            "The headers are too large or too many",
            "Send fewer and shorter headers (at most 60, 8 KB each) and a shorter address.",
        ),
        HttpProblem(
            500, "internal-error", "Something went wrong on our side", "Try again; the operators see this error."
        ),
        HttpProblem(
            501,
            "not-implemented",
            "This platform does not implement what the request needs",
            "Of transfer codings, only `chunked` is known. Send the body with Content-Length.",
        ),
        HttpProblem(
            502,
            "upstream-invalid",
            "A part of the platform gave no valid answer",
            "Try again in some seconds.",
            RETRY_AFTER_SECONDS,
        ),
        HttpProblem(
            503,
            "platform-unavailable",
            "The platform is not reachable",
            "A part of the platform starts, restarts or is overloaded. Try again in some seconds.",
            RETRY_AFTER_SECONDS,
        ),
        HttpProblem(
            504,
            "platform-timeout",
            "The platform did not answer in time",
            "Try again in some seconds. The request may have had its effect.",
            RETRY_AFTER_SECONDS,
        ),
        HttpProblem(
            505,
            "http-version-unknown",
            "This version of HTTP is not known here",
            "Send the request by HTTP/1.1 or HTTP/2.",
        ),
    )
}
"""Status -> its general problem."""

GATEWAY_REASONS: Final = (TARGET_REFUSED, UPGRADE_REFUSED)
"""What the gateway says instead of the general 404 and 403."""
EDGE_REASONS: Final = (PATH_UNSIGNED, SIGNATURE_INVALID, URL_EXPIRED, FILE_UNAVAILABLE, ORIGIN_FAILED)
"""What an edge says instead of the general 403 and 502."""
S3_REASONS: Final = (NOT_PRESIGNED, PART_TOO_SLOW, PART_TOO_LARGE)
"""What S3's proxy says instead of the general 403, 408 and 413. Of S3 itself it passes everything on."""


def web_client_missing(remedy: str) -> HttpProblem:
    """The web client is not built. `remedy` says how to get it on this installation."""
    return HttpProblem(404, "web-client-missing", "The web client is not here", f"To get the web client, {remedy}.")
