"""Which titles this process noted in which profile's history a short time ago, so that it does not note them every 4 s.

A removal from the history drops them: what is played after it is noted at once, also if progress of before the removal arrives
in between. The gateway sends a session's requests to one process; another one notes the title again after
`HISTORY_INTERVAL_SECONDS` at the latest.
"""

from typing import Final

from cachetools import TTLCache

HISTORY_INTERVAL_SECONDS: Final = 300.0
CACHE_ENTRIES: Final = 50_000


class NotedTitles:
    """(profile, title) pairs, for `HISTORY_INTERVAL_SECONDS` each."""

    def __init__(self) -> None:
        self._noted: TTLCache[tuple[str, str], None] = TTLCache(CACHE_ENTRIES, HISTORY_INTERVAL_SECONDS)
        self._removed_at_ms: TTLCache[str, int] = TTLCache(CACHE_ENTRIES, HISTORY_INTERVAL_SECONDS)
        """Profile -> its last removal."""

    def add(self, profile_id: str, movie_id: str, at_ms: int) -> None:
        """The title was noted as watched at this moment."""
        if at_ms > self._removed_at_ms.get(profile_id, 0):
            self._noted[profile_id, movie_id] = None

    def drop(self, profile_id: str, movie_id: str, at_ms: int) -> None:
        """The title was removed from the history."""
        self._removed_at_ms[profile_id] = at_ms
        self._noted.pop((profile_id, movie_id), None)

    def drop_all(self, profile_id: str, at_ms: int) -> None:
        """The history was emptied."""
        self._removed_at_ms[profile_id] = at_ms
        for key in [key for key in self._noted if key[0] == profile_id]:
            self._noted.pop(key, None)

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._noted
