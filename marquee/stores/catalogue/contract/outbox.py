"""The outbox: messages that are committed together with what they report, and published after that."""

from collections.abc import Sequence
from typing import Protocol

from marquee.stores.catalogue.values import OutboxEntry


class Outbox(Protocol):
    async def oldest(self, *, limit: int = 100) -> Sequence[OutboxEntry]:
        """Entries that are not published yet, in the order of their commits."""
        ...

    async def mark_published(self, entry_ids: Sequence[int]) -> None:
        """Delete entries that the event log has acknowledged; idempotent."""
        ...
