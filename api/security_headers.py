"""What every answer of the API tells a browser: load nothing, be in no frame, guess no media type, send no address on.

A handler whose page must load something sets a policy of its own.
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
    """For the answer to this request alone."""
    request.scope["state"][_POLICY_KEY] = policy


async def add_security_headers(message: Message, scope: Scope) -> None:
    """Litestar calls this before it sends: errors and answers without a handler have the headers too."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", scope["state"].get(_POLICY_KEY, _NOTHING))
