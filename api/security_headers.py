"""Security headers of every answer: load nothing, be in no frame, guess no media type, send no referrer to other sites.

Litestar calls `add_security_headers` before each answer. A handler whose page must load something sets its own policy
with `set_content_security_policy` (`api.documentation`).
"""

from typing import Any, Final

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

_POLICY_KEY: Final = "content_security_policy"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def set_content_security_policy(request: Request[Any, Any, Any], policy: str) -> None:
    """Replace the default policy for the answer to this request."""
    request.scope["state"][_POLICY_KEY] = policy


async def add_security_headers(message: Message, scope: Scope) -> None:
    """Add the headers that are missing.

    Litestar calls this before it sends, so errors and unrouted answers have them too.
    """
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", scope["state"].get(_POLICY_KEY, _NOTHING))
