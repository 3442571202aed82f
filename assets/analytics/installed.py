"""Whether the extra `analytics` is installed: Spark, dbt and Great Expectations, 1 GB. The definitions load without it.

Only the runs need it. Their first lines ask here, so that a person reads what to install and not a missing module.
"""

import importlib.util
from collections.abc import Sequence
from typing import Final

import dagster as dg

from marquee.platform.project import IN_WHEEL

EXTRA: Final = ("pyspark", "pyarrow", "dbt", "great_expectations")


def missing_packages(packages: Sequence[str] = EXTRA) -> list[str]:
    return [package for package in packages if importlib.util.find_spec(package) is None]


def how_to_install(missing: Sequence[str]) -> str:
    remedy = "pip install 'marquee[analytics]'" if IN_WHEEL else "make analytics"
    return f"{', '.join(missing)} is not installed: `{remedy}` installs Spark, dbt and Great Expectations (1 GB)."


def require_analytics(*packages: str) -> None:
    """Raises `dagster.Failure`, which says what to install and is not retried."""
    if missing := missing_packages(packages or EXTRA):
        raise dg.Failure(description=how_to_install(missing), allow_retries=False)
