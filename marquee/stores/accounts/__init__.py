"""Accounts and profiles; the engine is chosen by the URL's scheme."""

from marquee.stores.accounts.contract import Accounts
from marquee.stores.connections.urls import scheme_of


def open_accounts(url: str) -> Accounts:
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.accounts.postgres import PostgresAccounts

    return PostgresAccounts(url)
