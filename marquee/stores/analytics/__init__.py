"""What analytics found, in PostgreSQL: `writing` is how the Spark jobs store it, `findings` what viewers see of it, `reports`
what engineers see, `library` what the jobs read of the catalogue."""

from marquee.stores.analytics.library import Library
from marquee.stores.analytics.writing import FindingsWriter
from marquee.stores.connections.urls import scheme_of


def open_findings_writer(url: str) -> FindingsWriter:
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.analytics.postgres_writing import PostgresFindingsWriter

    return PostgresFindingsWriter(url)


def open_library(url: str) -> Library:
    """What the jobs of analytics read of the catalogue."""
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.analytics.postgres_library import PostgresLibrary

    return PostgresLibrary(url)
