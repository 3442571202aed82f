"""Accounts in PostgreSQL: `account` (unique by folded address), `profile`.

A change of password ends the account's sessions in the same transaction. A deletion asks for the erasure of its profiles in the
same transaction (`lake_erasure`): a kill leaves both or none. With PostgreSQL down, a call raises `StoreUnavailable`
after some seconds.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.addresses import folded_address
from marquee.domain.ids import new_account_id, new_profile_id
from marquee.domain.roles import Role
from marquee.errors import AccountExists, InputInvalid, NotAuthenticated, ProfileUnknown
from marquee.stores.accounts.contract import Account, Profile
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_transaction
from marquee.stores.lake import postgres_erasures as erasures
from marquee.stores.sessions.postgres import end_all

_CREATE = text(
    """
    INSERT INTO account (account_id, email, email_folded, password_hash, role)
    VALUES (:account_id, :email, :email_folded, :password_hash, :role)
    ON CONFLICT (email_folded) DO NOTHING
    """
)
_ADD_PROFILE = text(
    """
    INSERT INTO profile (profile_id, account_id, name)
    SELECT :profile_id, account_id, :name
    FROM (SELECT account_id FROM account WHERE account_id = :account_id FOR KEY SHARE) AS own
    ON CONFLICT (profile_id) DO NOTHING
    RETURNING profile_id
    """
)
_ACCOUNT = """
    SELECT account_id, email, password_hash, role, created_at,
           ARRAY(SELECT ARRAY[profile_id, name] FROM profile
                 WHERE profile.account_id = account.account_id ORDER BY profile_id) AS profiles
    FROM account WHERE
"""
_BY_ID = text(f"{_ACCOUNT} account_id = :key")
_BY_EMAIL = text(f"{_ACCOUNT} email_folded = :key")

_CHANGE_PASSWORD = text("UPDATE account SET password_hash = :password_hash WHERE account_id = :account_id")
_RENEW_HASH = text(
    """
    UPDATE account SET password_hash = :password_hash
    WHERE account_id = :account_id AND password_hash = :earlier_hash RETURNING account_id
    """
)


# A deletion locks the account, then its sessions, then deletes. NO KEY: a refresh holds its session, and its new token refers to
# the account. A stronger lock before those of the sessions would wait for the refresh, and the refresh for it.
_LOCK = text("SELECT password_hash FROM account WHERE account_id = :account_id FOR NO KEY UPDATE")
_LOCK_SESSIONS = text("SELECT session_id FROM session WHERE account_id = :account_id ORDER BY session_id FOR UPDATE")
_PROFILE_IDS = text("SELECT profile_id FROM profile WHERE account_id = :account_id")
_DELETE = text("DELETE FROM account WHERE account_id = :account_id")
_DELETE_PROFILE = text("DELETE FROM profile WHERE profile_id = :profile_id AND account_id = :account_id")


class PostgresAccounts:
    def __init__(self, url: str) -> None:
        self.database = Database(url)

    async def create(self, email: str, password_hash: str, *, role: Role, profile_names: Sequence[str]) -> Account:
        account_id = new_account_id()
        profiles = [(new_profile_id(), name) for name in profile_names]
        # Ids made in one millisecond differ at random: sorted, they keep the order in which the names were given.
        ordered = list(zip(sorted(profile_id for profile_id, _ in profiles), profile_names, strict=True))

        async def work(connection: AsyncConnection) -> Account | None:
            await connection.execute(
                _CREATE,
                {
                    "account_id": account_id,
                    "email": email,
                    "email_folded": folded_address(email),
                    "password_hash": password_hash,
                    "role": role,
                },
            )
            account = await _account(connection, folded_address(email))
            if account is None or account.account_id != account_id:
                return None
            for profile_id, name in ordered:
                await connection.execute(
                    _ADD_PROFILE, {"profile_id": profile_id, "account_id": account_id, "name": name}
                )
            return await _account(connection, folded_address(email))

        account = await self.database.transaction_of(work)
        if account is None:
            raise AccountExists("An account with this address exists already.", field="email")
        return account

    async def by_email(self, email: str) -> Account | None:
        rows = await self.database.statement(_BY_EMAIL, {"key": folded_address(email)})
        return _made(dict(rows[0])) if rows else None

    async def by_id(self, account_id: str) -> Account | None:
        rows = await self.database.statement(_BY_ID, {"key": account_id})
        return _made(dict(rows[0])) if rows else None

    @in_transaction
    async def change_password(self, connection: AsyncConnection, account_id: str, password_hash: str) -> None:
        await connection.execute(_CHANGE_PASSWORD, {"account_id": account_id, "password_hash": password_hash})
        await end_all(connection, account_id)

    async def renew_hash(self, account_id: str, earlier_hash: str, password_hash: str) -> bool:
        rows = await self.database.statement(
            _RENEW_HASH,
            {"account_id": account_id, "earlier_hash": earlier_hash, "password_hash": password_hash},
            repeatable=False,
        )
        return bool(rows)

    async def add_profile(self, account_id: str, name: str) -> Profile:
        profile = Profile(new_profile_id(), account_id, name)
        rows = await self.database.statement(
            _ADD_PROFILE, {"profile_id": profile.profile_id, "account_id": account_id, "name": name}, repeatable=False
        )
        if not rows:
            raise InputInvalid("There is no such account.", field="account_id")
        return profile

    @in_transaction
    async def delete_profile(self, connection: AsyncConnection, account_id: str, profile_id: str) -> None:
        key = {"account_id": account_id, "profile_id": profile_id}
        found = (await connection.execute(_LOCK, key)).first()
        await connection.execute(_LOCK_SESSIONS, key)
        own = set((await connection.execute(_PROFILE_IDS, key)).scalars())
        if found is None or profile_id not in own:
            if await erasures.is_deleted(connection, profile_id):
                return  # by the answer of an earlier commit that was lost, or by another request
            raise ProfileUnknown(f"The account has no profile {profile_id}.", field="profile_id")
        if own == {profile_id}:
            raise InputInvalid(
                "This is the account's only profile: add another one first, or delete the account.", field="profile_id"
            )
        await erasures.ask(connection, [profile_id], is_deleted=True)
        await connection.execute(_DELETE_PROFILE, key)

    @in_transaction
    async def delete(self, connection: AsyncConnection, account_id: str, password_hash: str) -> None:
        key = {"account_id": account_id}
        found = (await connection.execute(_LOCK, key)).scalar_one_or_none()
        if found is None:
            return
        if found != password_hash:
            raise NotAuthenticated("The password was changed at this moment: log in again.")
        await connection.execute(_LOCK_SESSIONS, key)
        profile_ids = (await connection.execute(_PROFILE_IDS, key)).scalars().all()
        await erasures.ask(connection, profile_ids, is_deleted=True)
        await connection.execute(_DELETE, key)

    async def ping(self) -> None:
        await self.database.ping()

    async def close(self) -> None:
        await self.database.close()


async def _account(connection: AsyncConnection, email_folded: str) -> Account | None:
    row = (await connection.execute(_BY_EMAIL, {"key": email_folded})).mappings().one_or_none()
    return _made(dict(row)) if row else None


def _made(row: dict[str, object]) -> Account:
    profiles = [Profile(profile_id, str(row["account_id"]), name) for profile_id, name in row.pop("profiles")]  # type: ignore[attr-defined]
    return Account(**row, profiles=profiles)  # type: ignore[arg-type]
