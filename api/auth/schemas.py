"""Request and response bodies of accounts, profiles and sessions.

The bounds of every field stand in its type: OpenAPI states them, and the decoder refuses values outside them.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, field

from api.wire import END, Input, Output, ProfileId, Word
from marquee.domain.roles import Role

Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        pattern=rf"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+{END}",
        description="Compared without case.",
    ),
]
Password = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
NewPassword = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=128,
        pattern=r"^[^\x00]*$",
        description="8 to 128 characters; not the e-mail address, not one of the most common passwords.",
    ),
]
RefreshToken = Annotated[str, Meta(min_length=20, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]


DeviceToken = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[A-Za-z0-9_.=-]+$")]
DeviceName = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="What the list of sessions calls this device; at most 60 characters of it are kept. Empty or missing: "
        "made from the User-Agent.",
    ),
]
Transport = Annotated[
    Literal["body", "cookie"],
    Meta(
        description="Where the refresh token travels. `cookie` is for the web client: an HttpOnly cookie, and the request "
        "must come from a page of the public URL (Origin)."
    ),
]


class NewAccount(Input, frozen=True, kw_only=True):
    """`profiles` are names; without any there is one, called after the address."""

    email: Email
    password: NewPassword
    profiles: Annotated[list[Word], Meta(max_length=8)] = field(default_factory=list)


class PasswordChange(Input, frozen=True, kw_only=True):
    current_password: Password
    new_password: NewPassword


class AccountDeletion(Input, frozen=True, kw_only=True):
    """The owner's confirmation."""

    password: Password


class NewProfile(Input, frozen=True, kw_only=True):
    name: Word


class Login(Input, frozen=True, kw_only=True):
    email: Annotated[str, Meta(min_length=1, max_length=254, pattern=r"^[^\x00]*$")]
    password: Password
    profile_id: ProfileId | None = None
    """None: the account's first profile."""
    device_token: DeviceToken | None = None
    """That of this device's last login. Strangers' wrong attempts then do not slow this one. Browsers send a cookie instead."""
    device_name: DeviceName | None = None
    transport: Transport = "body"


class Refresh(Input, frozen=True, kw_only=True):
    """A refresh token works once; `profile_id` changes the profile.

    With the transport `cookie` the token is the cookie's, or the one given here, which moves into the cookie.
    """

    refresh_token: RefreshToken | None = None
    profile_id: ProfileId | None = None
    transport: Transport = "body"


class ProfileOut(Output, frozen=True, kw_only=True):
    profile_id: str
    name: str


class AccountOut(Output, frozen=True, kw_only=True):
    account_id: str
    email: str
    role: Role
    created_at: datetime
    profiles: list[ProfileOut]


class SessionOut(Output, frozen=True, kw_only=True):
    """`access_token` goes into `Authorization: Bearer ...` and lives for `expires_in` seconds.

    `refresh_token` is null where it is in the cookie.
    """

    session_id: str
    access_token: str
    expires_in: int
    refresh_token: str | None
    refresh_expires_in: int
    account: AccountOut
    profile_id: str
    device_token: str | None = None
    """Of a login: keep it on the device, and send it at the next login. Of a refresh: null."""
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105


class OpenSession(Output, frozen=True, kw_only=True):
    """A login on one device. `last_used_at` is the time of its last refresh; `current` marks the caller's own session."""

    session_id: str
    profile_id: str
    device: str
    created_at: datetime
    last_used_at: datetime
    current: bool


class OpenSessions(Output, frozen=True, kw_only=True):
    """The account's sessions, the last used first; at most 100: one more ends the one that was used longest ago."""

    sessions: list[OpenSession]


class Jwk(Output, frozen=True, kw_only=True):
    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class Jwks(Output, frozen=True, kw_only=True):
    keys: list[Jwk]
