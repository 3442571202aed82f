"""The cookies of the web client: their names, their attributes, and the check of the Origin header.

Two cookies: `refresh` holds a refresh token, `device` marks a browser that has logged in before. A page's script sees
neither (HttpOnly). No other site's page sends them (SameSite=Strict), and they go to `/api/v1/sessions` only. A browser
sends the cookies of one port to every port of the host, so a name holds the public URL's port. For SameSite two ports are
one site too: a handler calls `check_origin` before it acts on a refresh cookie.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from marquee.errors import InputInvalid, NotPermitted
from marquee.ports import bracketed

COOKIE_PATH: Final = "/api/v1/sessions"
DEVICE_SECONDS: Final = 400 * 24 * 3600
"""Life of a device cookie. Browsers keep no cookie longer."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LOOPBACK: Final = {"127.0.0.1": "localhost", "::1": "localhost", "localhost": "127.0.0.1"}
"""Host of loopback -> its second name. A viewer may open the web client by either."""

Connection = ASGIConnection[Any, Any, Any, Any]


class OriginRefused(NotPermitted):
    """A page of another origin, or no page, sent a request that only the web client may send."""

    code = "origin-refused"
    title = "Only the web client may send this request"


@dataclass(frozen=True)
class BrowserCookies:
    """The names of both cookies, and the origins of the web client's pages. Made from the public URL (`cookies_of`)."""

    refresh: str
    device: str
    origins: frozenset[str]
    is_secure: bool
    """Whether the cookies go over https only: the public URL's scheme."""

    def refresh_cookie(self, token: str, *, max_age_seconds: int) -> Cookie:
        """The cookie that gives a browser its refresh token."""
        return self._cookie(self.refresh, token, max_age_seconds)

    def device_cookie(self, value: str) -> Cookie:
        """The cookie that marks a browser."""
        return self._cookie(self.device, value, DEVICE_SECONDS)

    def removed(self, name: str) -> Cookie:
        """The cookie that makes a browser forget the one called `name`."""
        return self._cookie(name, "", 0)

    def read(self, connection: Connection, name: str) -> str | None:
        """The value that a browser sent; None if it sent none or an empty one. The value is not checked in any way.

        Raises `InputInvalid` where the cookie comes twice: another port of this host has set one of the same name, and
        nothing says which of the two is ours.
        """
        values = [
            value.strip().strip('"')
            for header in connection.headers.getall("cookie", [])
            for key, _, value in (part.partition("=") for part in header.split(";"))
            if key.strip() == name
        ]
        if len(values) > 1:
            raise InputInvalid(
                f"The cookie {name} came {len(values)} times: delete this site's cookies, then log in again.",
                field="cookie",
            )
        return values[0] or None if values else None

    def read_device(self, connection: Connection) -> str | None:
        """The device token that a browser sent. None if two came: a stray cookie must not prevent a login."""
        try:
            return self.read(connection, self.device)
        except InputInvalid:
            return None

    def check_origin(self, connection: Connection) -> None:
        """Raise `OriginRefused` unless a page of the web client sent the request. No Origin, and `null`, are refused."""
        origins = connection.headers.getall("origin", [])
        if len(origins) != 1 or origins[0] not in self.origins:
            raise OriginRefused(
                f"The request's origin is {', '.join(origins)[:100] or 'missing'}, and a request with a session cookie "
                f"must come from a page of {' or '.join(sorted(self.origins))}: open the web client there, or set "
                "MARQUEE_PUBLIC_URL to the address of the web client.",
                field="origin",
            )

    def _cookie(self, name: str, value: str, max_age_seconds: int) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            path=COOKIE_PATH,
            max_age=max_age_seconds,
            secure=self.is_secure,
            httponly=True,
            samesite="strict",
        )


def cookies_of(public_url: str) -> BrowserCookies:
    """The cookies of the platform whose gateway clients reach at `public_url`."""
    parts = urlsplit(public_url)
    host, scheme = parts.hostname or "", parts.scheme
    port = parts.port or _DEFAULT_PORTS.get(scheme, 80)
    hosts = [host, *([_LOOPBACK[host]] if host in _LOOPBACK else [])]
    return BrowserCookies(
        refresh=f"marquee_refresh_{port}",
        device=f"marquee_device_{port}",
        origins=frozenset(_origin(scheme, each, port) for each in hosts),
        is_secure=scheme == "https",
    )


def _origin(scheme: str, host: str, port: int) -> str:
    """As browsers write it: lower case, without the scheme's own port."""
    origin = f"{scheme}://{bracketed(host)}"
    return origin if port == _DEFAULT_PORTS.get(scheme) else f"{origin}:{port}"
