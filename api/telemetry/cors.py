"""CORS of the telemetry URL: a player on any site may post to it, and read the status and Retry-After of the answer.

The URL's signature is all that counts, so no credentials are allowed and none are needed. `application/json` and
`application/cmcd` need the preflight that is answered here; `text/plain` needs none.
"""

from typing import Final

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from marquee.telemetry_token import TELEMETRY_PATH

_ANSWER: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
_PREFLIGHT: Final = {
    **_ANSWER,
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}


async def add_telemetry_cors(message: Message, scope: Scope) -> None:
    """Litestar calls this before it sends, so errors have the headers too."""
    if message["type"] != "http.response.start" or not str(scope.get("path", "")).startswith(TELEMETRY_PATH):
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in (_PREFLIGHT if scope.get("method") == "OPTIONS" else _ANSWER).items():
        headers[name] = value
