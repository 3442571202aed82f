"""Resume positions in the Cassandra table `resume_position`: partition key user_id, clustering key movie_id, one value cell.

The cell is `position_ms`, a bigint, written with the event's time in microseconds as its timestamp. So the newest event wins on
every replica in any order of arrival. Of two cells with one timestamp Cassandra keeps the one with the larger unsigned bytes:
the larger position; before every position a hidden one (-2 - position); before all -1, which means forgotten. -1 is used
instead of a delete: a tombstone would be compacted away, so that a late older write could come back, and could not be moved to
another engine. No TTL. With Cassandra
down a call is repeated as in `connections.cassandra` (twice does no harm), then `StoreUnavailable`. The keyspace and table
are created if they are missing. URL: see `marquee.stores.connections.cassandra_url`.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from marquee.concurrency import gather_bounded
from marquee.errors import InputInvalid
from marquee.stores.connections.cassandra import CassandraDatabase
from marquee.stores.resume_positions.contract import (
    Event,
    Key,
    Page,
    ResumePosition,
    event_of,
    key_of,
    newest,
    newest_first,
    require_storable,
    resumable,
    stored_value,
)

FORGOTTEN: Final = -1
"""All its bytes are FF, so it wins over everything else with the same timestamp."""
US_PER_MS: Final = 1000
MAX_BATCH_ROWS: Final = 40
"""Maximum rows of one viewer in one batch: about 4 kB. Cassandra warns of batches above 5 KiB."""
MAX_READ_TITLES: Final = 100
"""Maximum titles of one viewer in one read."""
MAX_CONCURRENT_STATEMENTS: Final = 1000
"""Requests that one call has open at once. The URL's `in_flight` limits how many of them Cassandra gets at once."""
LOWEST_TOKEN: Final = -(2**63)

TABLES: Final = {
    "resume_position": "user_id text, movie_id text, position_ms bigint, PRIMARY KEY (user_id, movie_id)",
}

_EVENT: Final = "SELECT user_id, movie_id, position_ms, WRITETIME(position_ms)"
STATEMENTS: Final = {
    # An UPDATE writes only the cell; an INSERT would also write a row marker.
    "record": "UPDATE {keyspace}.resume_position USING TIMESTAMP ? SET position_ms = ? WHERE user_id = ? AND movie_id = ?",
    "events": f"{_EVENT} FROM {{keyspace}}.resume_position WHERE user_id = ? AND movie_id IN ?",
    "events_of_viewer": f"{_EVENT} FROM {{keyspace}}.resume_position WHERE user_id = ?",
    "erase": "DELETE FROM {keyspace}.resume_position USING TIMESTAMP ? WHERE user_id = ?",
    "scan": f"{_EVENT}, token(user_id) FROM {{keyspace}}.resume_position WHERE token(user_id) >= ?",
}

Item = TypeVar("Item")


class CassandraResumePositions:
    """`MovableResumePositions` on Cassandra. Connects at the first call. Raises `SettingsInvalid`, naming `setting`."""

    def __init__(self, url: str, *, setting: str) -> None:
        self._database = CassandraDatabase(url, setting=setting, tables=TABLES, statements=STATEMENTS)

    async def record(self, event: Event) -> None:
        require_storable(event)
        await self._database.execute("record", _values(event))

    async def record_many(self, events: Sequence[Event]) -> None:
        for event in events:
            require_storable(event)
        by_viewer: dict[str, list[Sequence[object]]] = {}
        for event in newest(events):
            by_viewer.setdefault(event.user_id, []).append(_values(event))
        requests = [rows for viewer in by_viewer.values() for rows in _batches(viewer, MAX_BATCH_ROWS)]
        record = partial(self._database.execute_together, "record")
        await gather_bounded(record, requests, max_concurrent=MAX_CONCURRENT_STATEMENTS)

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None:
        return resumable((await self.events([(user_id, movie_id)])).get((user_id, movie_id)))

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        return newest_first(await self.events_of_viewer(user_id), limit=limit)

    async def events(self, keys: Sequence[Key]) -> Mapping[Key, Event]:
        by_viewer: dict[str, list[str]] = {}
        for user_id, movie_id in keys:
            by_viewer.setdefault(user_id, []).append(movie_id)
        reads = ((user_id, some) for user_id, movies in by_viewer.items() for some in _batches(movies, MAX_READ_TITLES))
        read = partial(self._database.execute, "events")
        answers = await gather_bounded(read, reads, max_concurrent=MAX_CONCURRENT_STATEMENTS)
        return {key_of(event): event for answer in answers for event in map(_event, answer.rows)}

    async def events_of_viewer(self, user_id: str) -> Sequence[Event]:
        answer = await self._database.execute("events_of_viewer", (user_id,))
        events = [_event(row) for row in answer.rows]
        while answer.next_page:
            answer = await self._database.execute("events_of_viewer", (user_id,), page=answer.next_page)
            events += [_event(row) for row in answer.rows]
        return events

    async def erase(self, user_id: str) -> None:
        # Events have a time of their own, also a later one than this host's clock says: the delete is later than all of them.
        events = await self.events_of_viewer(user_id)
        if events:
            newest_ms = max(event.event_time_ms for event in events)
            await self._database.execute("erase", (newest_ms * US_PER_MS, user_id))

    async def scan(self, *, after: str | None = None) -> AsyncIterator[Page]:
        try:
            # Begin again at the token of the last row: several viewers may share a token, and a page may end within one.
            token = LOWEST_TOKEN if after is None else int(after)
        except ValueError as error:
            raise InputInvalid(
                f"The cursor {after!r} is not one of Cassandra's; give one of this engine, or begin without.",
                field="after",
            ) from error
        more: bytes | None = None
        while True:
            answer = await self._database.execute("scan", (token,), page=more)
            if answer.rows:
                yield Page([_event(row[:4]) for row in answer.rows], str(answer.rows[-1][4]))
            if (more := answer.next_page) is None:
                return

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()


def _values(event: Event) -> Sequence[object]:
    value = stored_value(event)
    return event.event_time_ms * US_PER_MS, FORGOTTEN if value is None else value, event.user_id, event.movie_id


def _event(row: Sequence[object]) -> Event:
    user_id, movie_id, position_ms, written_us = row
    assert isinstance(user_id, str)
    assert isinstance(movie_id, str)
    assert isinstance(position_ms, int)
    assert isinstance(written_us, int)
    return event_of(user_id, movie_id, written_us // US_PER_MS, None if position_ms == FORGOTTEN else position_ms)


def _batches(items: Sequence[Item] | Iterator[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
