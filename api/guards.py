"""Checks the access token of every request and puts the `Caller` into its scope.

The guard is set on the router of `/api/v1`, so an endpoint needs a token unless it has `opt={"public": True}`. With
`opt={"right": ...}` it needs a right above `watch` (`marquee.domain.roles`). The API checks even if a gateway in front
has checked already: a request that reaches the API by another way is refused too.
"""

import re
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.auth.tokens import AccessTokens, Caller
from api.requests import ApiRequest
from marquee.domain.roles import NEEDED_ROLE, Right, may
from marquee.errors import NotAuthenticated, NotPermitted

BEARER: Final[tuple[dict[str, list[str]], ...]] = ({"bearer": []},)
"""The security of an endpoint that needs a token, as OpenAPI states it."""
_BEARER_TOKEN: Final = re.compile(r"bearer[ \t]+([^ \t,]+)[ \t]*", re.IGNORECASE)
PUBLIC: Final[dict[str, Any]] = {"public": True}
"""`opt` of an endpoint that needs no token."""
MANAGES_TITLES: Final[dict[str, Right]] = {"right": "manage_titles"}
"""`opt` of an endpoint for content engineers."""

SEES_REPORTS: Final[dict[str, Right]] = {"right": "see_reports"}
"""`opt` of an endpoint for engineers and operators that changes nothing."""


def check_token(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raises `NotAuthenticated` without a valid token, `NotPermitted` if the token's role lacks the endpoint's right."""
    if handler.opt.get("public") or connection.scope.get("method") == "OPTIONS":
        return
    caller = read_token(connection)
    right: Right = handler.opt.get("right", "watch")
    if not may(caller.role, right):
        raise NotPermitted(
            f"This needs an account with the role {NEEDED_ROLE[right]}; yours has the role {caller.role}."
        )
    connection.scope["user"] = caller


def read_token(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """The caller that the request's access token names. Raises `NotAuthenticated`."""
    stated = connection.headers.getall("authorization", [])
    found = _BEARER_TOKEN.fullmatch(stated[0]) if len(stated) == 1 else None
    if found is None:
        raise NotAuthenticated(
            "Authorization stands twice: send one access token."
            if len(stated) > 1
            else "Send an access token: `Authorization: Bearer ...`, from POST /api/v1/sessions."
        )
    tokens: AccessTokens = connection.app.state.tokens
    return tokens.read(found[1])


def provide_caller(request: ApiRequest) -> Caller:
    """The caller that `check_token` found. Injected into handlers as `caller`."""
    caller: Caller = request.scope["user"]
    return caller
