"""Who is calling: every request's access token is checked here, whatever a gateway in front has checked before.

Set on the router of `/api/v1`, so that an endpoint is closed unless it says `opt={"public": True}`; `opt={"role": ...}`
raises what is asked for above `viewer`.
"""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.auth.tokens import AccessTokens, Caller
from api.requests import ApiRequest
from marquee.errors import NotAuthenticated, NotPermitted
from marquee.stores.accounts.contract import Role

RANKS: Final[dict[Role, int]] = {"viewer": 0, "engineer": 1, "operator": 2}

BEARER: Final[tuple[dict[str, list[str]], ...]] = ({"bearer": []},)
"""What OpenAPI says of a closed endpoint."""
PUBLIC: Final[dict[str, Any]] = {"public": True}
ENGINEER: Final[dict[str, Any]] = {"role": "engineer"}


def check_token(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raises `NotAuthenticated` without a valid token, `NotPermitted` where its role is not enough."""
    if handler.opt.get("public") or connection.scope.get("method") == "OPTIONS":
        return
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("Send an access token: `Authorization: Bearer ...`, from POST /api/v1/sessions.")
    tokens: AccessTokens = connection.app.state.tokens
    caller = tokens.read(token.strip())
    needed: Role = handler.opt.get("role", "viewer")
    if RANKS[caller.role] < RANKS[needed]:
        raise NotPermitted(f"This needs an account with the role {needed}; this one is a {caller.role}.")
    connection.scope["user"] = caller


def provide_caller(request: ApiRequest) -> Caller:
    caller: Caller = request.scope["user"]
    return caller
