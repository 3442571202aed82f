"""Imports pyarrow, which only the extra `analytics` installs, and says what to do where it is missing.

Imported when a file is read or written, never at import: the API and every job but the event sink run without it.
"""

import importlib
import importlib.util
from typing import Any, Final

from marquee.errors import PlatformUnavailable

HOW_TO_INSTALL: Final = "run `make analytics`, or install marquee with its extra: `pip install 'marquee[analytics]'`"


def arrow_is_installed() -> bool:
    """Whether it can be imported; does not import it."""
    return importlib.util.find_spec("pyarrow") is not None


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
            f"The lake's files need pyarrow, which is not installed: {HOW_TO_INSTALL}."
        ) from error
