"""What engineers see of analytics: reports over dbt's marts. The URL's scheme chooses the engine."""

from marquee.stores.analytics.reports.contract import Reports
from marquee.stores.connections.urls import scheme_of


def open_reports(url: str) -> Reports:
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.analytics.reports.postgres import PostgresReports

    return PostgresReports(url)
