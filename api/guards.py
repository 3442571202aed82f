"""Who is calling: every request's access token is checked here, whatever a gateway in front has checked before.

Set on the router of `/api/v1`, so that an endpoint is closed unless it says `opt={"public": True}`; `opt={"right": ...}`
asks for more than `watch` (`marquee.domain.roles`).
"""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.auth.tokens import AccessTokens, Caller
from api.requests import ApiRequest
from marquee.domain.roles import NEEDED_ROLE, Right, may
from marquee.errors import NotAuthenticated, NotPermitted

BEARER: Final[tuple[dict[str, list[str]], ...]] = ({"bearer": []},)
"""What OpenAPI says of a closed endpoint."""
PUBLIC: Final[dict[str, Any]] = {"public": True}
MANAGES_TITLES: Final[dict[str, Right]] = {"right": "manage_titles"}


def check_token(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raises `NotAuthenticated` without a valid token, `NotPermitted` where its role is not enough."""
    if handler.opt.get("public") or connection.scope.get("method") == "OPTIONS":
        return
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("Send an access token: `Authorization: Bearer ...`, from POST /api/v1/sessions.")
    tokens: AccessTokens = connection.app.state.tokens
    caller = tokens.read(token.strip())
    right: Right = handler.opt.get("right", "watch")
    if not may(caller.role, right):
        raise NotPermitted(f"This needs an account with the role {NEEDED_ROLE[right]}; this one is a {caller.role}.")
    connection.scope["user"] = caller


def provide_caller(request: ApiRequest) -> Caller:
    caller: Caller = request.scope["user"]
    return caller
