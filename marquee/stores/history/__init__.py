"""Which titles a profile watched; the engine is chosen by the URL's scheme."""

from marquee.stores.connections.urls import scheme_of
from marquee.stores.history.contract import WatchHistory


def open_history(url: str) -> WatchHistory:
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.history.postgres import PostgresHistory

    return PostgresHistory(url)
