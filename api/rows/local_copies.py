"""Copies of shared rows inside this process: what it read from the cache a moment ago, and what it queried itself last.

A home page is 21 rows, so a row that was just read is served for `READ_SECONDS` without another look into the cache; another
process's purge is seen that much later. What was queried last stands in while the cache is away, and stays for KEEP_SECONDS
as the last resort. A purge drops both copies, and what was read before a purge is never kept after it (`purges_so_far`).
"""

import time
from collections import Counter
from typing import Final

from cachetools import TTLCache

from api.rows.schemas import SharedRow
from marquee.stores.row_cache.keys import KEEP_SECONDS

READ_SECONDS: Final = 0.5
MAX_ROWS: Final = 1024


class LocalCopies:
    def __init__(self) -> None:
        self._read: TTLCache[str, SharedRow] = TTLCache(MAX_ROWS, READ_SECONDS)
        self._queried: TTLCache[str, tuple[float, SharedRow]] = TTLCache(MAX_ROWS, KEEP_SECONDS)
        self._purges: Counter[str] = Counter()

    def purges_so_far(self, row_id: str) -> int:
        """Ask before reading a row, and hand the answer to `keep_...` with what was read."""
        return self._purges[row_id]

    def just_read(self, row_id: str) -> SharedRow | None:
        return self._read.get(row_id)

    def queried_within(self, row_id: str, seconds: float = KEEP_SECONDS) -> SharedRow | None:
        """What this process itself queried last, unless that is longer ago than `seconds`."""
        at, row = self._queried.get(row_id, (0.0, None))
        return row if row is not None and time.monotonic() - at < seconds else None

    def keep_read(self, row_id: str, row: SharedRow, *, purges: int) -> None:
        if self._purges[row_id] == purges:
            self._read[row_id] = row

    def keep_queried(self, row_id: str, row: SharedRow, *, purges: int) -> None:
        if self._purges[row_id] == purges:
            self._queried[row_id] = (time.monotonic(), row)

    def drop(self, row_id: str) -> None:
        """The row changed."""
        self._purges[row_id] += 1
        self._read.pop(row_id, None)
        self._queried.pop(row_id, None)
