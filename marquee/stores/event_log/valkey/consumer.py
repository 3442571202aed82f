"""A member of a consumer group on Valkey streams: which streams it owns, and which records it gives out.

The owner of a stream first reads the entries that its predecessor was given and did not acknowledge, then new ones. So a takeover
keeps the order by key. `group` has the keys and the scripts. Server down: calls are repeated for `outlast_seconds`, then
`StoreUnavailable`. If a lease ran out meanwhile, the next heartbeat finds that out.

Streams are dealt out by rank among the living members. A member gives a stream up only between polls, and only if its caller has
acknowledged every record of it. A member that closes frees its streams at once; a member that dies, after `lease_seconds`.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import ResponseError

from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.stores.connections.valkey import outlast, translated
from marquee.stores.event_log.contract import Record
from marquee.stores.event_log.valkey.group import Entry, ValkeyGroup
from marquee.stores.event_log.valkey.records import order, record_of

WHAT = "The event log"
LEAVING_SECONDS = 2.0

log = get_logger()


@dataclass
class _OwnedStream:
    """A stream that this member owns."""

    given: str
    """The last position that the group was given: everything after it is new."""
    backlog_from: str | None = "0-0"
    """Not None: first read, after this position, what was given to the predecessor or before a rewind."""
    unacknowledged: set[str] = field(default_factory=set)
    """Positions that our caller was given and has not acknowledged."""


class ValkeyConsumer:
    def __init__(
        self,
        client: Any,
        topic: str,
        group: str,
        *,
        streams: int,
        lease_seconds: float,
        outlast_seconds: float,
        bury: Callable[[Record, str], Awaitable[None]],
    ) -> None:
        self._topic = topic
        self._name = group
        self._streams = streams
        self._lease_seconds = lease_seconds
        self._outlast_seconds = outlast_seconds
        self._bury = bury
        self._member = secrets.token_hex(8)
        self._group = ValkeyGroup(
            client, topic, group, streams=streams, member=self._member, lease_ms=round(lease_seconds * 1000)
        )
        self._members: list[str] = []
        self._owned: dict[int, _OwnedStream] = {}
        self._changes_seen = "$"
        self._turn = 0
        self._running = asyncio.Event()
        self._running.set()
        self._heartbeat_task: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    # --- membership --------------------------------------------------------------------------------------
    async def join(self) -> None:
        """Enter the group. `subscribe` calls it once."""
        await outlast(WHAT, self._group.create, seconds=self._outlast_seconds)
        self._changes_seen = await outlast(WHAT, self._group.newest_change, seconds=self._outlast_seconds)
        await outlast(WHAT, self._beat, seconds=self._outlast_seconds)
        self._heartbeat_task = asyncio.create_task(self._keep_lease(), name=f"lease {self._topic}/{self._name}")

    async def _keep_lease(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._lease_seconds / 3):
                    await self._closed.wait()
            # While the server is away no lease can be kept. The next beat finds out which streams are lost.
            with contextlib.suppress(StoreUnavailable), translated(WHAT):
                await self._beat()

    async def _beat(self) -> None:
        if self._closed.is_set():  # it would be a member again
            return
        self._members, lost = await self._group.beat(list(self._owned))
        for number in lost:
            self._lose(number)

    def _lose(self, number: int) -> None:
        if self._owned.pop(number, None) is not None:
            log.warning("stream_lost", topic=self._topic, stream=number, group=self._name)

    def _own_share(self) -> set[int]:
        """The streams that this member should own: every n-th, by its rank among n members."""
        if self._member not in self._members:
            return set()
        return set(range(self._members.index(self._member), self._streams, len(self._members)))

    async def _settle(self) -> None:
        """Give up and take over streams, so that we own the dealt ones as far as that is possible now."""
        dealt = self._own_share()
        surplus = [number for number, owned in self._owned.items() if number not in dealt and not owned.unacknowledged]
        if surplus:
            for number in surplus:
                del self._owned[number]
            await self._group.give_up(surplus)
        for number in sorted(dealt - self._owned.keys()):
            given = await self._group.acquire(number)
            if given is not None and self._closed.is_set():  # while it was asked for
                await self._group.give_up([number])
            elif given is not None:
                self._owned[number] = _OwnedStream(given)

    # --- records -----------------------------------------------------------------------------------------
    async def poll(self, *, limit: int = 100, timeout_seconds: float = 1.0) -> Sequence[Record]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout_seconds
        while True:
            if not self._running.is_set():
                try:
                    async with asyncio.timeout_at(deadline):
                        await self._running.wait()
                except TimeoutError:
                    return []
            try:
                records = await outlast(WHAT, lambda: self._next(limit), seconds=self._outlast_seconds)
            except StoreUnavailable as error:
                if not isinstance(error.__cause__, ResponseError) or "NOGROUP" not in str(error.__cause__):
                    raise
                # The server came back without its data: create the group again.
                await outlast(WHAT, self._group.create, seconds=self._outlast_seconds)
                continue
            remaining = deadline - clock()
            if records or remaining <= 0:
                return records
            await outlast(WHAT, lambda wait=remaining: self._wait(wait), seconds=self._outlast_seconds)  # type: ignore[misc]

    async def _next(self, limit: int) -> list[Record]:
        if self._closed.is_set():  # it would take over streams again, and nobody would renew their lease
            raise StoreUnavailable(f"{WHAT} did not answer: the consumer was closed.")
        await self._settle()
        if not self._owned:
            return []
        # Another stream comes first each time, so that a busy stream does not starve the others.
        self._turn += 1
        numbers = sorted(self._owned, key=lambda number: (number + self._turn) % self._streams)
        before = {number: self._owned[number] for number in numbers}
        reached = {number: owned.backlog_from or owned.given for number, owned in before.items()}
        records: list[Record] = []
        drained = False
        try:
            answers = await self._group.fetch(
                {number: owned.backlog_from or ">" for number, owned in before.items()}, limit=limit
            )
            left = limit
            for number, answer in zip(numbers, answers, strict=True):
                if answer is None:
                    self._lose(number)
                    continue
                entries, counts = answer
                records += await self._take(number, before[number], entries, counts)
                if before[number].backlog_from is not None and not entries and left > 0:
                    before[number].backlog_from = None
                    drained = True
                left -= len(entries)  # as the server counts: past the limit it looks into no further stream
        except BaseException:
            # The server may have given us records that our caller never sees: read them again as a backlog.
            for number, owned in before.items():
                owned.backlog_from = reached[number]
            raise
        # New entries are asked for only when the backlog is empty, which was perhaps found out just now.
        return records if records or not drained else await self._next(limit)

    async def _take(
        self, number: int, owned: _OwnedStream, entries: Sequence[Entry], counts: dict[bytes, int]
    ) -> list[Record]:
        records = []
        for position, flat in entries:
            if owned.backlog_from is not None:
                owned.backlog_from = position.decode()
            owned.given = max(owned.given, position.decode(), key=order)
            if not flat:  # removed from the stream by hand: there is nothing to deliver
                await self._group.acknowledge({number: [position.decode()]})
                continue
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            records.append(record_of(self._topic, number, position, fields, counts.get(position, 1)))
            owned.unacknowledged.add(position.decode())
        return records

    async def _wait(self, seconds: float) -> None:
        """Wait until our streams have a new entry, the group changes, or a third of a lease is over."""
        given = {number: owned.given for number, owned in self._owned.items()}
        milliseconds = max(1, round(min(seconds, self._lease_seconds / 3) * 1000))
        newest = await self._group.changed(given, self._changes_seen, milliseconds=milliseconds)
        if newest is not None:
            self._changes_seen = newest
            await self._beat()

    async def acknowledge(self, records: Sequence[Record]) -> None:
        positions: dict[int, list[str]] = {}
        for record in records:
            positions.setdefault(record.stream, []).append(record.position)
        if not positions:
            return
        await outlast(WHAT, lambda: self._group.acknowledge(positions), seconds=self._outlast_seconds)
        for number, ids in positions.items():
            if number in self._owned:
                self._owned[number].unacknowledged.difference_update(ids)

    async def dead_letter(self, record: Record, reason: str) -> None:
        await self._bury(record, reason)
        await self.acknowledge([record])

    async def rewind(self) -> None:
        for owned in self._owned.values():
            owned.backlog_from = "0-0"
            owned.unacknowledged.clear()

    async def pause(self) -> None:
        self._running.clear()

    async def resume(self) -> None:
        self._running.set()

    async def close(self) -> None:
        if self._closed.is_set() or self._heartbeat_task is None:
            return
        self._closed.set()
        # A beat under way is awaited, not cancelled: the client may swallow a cancellation, and then the task goes on.
        await asyncio.wait({self._heartbeat_task}, timeout=LEAVING_SECONDS)
        self._heartbeat_task.cancel()
        owned = list(self._owned)
        self._owned.clear()
        # If the server is away, the leases run out by themselves.
        with contextlib.suppress(StoreUnavailable, TimeoutError), translated(WHAT):
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._group.leave(owned)
