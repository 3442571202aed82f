"""Sessions in PostgreSQL: `session`, `refresh_token`, and `ended_session`, which a trigger fills.

The lock of a session's row orders everything that happens to the session: uses of its tokens in several processes, its end, a
change of password. To end a session deletes its row; its tokens go with it. A token of 0.1.0 has no session: it gets one at its
first use here, with an id made of its hash, so that two processes make the same one. With PostgreSQL down, a call raises
`StoreUnavailable` after some seconds.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.ids import new_session_id
from marquee.errors import InputInvalid, NotAuthenticated
from marquee.stores.accounts.contract import Account
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_transaction
from marquee.stores.sessions.contract import (
    MAX_SESSIONS,
    UNKNOWN_DEVICE,
    Refreshed,
    Session,
    Successor,
    TokenReused,
)

_COLUMNS = "session_id, account_id, profile_id, device, created_at, last_used_at"

# The lock orders logins of one account: a change of password waits for it, and the bound on sessions is exact.
_LOCK_ACCOUNT = text("SELECT password_hash FROM account WHERE account_id = :account_id FOR NO KEY UPDATE")
_OPEN = text(
    f"""
    INSERT INTO session (session_id, account_id, profile_id, device, created_at, last_used_at, expires_at)
    VALUES (:session_id, :account_id, :profile_id, :device, clock_timestamp(), clock_timestamp(),
            clock_timestamp() + :token_seconds * interval '1 second')
    ON CONFLICT (session_id) DO UPDATE SET last_used_at = excluded.last_used_at
    RETURNING {_COLUMNS}
    """  # noqa: S608 - no value is formatted in
)
_FIRST_TOKEN = text(
    """
    INSERT INTO refresh_token (token_hash, account_id, profile_id, session_id, expires_at)
    VALUES (:token_hash, :account_id, :profile_id, :session_id,
            clock_timestamp() + :token_seconds * interval '1 second')
    ON CONFLICT (token_hash) DO NOTHING
    """
)
_END_EXPIRED_AND_OLDEST = text(
    """
    DELETE FROM session WHERE account_id = :account_id AND (expires_at < clock_timestamp() OR session_id IN (
        SELECT session_id FROM session WHERE account_id = :account_id
        ORDER BY last_used_at DESC, session_id DESC OFFSET :kept))
    """
)

_LOCK_ACCOUNT_OF_TOKEN = text(
    """
    SELECT account_id FROM account
    WHERE account_id = (SELECT account_id FROM refresh_token WHERE token_hash = :token_hash AND session_id IS NULL)
    FOR NO KEY UPDATE
    """
)
_TAKE_OVER = text(
    """
    WITH taken AS (
        INSERT INTO session (session_id, account_id, profile_id, device, expires_at)
        SELECT 's_' || left(token_hash, 20), account_id, profile_id, :device, expires_at FROM refresh_token
        WHERE token_hash = :token_hash AND session_id IS NULL AND revoked_at IS NULL AND NOT ended
              AND expires_at > clock_timestamp()
        ON CONFLICT (session_id) DO NOTHING
        RETURNING session_id
    )
    UPDATE refresh_token SET session_id = taken.session_id FROM taken
    WHERE token_hash = :token_hash AND refresh_token.session_id IS NULL
    """
)
_LOCK_SESSION = text(
    f"""
    SELECT {_COLUMNS} FROM session
    WHERE session_id = (SELECT session_id FROM refresh_token WHERE token_hash = :token_hash) FOR UPDATE
    """  # noqa: S608
)
# Read after the session's lock is held: by then no other transaction uses the token.
_TOKEN = text(
    """
    SELECT revoked_at IS NOT NULL AS used, sealed_successor, expires_at > clock_timestamp() AS live,
           coalesce(clock_timestamp() < revoked_at + :overlap_seconds * interval '1 second', false) AS overlapping,
           revoked_at IS NULL AND expires_at - :token_seconds * interval '1 second'
               BETWEEN clock_timestamp() - :young_seconds * interval '1 second' AND clock_timestamp()
           AND EXISTS (SELECT FROM refresh_token AS earlier
                       WHERE earlier.session_id = token.session_id AND earlier.revoked_at IS NOT NULL) AS is_young_successor
    FROM refresh_token AS token WHERE token_hash = :token_hash AND NOT ended
    """
)
# The lock: a profile that is deleted at this moment is not taken, or stays until this transaction has ended.
_OWN_PROFILE = text(
    "SELECT true FROM profile WHERE profile_id = :profile_id AND account_id = :account_id FOR KEY SHARE"
)
_USE = text(
    """
    WITH used AS (
        UPDATE refresh_token SET revoked_at = clock_timestamp(), sealed_successor = :sealed
        WHERE token_hash = :token_hash
    ), forgotten AS (
        UPDATE refresh_token SET sealed_successor = NULL
        WHERE session_id = :session_id AND sealed_successor IS NOT NULL AND token_hash <> :token_hash
              AND revoked_at < clock_timestamp() - :overlap_seconds * interval '1 second'
    ), expired AS (
        DELETE FROM refresh_token WHERE session_id = :session_id AND expires_at < clock_timestamp()
    )
    INSERT INTO refresh_token (token_hash, account_id, profile_id, session_id, expires_at)
    VALUES (:successor_hash, :account_id, :profile_id, :session_id,
            clock_timestamp() + :token_seconds * interval '1 second')
    """
)
_TOUCH = text(
    f"""
    UPDATE session SET profile_id = :profile_id, last_used_at = clock_timestamp(),
           expires_at = greatest(expires_at, clock_timestamp() + :token_seconds * interval '1 second')
    WHERE session_id = :session_id RETURNING {_COLUMNS}
    """  # noqa: S608
)

_OF_ACCOUNT = text(
    f"""
    SELECT {_COLUMNS} FROM session WHERE account_id = :account_id AND expires_at > clock_timestamp()
    ORDER BY last_used_at DESC, session_id DESC LIMIT :most
    """  # noqa: S608
)
_END = text("DELETE FROM session WHERE session_id = :session_id AND account_id = :account_id RETURNING session_id")
_END_OF_TOKEN = text(
    """
    WITH token AS (SELECT token_hash, session_id FROM refresh_token WHERE token_hash = :token_hash AND NOT ended),
    ended AS (DELETE FROM session WHERE session_id = (SELECT session_id FROM token) RETURNING session_id),
    without_session AS (
        DELETE FROM refresh_token WHERE token_hash = (SELECT token_hash FROM token WHERE session_id IS NULL)
        RETURNING token_hash
    )
    SELECT session_id FROM ended UNION ALL SELECT token_hash FROM without_session
    """
)
_END_ALL = text(
    """
    WITH ended AS (DELETE FROM session WHERE account_id = :account_id RETURNING expires_at > clock_timestamp() AS live),
    without_session AS (
        DELETE FROM refresh_token WHERE account_id = :account_id AND session_id IS NULL
        RETURNING revoked_at IS NULL AND NOT ended AND expires_at > clock_timestamp() AS live
    )
    SELECT count(*) AS ended FROM (SELECT live FROM ended UNION ALL SELECT live FROM without_session) AS gone WHERE live
    """
)
_ENDED_WITHIN = text(
    "SELECT session_id FROM ended_session WHERE ended_at > clock_timestamp() - :seconds * interval '1 second'"
)
_DROP_EXPIRED = text("DELETE FROM session WHERE expires_at < clock_timestamp()")
_FORGET_ENDED = text(
    """
    DELETE FROM ended_session WHERE ended_at < clock_timestamp() - :seconds * interval '1 second' RETURNING session_id
    """
)


async def end_all(connection: AsyncConnection, account_id: str) -> int:
    """Inside a transaction: end every session of the account. A change of password does this too."""
    # The account's lock: no token of 0.1.0 gets a session between the two deletions.
    await connection.execute(_LOCK_ACCOUNT, {"account_id": account_id})
    return int((await connection.execute(_END_ALL, {"account_id": account_id})).scalar_one())


class PostgresSessions:
    def __init__(self, url: str) -> None:
        self.database = Database(url)

    async def open(
        self, account: Account, profile_id: str, *, device: str, token_hash: str, token_seconds: int
    ) -> Session:
        values = {
            "session_id": new_session_id(),
            "account_id": account.account_id,
            "profile_id": profile_id,
            "device": device,
            "token_hash": token_hash,
            "token_seconds": token_seconds,
            "kept": MAX_SESSIONS,
        }

        async def work(connection: AsyncConnection) -> Session:
            password_hash = (await connection.execute(_LOCK_ACCOUNT, values)).scalar_one_or_none()
            if password_hash != account.password_hash:
                raise NotAuthenticated("The password was changed at this moment: log in again.")
            if not await _owns(connection, account.account_id, profile_id):
                raise InputInvalid(f"The account has no profile {profile_id}.", field="profile_id")
            session = Session(**(await connection.execute(_OPEN, values)).mappings().one())
            await connection.execute(_FIRST_TOKEN, values)
            await connection.execute(_END_EXPIRED_AND_OLDEST, values)
            return session

        return await self.database.transaction_of(work)

    @in_transaction
    async def refresh(
        self,
        connection: AsyncConnection,
        token_hash: str,
        successor: Successor,
        *,
        profile_id: str | None,
        token_seconds: int,
        overlap_seconds: float,
        young_seconds: float = 0.0,
    ) -> Refreshed | TokenReused | None:
        session = await _lock_session(connection, token_hash)
        if session is None:
            return None
        asked = {
            "token_hash": token_hash,
            "overlap_seconds": overlap_seconds,
            "young_seconds": young_seconds,
            "token_seconds": token_seconds,
        }
        token = (await connection.execute(_TOKEN, asked)).mappings().one_or_none()
        if token is None:
            return None
        # The same sealed copy: this call itself has used the token, and the answer to its COMMIT was lost.
        is_own_use = token["sealed_successor"] == successor.sealed
        if token["used"] and not token["overlapping"] and not is_own_use:
            await connection.execute(_END, vars(session))
            return TokenReused(session)
        if not token["live"] or (token["used"] and token["sealed_successor"] is None):
            # Without a sealed successor: a process of an older release used it during an upgrade.
            return None
        if profile_id is not None and not await _owns(connection, session.account_id, profile_id):
            raise InputInvalid(f"The account has no profile {profile_id}.", field="profile_id")
        values: dict[str, Any] = {
            **asked,
            "session_id": session.session_id,
            "account_id": session.account_id,
            "profile_id": profile_id or session.profile_id,
            "token_seconds": token_seconds,
            "successor_hash": successor.token_hash,
            "sealed": successor.sealed,
        }
        stays = token["is_young_successor"]
        if not token["used"] and not stays:
            await connection.execute(_USE, values)
        touched = Session(**(await connection.execute(_TOUCH, values)).mappings().one())
        return Refreshed(touched, None if stays else token["sealed_successor"] or successor.sealed)

    async def of_account(self, account_id: str) -> Sequence[Session]:
        rows = await self.database.statement(_OF_ACCOUNT, {"account_id": account_id, "most": MAX_SESSIONS})
        return [Session(**row) for row in rows]

    async def end(self, account_id: str, session_id: str) -> bool:
        return bool(await self.database.statement(_END, {"account_id": account_id, "session_id": session_id}))

    async def end_of_token(self, token_hash: str) -> bool:
        return bool(await self.database.statement(_END_OF_TOKEN, {"token_hash": token_hash}))

    @in_transaction
    async def end_all(self, connection: AsyncConnection, account_id: str) -> int:
        return await end_all(connection, account_id)

    async def ended_within(self, seconds: float) -> Sequence[str]:
        rows = await self.database.statement(_ENDED_WITHIN, {"seconds": seconds})
        return [str(row["session_id"]) for row in rows]

    async def forget_ended(self, *, older_than_seconds: float) -> int:
        await self.database.statement(_DROP_EXPIRED, {})
        return len(await self.database.statement(_FORGET_ENDED, {"seconds": older_than_seconds}))

    async def ping(self) -> None:
        await self.database.ping()

    async def close(self) -> None:
        await self.database.close()


async def _lock_session(connection: AsyncConnection, token_hash: str) -> Session | None:
    """Lock the session of a token. A valid token of 0.1.0 gets its session first."""
    values = {"token_hash": token_hash, "device": UNKNOWN_DEVICE}
    locked = (await connection.execute(_LOCK_SESSION, values)).mappings().one_or_none()
    if locked is None and (await connection.execute(_LOCK_ACCOUNT_OF_TOKEN, values)).scalar_one_or_none() is not None:
        await connection.execute(_TAKE_OVER, values)
        locked = (await connection.execute(_LOCK_SESSION, values)).mappings().one_or_none()
    return Session(**locked) if locked is not None else None


async def _owns(connection: AsyncConnection, account_id: str, profile_id: str) -> bool:
    values = {"account_id": account_id, "profile_id": profile_id}
    return (await connection.execute(_OWN_PROFILE, values)).scalar_one_or_none() is not None
