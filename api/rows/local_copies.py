"""Copies of shared rows in this process: rows that it read from the cache just now, and rows that it queried last.

A home page has 21 rows. A row that was just read is served for `READ_COPY_SECONDS` without another call to the cache; a
purge by another process is seen that much later. A row that was queried is served while the cache is down. A row of
either kind is kept for KEEP_SECONDS as a last resort, for when neither cache nor PostgreSQL answers. A purge in this
process drops all copies. The purge counter (`purges_so_far`) stops a read that began before a purge from storing its
old row after it.
"""

import time
from collections import Counter
from typing import Final

from cachetools import TTLCache

from api.rows.schemas import SharedRow
from marquee.stores.row_cache.keys import KEEP_SECONDS

READ_COPY_SECONDS: Final = 0.5
MAX_ROWS: Final = 1024


class LocalCopies:
    """All kinds of copies, at most `MAX_ROWS` of each."""

    def __init__(self) -> None:
        self._read: TTLCache[str, SharedRow] = TTLCache(MAX_ROWS, READ_COPY_SECONDS)
        self._queried: TTLCache[str, tuple[float, SharedRow]] = TTLCache(MAX_ROWS, KEEP_SECONDS)
        self._last: TTLCache[str, SharedRow] = TTLCache(MAX_ROWS, KEEP_SECONDS)
        self._purges: Counter[str] = Counter()

    def purges_so_far(self, row_id: str) -> int:
        """The row's purge counter. Read it before reading the row, and hand it to `keep_read` or `keep_queried`."""
        return self._purges[row_id]

    def just_read(self, row_id: str) -> SharedRow | None:
        """The row, if it was read from the cache within `READ_COPY_SECONDS`."""
        return self._read.get(row_id)

    def last(self, row_id: str) -> SharedRow | None:
        """The row as this process read or queried it last, within KEEP_SECONDS."""
        return self._last.get(row_id)

    def queried_within(self, row_id: str, seconds: float) -> SharedRow | None:
        """The row that this process queried last, if that was at most `seconds` ago."""
        at, row = self._queried.get(row_id, (0.0, None))
        return row if row is not None and time.monotonic() - at < seconds else None

    def keep_read(self, row_id: str, row: SharedRow, *, purges: int) -> None:
        """Keep a row that came from the cache, unless it was purged after `purges` was read."""
        if self._purges[row_id] == purges:
            self._read[row_id] = self._last[row_id] = row

    def keep_queried(self, row_id: str, row: SharedRow, *, purges: int) -> None:
        """Keep a row that came from a query, unless it was purged after `purges` was read."""
        if self._purges[row_id] == purges:
            self._queried[row_id] = (time.monotonic(), row)
            self._last[row_id] = row

    def drop(self, row_id: str) -> None:
        """Drop every copy of a row, because it changed."""
        self._purges[row_id] += 1
        self._read.pop(row_id, None)
        self._queried.pop(row_id, None)
        self._last.pop(row_id, None)
