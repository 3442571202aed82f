"""What `/sessions` does after a login: open, refresh, list and end sessions.

A refresh token works once. For `MARQUEE_REFRESH_OVERLAP_SECONDS` after its first use it gives the same successor again: ten
refreshes at once and a repeat after a lost answer all go on with one token. A later repeat ends its session, and no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import Counter

from api.auth import refresh_tokens
from api.auth.tokens import AccessTokens, Caller
from marquee.domain.devices import device_of
from marquee.errors import InputInvalid, NotAuthenticated, SessionUnknown
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.accounts.contract import Account, Accounts
from marquee.stores.sessions.contract import UNKNOWN_DEVICE, Sessions, TokenReused
from marquee.stores.sessions.contract import Session as StoredSession

REUSED = Counter(
    "marquee_api_refresh_tokens_reused", "Refresh tokens that came again after their overlap and ended their session."
)
_NOT_VALID = "The refresh token is not valid any more: log in again."

log = get_logger()


@dataclass(frozen=True)
class Session:
    """The tokens of one login or refresh, with the account and the profile that they are for."""

    session_id: str
    access_token: str
    refresh_token: str
    account: Account
    profile_id: str


class SessionService:
    """Opens, refreshes, lists and ends sessions."""

    def __init__(self, sessions: Sessions, accounts: Accounts, tokens: AccessTokens, settings: Settings) -> None:
        self.tokens = tokens
        self.refresh_token_seconds = settings.refresh_token_seconds
        self._overlap_seconds = settings.refresh_overlap_seconds
        self._sessions = sessions
        self._accounts = accounts

    async def open(
        self, account: Account, profile_id: str | None, *, user_agent: str | None = None, device_name: str | None = None
    ) -> Session:
        """Open a session for an account whose password was just checked, as `profile_id` or as the first profile.

        Raises `InputInvalid` for an unknown profile, `NotAuthenticated` if the password was changed meanwhile.
        """
        own = [profile.profile_id for profile in account.profiles]
        if not own:
            own = [(await self._accounts.add_profile(account.account_id, account.email.partition("@")[0])).profile_id]
        profile = profile_id or own[0]
        if profile not in own:
            raise InputInvalid(f"The account has no profile {profile}.", field="profile_id")
        token = refresh_tokens.new_token()
        session = await self._sessions.open(
            account,
            profile,
            device=device_of(user_agent, device_name) or UNKNOWN_DEVICE,
            token_hash=refresh_tokens.hash_of(token),
            token_seconds=self.refresh_token_seconds,
        )
        return self._issued(session, account, token)

    async def refresh(self, token: str, profile_id: str | None, *, in_cookie: bool = False) -> Session:
        """New tokens for a refresh token. `in_cookie`: a successor that is younger than the overlap is given again.

        Raises `NotAuthenticated`, `InputInvalid` for an unknown profile."""
        outcome = await self._sessions.refresh(
            refresh_tokens.hash_of(token),
            refresh_tokens.new_successor(token),
            profile_id=profile_id,
            token_seconds=self.refresh_token_seconds,
            overlap_seconds=self._overlap_seconds,
            # A browser may take the answers of two refreshes in the other order. Within the overlap all have the same cookie,
            # so an older one that comes last does no harm.
            young_seconds=self._overlap_seconds if in_cookie else 0.0,
        )
        if isinstance(outcome, TokenReused):
            REUSED.inc()
            session = outcome.session
            log.warning(
                "a used refresh token came again: its session was ended",
                account=session.account_id,
                session=session.session_id,
                device=session.device,
            )
            raise NotAuthenticated(_NOT_VALID)
        account = await self._accounts.by_id(outcome.session.account_id) if outcome else None
        if outcome is None or account is None:
            raise NotAuthenticated(_NOT_VALID)
        sealed = outcome.sealed
        return self._issued(outcome.session, account, refresh_tokens.open_sealed(token, sealed) if sealed else token)

    async def of_caller(self, caller: Caller) -> Sequence[StoredSession]:
        """The account's sessions, the last used first."""
        return await self._sessions.of_account(caller.account_id)

    async def end(self, caller: Caller, session_id: str) -> None:
        """End one session of the caller's account. Raises `SessionUnknown`."""
        if not await self._sessions.end(caller.account_id, session_id):
            raise SessionUnknown("The account has no session with this id: it may have ended already.")

    async def end_all(self, caller: Caller) -> None:
        """End every session of the account."""
        await self._sessions.end_all(caller.account_id)

    async def end_of_token(self, token: str) -> None:
        """End the session that a refresh token belongs to. It may have ended already."""
        await self._sessions.end_of_token(refresh_tokens.hash_of(token))

    def _issued(self, session: StoredSession, account: Account, refresh_token: str) -> Session:
        access = self.tokens.issue(account, session.profile_id, session.session_id)
        return Session(session.session_id, access, refresh_token, account, session.profile_id)
