"""Where each viewer stopped in each title: the hottest write of the platform.

`user_id` is the profile's id. One value column (fixed-width milliseconds) and its event time; the newest event wins
whatever the order of arrival, equal times: the larger position. No TTL. A write is durable when acknowledged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ResumePosition:
    user_id: str
    movie_id: str
    position_ms: int
    event_time_ms: int
    """Server's clock less the client's stated age; never in the future (the caller clamps)."""


class ResumePositions(Protocol):
    async def record(self, position: ResumePosition) -> None:
        """Keep this position unless a newer event is stored; durable on return."""
        ...

    async def record_many(self, positions: Sequence[ResumePosition]) -> None:
        """The same for several, in one round trip."""
        ...

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None: ...

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        """A viewer's positions, newest event first, in one read."""
        ...

    async def forget(self, user_id: str, movie_id: str, *, event_time_ms: int | None = None) -> None:
        """Forget as an event of its own (None: now): an older write that arrives late does not undo it, a newer one does.

        At equal times forgetting wins.
        """
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
