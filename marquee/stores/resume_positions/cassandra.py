"""Resume positions in the Cassandra table `resume_position`: partition key user_id, clustering movie_id, one value cell.

The cell is `position_ms`, a bigint, written with the event's time (milliseconds as Cassandra's microseconds), so that the
newest event wins on every replica whatever the order of arrival. Of one time Cassandra keeps the cell with the larger bytes,
unsigned: of positions the larger one, and before all of them -1, which stands for forgotten. That is no tombstone: it is
never compacted away (a late older write would come back) and it can be moved. No TTL. With Cassandra gone a call is tried
again for some seconds (twice does no harm), then `StoreUnavailable`.

URL: see `marquee.stores.connections.cassandra_url`; the keyspace and the table are made where they are missing.
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
    Forgotten,
    Key,
    Page,
    ResumePosition,
    key_of,
    newest,
    newest_first,
    require_storable,
)

FORGOTTEN: Final = -1
"""All its bytes are FF: before every position in the order by which Cassandra settles equal times."""
US_PER_MS: Final = 1000
BATCH_ROWS: Final = 40
"""Rows of one viewer in one request: some 4 kB, below what Cassandra warns of (5 KiB)."""
READ_KEYS: Final = 100
"""Titles of one viewer in one read."""
MAX_CONCURRENT_STATEMENTS: Final = 1000
"""Requests of one call at once; how many of them are in flight is the URL's to bound."""
FIRST_TOKEN: Final = -(2**63)

TABLES: Final = {
    "resume_position": "user_id text, movie_id text, position_ms bigint, PRIMARY KEY (user_id, movie_id)",
}

_EVENT: Final = "SELECT user_id, movie_id, position_ms, WRITETIME(position_ms)"
STATEMENTS: Final = {
    # An update, not an insert: it writes the cell and nothing besides.
    "record": "UPDATE {keyspace}.resume_position USING TIMESTAMP ? SET position_ms = ? WHERE user_id = ? AND movie_id = ?",
    "events": f"{_EVENT} FROM {{keyspace}}.resume_position WHERE user_id = ? AND movie_id IN ?",
    "events_of_viewer": f"{_EVENT} FROM {{keyspace}}.resume_position WHERE user_id = ?",
    "scan": f"{_EVENT}, token(user_id) FROM {{keyspace}}.resume_position WHERE token(user_id) >= ?",
}

Item = TypeVar("Item")


class CassandraResumePositions:
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
        requests = [rows for viewer in by_viewer.values() for rows in _slices(viewer, BATCH_ROWS)]
        record = partial(self._database.execute_together, "record")
        await gather_bounded(record, requests, max_concurrent=MAX_CONCURRENT_STATEMENTS)

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None:
        found = (await self.events([(user_id, movie_id)])).get((user_id, movie_id))
        return found if isinstance(found, ResumePosition) else None

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        return newest_first(await self.events_of_viewer(user_id), limit=limit)

    async def events(self, keys: Sequence[Key]) -> Mapping[Key, Event]:
        by_viewer: dict[str, list[str]] = {}
        for user_id, movie_id in keys:
            by_viewer.setdefault(user_id, []).append(movie_id)
        reads = ((user_id, some) for user_id, movies in by_viewer.items() for some in _slices(movies, READ_KEYS))
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

    async def scan(self, *, after: str | None = None) -> AsyncIterator[Page]:
        try:
            # From the last viewer on, whole: several viewers may have one token, and a page may end amid one.
            token = FIRST_TOKEN if after is None else int(after)
        except ValueError as error:
            raise InputInvalid("The cursor is not one of Cassandra's.", field="after") from error
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
    value = event.position_ms if isinstance(event, ResumePosition) else FORGOTTEN
    return event.event_time_ms * US_PER_MS, value, event.user_id, event.movie_id


def _event(row: Sequence[object]) -> Event:
    user_id, movie_id, position_ms, written_us = row
    assert isinstance(user_id, str)
    assert isinstance(movie_id, str)
    assert isinstance(position_ms, int)
    assert isinstance(written_us, int)
    moment = written_us // US_PER_MS
    if position_ms == FORGOTTEN:
        return Forgotten(user_id, movie_id, moment)
    return ResumePosition(user_id, movie_id, position_ms, moment)


def _slices(items: Sequence[Item] | Iterator[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
