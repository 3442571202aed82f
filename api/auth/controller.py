"""`/accounts`, `/sessions`, and the public key set at `/.well-known/jwks.json`.

Registering, logging in and refreshing need no access token. Each handler calls `AuthService` and turns the answer into
JSON.
"""

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.auth.attempts import Client
from api.auth.cookies import BrowserCookies
from api.auth.schemas import (
    AccountOut,
    Jwk,
    Jwks,
    Login,
    NewAccount,
    NewProfile,
    PasswordChange,
    ProfileOut,
    Refresh,
    SessionOut,
)
from api.auth.service import AuthService, Session
from api.auth.tokens import Caller
from api.guards import BEARER, PUBLIC
from api.problems import documented
from api.requests import ApiRequest
from marquee.stores.accounts.contract import Account


def _account(account: Account) -> AccountOut:
    return AccountOut(
        account_id=account.account_id,
        email=account.email,
        role=account.role,
        created_at=account.created_at,
        profiles=[ProfileOut(profile_id=one.profile_id, name=one.name) for one in account.profiles],
    )


def _session(session: Session, service: AuthService) -> SessionOut:
    return SessionOut(
        access_token=session.access_token,
        expires_in=service.tokens.life_seconds,
        refresh_token=session.refresh_token,
        refresh_expires_in=service.refresh_token_seconds,
        account=_account(session.account),
        profile_id=session.profile_id,
        device_token=session.device_token,
    )


class AccountController(Controller):
    """Registering, and the caller's own account."""

    path = "/accounts"
    tags = ("Accounts",)

    @post("/", opt=PUBLIC, responses=documented(409, 413, 415))
    async def register(
        self, data: JSONBody[NewAccount], client_address: NamedDependency[str], auth: NamedDependency[AuthService]
    ) -> AccountOut:
        """Register a viewer."""
        return _account(await auth.register(data.email, data.password, data.profiles, address=client_address))

    @get("/me", security=BEARER, responses=documented(401, 403))
    async def me(self, caller: NamedDependency[Caller], auth: NamedDependency[AuthService]) -> AccountOut:
        """The caller's account with its profiles."""
        return _account(await auth.account(caller))

    @post("/me/profiles", security=BEARER, responses=documented(401, 403, 413, 415))
    async def add_profile(
        self, data: JSONBody[NewProfile], caller: NamedDependency[Caller], auth: NamedDependency[AuthService]
    ) -> ProfileOut:
        """Add a profile; refresh the session with its id to watch as it."""
        profile = await auth.add_profile(caller, data.name)
        return ProfileOut(profile_id=profile.profile_id, name=profile.name)

    @post("/password", status_code=204, security=BEARER, responses=documented(401, 403, 413, 415))
    async def change_password(
        self, data: JSONBody[PasswordChange], caller: NamedDependency[Caller], auth: NamedDependency[AuthService]
    ) -> None:
        """Change the password; every refresh token of the account ends."""
        await auth.change_password(caller, data.current_password, data.new_password)


class SessionController(Controller):
    """Logging in, refreshing and logging out."""

    path = "/sessions"
    tags = ("Sessions",)

    @post("/", opt=PUBLIC, responses=documented(401, 413, 415))
    async def log_in(
        self,
        data: JSONBody[Login],
        request: ApiRequest,
        client_address: NamedDependency[str],
        auth: NamedDependency[AuthService],
        browser_cookies: NamedDependency[BrowserCookies],
    ) -> Response[SessionOut]:
        """Log in. The answer's device token, or a browser's cookie, keeps this device apart from strangers' attempts."""
        device_token = data.device_token or browser_cookies.read_device(request)
        session = await auth.log_in(data.email, data.password, data.profile_id, Client(client_address, device_token))
        cookies = [browser_cookies.device_cookie(session.device_token)] if session.device_token else []
        return Response(_session(session, auth), cookies=cookies)

    @post("/refresh", opt=PUBLIC, responses=documented(401, 413, 415))
    async def refresh(self, data: JSONBody[Refresh], auth: NamedDependency[AuthService]) -> SessionOut:
        """New tokens for a refresh token, which works once. One used twice was stolen: it ends all sessions."""
        return _session(await auth.refresh(data.refresh_token, data.profile_id), auth)

    @delete("/", security=BEARER, responses=documented(401, 403))
    async def log_out(self, caller: NamedDependency[Caller], auth: NamedDependency[AuthService]) -> None:
        """Log out everywhere: every refresh token of the account ends."""
        await auth.log_out(caller)


@get("/.well-known/jwks.json", tags=["Sessions"], cache_control=None)
async def jwks(auth: NamedDependency[AuthService]) -> Jwks:
    """The JSON Web Key Set that verifies access tokens."""
    return Jwks(keys=[Jwk(**key) for key in auth.tokens.jwks["keys"]])
