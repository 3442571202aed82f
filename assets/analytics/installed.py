"""Ends a run early where the extra `analytics` is missing: Spark, dbt and Great Expectations. The definitions load without it.

The first lines of a run ask here, so that a person reads what to install and not a missing module.
"""

import dagster as dg

from marquee.analytics_extra import PACKAGES, missing_packages, told_missing


def require_analytics(*packages: str) -> None:
    """Raises `dagster.Failure`, which says what to install and is not retried. Without `packages`: all of the extra."""
    if missing := missing_packages(packages or tuple(PACKAGES)):
        raise dg.Failure(description=told_missing(missing), allow_retries=False)
