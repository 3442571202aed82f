"""What home shows to one profile alone: the order of its genre rows, and its rows "Because you watched ...".

Both come from one read of the findings. A row is left out with fewer than `MIN_BECAUSE_ITEMS` titles, and a title that the
profile has watched to its end is not suggested; nor is one in two rows of a page. While no batch is accepted, the read is
repeated every `RECHECK_SECONDS` only, and its failure is no missing row: there would be nothing to show.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from purgatory import AsyncCircuitBreakerFactory

from api.rows.bulkhead import Bulkhead
from marquee.domain.playback import is_watched
from marquee.domain.rows import MAX_BECAUSE_ROWS, MIN_BECAUSE_ITEMS, RowDefinition, because_row
from marquee.errors import StoreUnavailable
from marquee.settings import Settings
from marquee.stores.analytics.findings.contract import Findings, ProfileFindings, RankedCard, SuggestionList
from marquee.stores.resume_positions.contract import ResumePosition

RECHECK_SECONDS: Final = 2.0

ReadPositions = Callable[[], Awaitable[Sequence[ResumePosition]]]


@dataclass(frozen=True)
class BecauseRow:
    row: RowDefinition
    items: Sequence[RankedCard]


class PersonalRows:
    """Reads a profile's findings, behind a bulkhead of their own."""

    def __init__(self, findings: Findings, breakers: AsyncCircuitBreakerFactory, settings: Settings) -> None:
        self._findings = findings
        self._calls = Bulkhead(
            "personal rows",
            breakers,
            concurrency=settings.row_concurrency,
            timeout_seconds=settings.row_timeout_seconds,
        )
        self._has_batch = True
        self._recheck_at = 0.0

    async def findings(self, profile_id: str) -> ProfileFindings:
        """Raises `StoreUnavailable`, unless no batch was accepted when this process looked last."""
        if not self._has_batch and time.monotonic() < self._recheck_at:
            return ProfileFindings(has_batch=False)
        try:
            found = await self._calls.call(lambda: self._findings.of_profile(profile_id))
        except StoreUnavailable:
            if self._has_batch:
                raise
            return ProfileFindings(has_batch=False)
        self._has_batch = found.has_batch
        self._recheck_at = time.monotonic() + RECHECK_SECONDS
        return found


def because_rows(
    suggestions: Sequence[SuggestionList], positions: Sequence[ResumePosition], *, limit: int = MAX_BECAUSE_ROWS
) -> list[BecauseRow]:
    """The rows that a profile gets out of its lists: the first `limit` ones with enough titles.

    `positions`: where the profile stopped, as far as they are known.
    """
    stopped = {position.movie_id: position.position_ms for position in positions}
    shown: set[str] = set()
    rows: list[BecauseRow] = []
    for suggestion in suggestions:
        items = [
            item
            for item in suggestion.items
            if item.card.movie_id not in shown
            and item.card.movie_id != suggestion.because_movie_id
            and not (
                (position_ms := stopped.get(item.card.movie_id)) is not None
                and is_watched(position_ms, item.card.duration_seconds or 0.0)
            )
        ]
        if len(items) >= MIN_BECAUSE_ITEMS:
            rows.append(BecauseRow(because_row(suggestion.because_movie_id, suggestion.because_title), items))
            shown.update(item.card.movie_id for item in items)
        if len(rows) == limit:
            break
    return rows
