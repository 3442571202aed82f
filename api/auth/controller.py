"""`/accounts`, `/sessions`, and the public key set at `/.well-known/jwks.json`.

Registering, logging in and refreshing need no access token. Each handler calls `AuthService` and turns the answer into
JSON.
"""

from typing import Final

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from api.auth.attempts import Client
from api.auth.cookies import BrowserCookies
from api.auth.schemas import (
    AccountDeletion,
    AccountOut,
    Jwk,
    Jwks,
    Login,
    NewAccount,
    NewProfile,
    OpenSession,
    OpenSessions,
    PasswordChange,
    ProfileOut,
    Refresh,
    SessionOut,
)
from api.auth.service import AuthService
from api.auth.sessions import Session, SessionService
from api.auth.tokens import Caller
from api.guards import BEARER, PUBLIC
from api.problems import documented
from api.requests import ApiRequest
from api.wire import ProfileIdPath, SessionIdPath
from marquee.errors import InputInvalid, NotAuthenticated
from marquee.stores.accounts.contract import Account


def _account(account: Account) -> AccountOut:
    return AccountOut(
        account_id=account.account_id,
        email=account.email,
        role=account.role,
        created_at=account.created_at,
        profiles=[ProfileOut(profile_id=one.profile_id, name=one.name) for one in account.profiles],
    )


def _session(
    session: Session,
    service: SessionService,
    transport: str,
    cookies: BrowserCookies,
    device_token: str | None = None,
) -> Response[SessionOut]:
    in_cookie = transport == "cookie"
    out = SessionOut(
        session_id=session.session_id,
        access_token=session.access_token,
        expires_in=service.tokens.life_seconds,
        refresh_token=None if in_cookie else session.refresh_token,
        refresh_expires_in=service.refresh_token_seconds,
        account=_account(session.account),
        profile_id=session.profile_id,
        device_token=None if in_cookie else device_token,
    )
    made = [cookies.device_cookie(device_token)] if device_token else []
    if in_cookie:
        made.append(cookies.refresh_cookie(session.refresh_token, max_age_seconds=service.refresh_token_seconds))
    return Response(out, cookies=made)


NO_CONTENT: Final = {204: ResponseSpec(data_container=None, generate_examples=False, description="No Content")}
"""For handlers that return `Response[None]`, to set a cookie: else OpenAPI would state a body of `null`."""


def _forget_session(cookies: BrowserCookies) -> Response[None]:
    """204, after which a browser has no refresh cookie."""
    return Response(None, status_code=204, cookies=[cookies.removed(cookies.refresh)])


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

    @delete("/me/profiles/{profile_id:str}", security=BEARER, responses=documented(401, 403, 404))
    async def delete_profile(
        self, profile_id: FromPath[ProfileIdPath], caller: NamedDependency[Caller], auth: NamedDependency[AuthService]
    ) -> None:
        """Delete a profile and all that is stored of what it watched; 400 for the account's only one.

        Devices that watch as it are logged out. Its access tokens stop within a minute.
        """
        await auth.delete_profile(caller, profile_id)

    @delete("/me", security=BEARER, responses={**documented(401, 403, 413, 415), **NO_CONTENT})
    async def delete_account(
        self,
        data: JSONBody[AccountDeletion],
        caller: NamedDependency[Caller],
        auth: NamedDependency[AuthService],
        browser_cookies: NamedDependency[BrowserCookies],
    ) -> Response[None]:
        """Delete the account with its profiles and all that is stored of what they watched. Titles that it uploaded stay.

        Every session ends. Access tokens stop within a minute.
        """
        await auth.delete_account(caller, data.password)
        return _forget_session(browser_cookies)

    @post("/password", status_code=204, security=BEARER, responses=documented(401, 403, 413, 415))
    async def change_password(
        self, data: JSONBody[PasswordChange], caller: NamedDependency[Caller], auth: NamedDependency[AuthService]
    ) -> None:
        """Change the password; every session of the account ends."""
        await auth.change_password(caller, data.current_password, data.new_password)


class SessionController(Controller):
    """Logging in, refreshing, the list of sessions, and logging out."""

    path = "/sessions"
    tags = ("Sessions",)

    @post("/", opt=PUBLIC, responses=documented(401, 403, 413, 415))
    async def log_in(
        self,
        data: JSONBody[Login],
        request: ApiRequest,
        client_address: NamedDependency[str],
        auth: NamedDependency[AuthService],
        sessions: NamedDependency[SessionService],
        browser_cookies: NamedDependency[BrowserCookies],
    ) -> Response[SessionOut]:
        """Log in. The answer's device token, or a browser's cookie, keeps this device apart from strangers' attempts.

        With the transport `cookie` the request must come from a page of the public URL.
        """
        if data.transport == "cookie":
            browser_cookies.check_origin(request)
        device_token = data.device_token or browser_cookies.read_device(request)
        account, device_token = await auth.check_login(data.email, data.password, Client(client_address, device_token))
        user_agent = request.headers.get("user-agent")
        session = await sessions.open(account, data.profile_id, user_agent=user_agent, device_name=data.device_name)
        return _session(session, sessions, data.transport, browser_cookies, device_token)

    @post("/refresh", opt=PUBLIC, responses=documented(401, 403, 413, 415))
    async def refresh(
        self,
        data: JSONBody[Refresh],
        request: ApiRequest,
        sessions: NamedDependency[SessionService],
        browser_cookies: NamedDependency[BrowserCookies],
    ) -> Response[SessionOut]:
        """New tokens for a refresh token, which works once.

        For a short time after its first use the same token gives the same refresh token again, so a lost answer may be
        repeated. A later repeat means that the token was stolen: it ends the session.
        """
        token = data.refresh_token
        if data.transport == "cookie":
            browser_cookies.check_origin(request)
            token = token or browser_cookies.read(request, browser_cookies.refresh)
            if token is None:
                raise NotAuthenticated("The request has no session cookie: log in.")
        elif token is None:
            raise InputInvalid("refresh_token: Object missing required field `refresh_token`.", field="refresh_token")
        session = await sessions.refresh(token, data.profile_id, in_cookie=data.transport == "cookie")
        return _session(session, sessions, data.transport, browser_cookies)

    @get("/", security=BEARER, responses=documented(401, 403))
    async def list_sessions(
        self, caller: NamedDependency[Caller], sessions: NamedDependency[SessionService]
    ) -> OpenSessions:
        """The account's sessions, each with its device and its last use."""
        listed = [
            OpenSession(
                session_id=each.session_id,
                profile_id=each.profile_id,
                device=each.device,
                created_at=each.created_at,
                last_used_at=each.last_used_at,
                current=each.session_id == caller.session_id,
            )
            for each in await sessions.of_caller(caller)
        ]
        return OpenSessions(sessions=listed)

    @delete("/", security=BEARER, responses={**documented(401, 403), **NO_CONTENT})
    async def log_out(
        self,
        caller: NamedDependency[Caller],
        sessions: NamedDependency[SessionService],
        browser_cookies: NamedDependency[BrowserCookies],
    ) -> Response[None]:
        """Log out everywhere: every session of the account ends. Its access tokens stop within a minute."""
        await sessions.end_all(caller)
        return _forget_session(browser_cookies)

    @delete("/current", opt=PUBLIC, responses={**documented(403), **NO_CONTENT})
    async def log_out_by_cookie(
        self,
        request: ApiRequest,
        sessions: NamedDependency[SessionService],
        browser_cookies: NamedDependency[BrowserCookies],
    ) -> Response[None]:
        """Log out the web client: end the session of the cookie and remove the cookie. Apps end their session by its id."""
        browser_cookies.check_origin(request)
        token = browser_cookies.read(request, browser_cookies.refresh)
        if token is not None:
            await sessions.end_of_token(token)
        return _forget_session(browser_cookies)

    @delete("/{session_id:str}", security=BEARER, responses=documented(401, 403, 404))
    async def end_session(
        self,
        session_id: FromPath[SessionIdPath],
        caller: NamedDependency[Caller],
        sessions: NamedDependency[SessionService],
    ) -> None:
        """End one session of the account, also the caller's own. Its access tokens stop within a minute."""
        await sessions.end(caller, session_id)


@get("/.well-known/jwks.json", tags=["Sessions"], cache_control=None)
async def jwks(sessions: NamedDependency[SessionService]) -> Jwks:
    """The JSON Web Key Set that verifies access tokens: two keys while they are rotated."""
    return Jwks(keys=[Jwk(**key) for key in sessions.tokens.keys.jwks()["keys"]])
