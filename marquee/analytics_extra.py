"""The packages of the project's extra `analytics`: which of them are missing here, and how to get them.

They are 1 GB, and only the analytics need them: the platform itself runs without. `missing_packages` imports none of them, so it
is quick enough for `marquee doctor`, for the demo and for a code location that only says what is missing.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PACKAGES: Final = {
    "pyarrow": "the lake's files",
    "pyspark": "the Spark jobs",
    "dbt": "the marts",
    "dagster_dbt": "the marts in Dagster",
    "dagster_pipes": "the jobs that Dagster starts",
    "great_expectations": "the checks of data",
}
"""Package as it is imported -> what needs it."""
_IN_CHECKOUT: Final = (Path(__file__).parent.parent / "Makefile").is_file()


def missing_packages(packages: Sequence[str] = tuple(PACKAGES)) -> list[str]:
    """Those of `packages` that are not installed in this environment."""
    return [package for package in packages if importlib.util.find_spec(package) is None]


def told_missing(missing: Sequence[str]) -> str:
    """One sentence about missing packages of the extra: which ones, and what to do."""
    verb = "is" if len(missing) == 1 else "are"
    return f"{', '.join(missing)} {verb} not installed: {how_to_get_analytics()}."


def how_to_get_analytics(*, in_checkout: bool = _IN_CHECKOUT) -> str:
    """What to do where packages of the extra are missing."""
    if in_checkout:
        return "install them with `make analytics` (1 GB)"
    return "install Marquee's wheel with its extra: `pip install 'marquee-VERSION.whl[analytics]'` (1 GB)"
