"""Imports pyarrow, which only the extra `analytics` installs, and says what to do where it is missing.

Imported when a file is read or written, never at import: the API and every job but the event sink run without it.
"""

import importlib
from typing import Any

from marquee.analytics_extra import how_to_get_analytics, missing_packages
from marquee.errors import PlatformUnavailable


def arrow_is_installed() -> bool:
    """Whether it can be imported; does not import it."""
    return not missing_packages(("pyarrow",))


def arrow() -> Any:
    """The module `pyarrow`. Raises `PlatformUnavailable`, which says how to install it."""
    return _imported("pyarrow")


def parquet() -> Any:
    """The module `pyarrow.parquet`. Raises as `arrow` does."""
    return _imported("pyarrow.parquet")


def compute() -> Any:
    """The module `pyarrow.compute`. Raises as `arrow` does."""
    return _imported("pyarrow.compute")


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PlatformUnavailable(
            f"The lake's files need pyarrow, which is not installed: {how_to_get_analytics()}."
        ) from error
