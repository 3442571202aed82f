"""Where each viewer stopped; the engine is chosen by the URL's scheme."""

from marquee.stores.resume_positions.contract import MovableResumePositions
from marquee.stores.urls import scheme_of


async def open_resume_positions(url: str) -> MovableResumePositions:
    """Raises `SettingsInvalid` for a URL that cannot be used."""
    match scheme_of(url, setting="MARQUEE_RESUME_POSITIONS_URL", known=("postgresql", "cassandra", "cassandras")):
        case "postgresql":
            from marquee.stores.resume_positions.postgres import PostgresResumePositions

            return PostgresResumePositions(url)
        case _:
            from marquee.stores.resume_positions.cassandra import CassandraResumePositions

            return CassandraResumePositions(url)
