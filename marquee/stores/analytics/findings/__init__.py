"""What viewers see of analytics: trending and similar titles, a profile's suggestions. The URL's scheme chooses the engine."""

from marquee.stores.analytics.findings.contract import Findings
from marquee.stores.connections.urls import scheme_of


def open_findings(url: str) -> Findings:
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.analytics.findings.postgres import PostgresFindings

    return PostgresFindings(url)
