"""Sessions and their refresh tokens; the engine is chosen by the URL's scheme."""

from marquee.stores.connections.urls import scheme_of
from marquee.stores.sessions.contract import Sessions


def open_sessions(url: str) -> Sessions:
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.sessions.postgres import PostgresSessions

    return PostgresSessions(url)
