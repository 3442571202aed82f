"""Where a file of the lake lies below its URL: `events/date=2026-11-30/hour=13/1796045000123-5f2c9e0d1a2b3c4d.parquet`.

Derived datasets are by day: `sessions/date=2026-11-30/...`. A name is used once: its milliseconds are of its writing, the rest
is random. Nothing is learned from a path; the list has dataset and hour.
"""

import secrets
import time
from datetime import UTC, datetime
from typing import Final

from marquee.stores.lake.contract import EVENTS

SUFFIX: Final = ".parquet"


def new_path(dataset: str, hour: datetime) -> str:
    """A path that no file has had."""
    begin = hour.astimezone(UTC)
    folder = f"{dataset}/date={begin:%Y-%m-%d}" + (f"/hour={begin:%H}" if dataset == EVENTS else "")
    return f"{folder}/{int(time.time() * 1000):013d}-{secrets.token_hex(8)}{SUFFIX}"
