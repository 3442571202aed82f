"""A consumer of the event log on Kafka: the asyncio side of a group's member, which runs in a thread of its own (`member`).

The next poll gives the records that a cancelled `poll` had asked for, unless their stream has another owner by then. A member
that hangs, or whose group does not come to rest, is replaced by a new one, which is given the unacknowledged records again.
Broker down: a poll is empty at first; an acknowledgement waits up to OUTLAST_SECONDS, then `StoreUnavailable`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from kafka.errors import IllegalStateError, KafkaError, KafkaTimeoutError

from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.stores.event_log.contract import Record
from marquee.stores.event_log.kafka import clients
from marquee.stores.event_log.kafka.clients import REJOIN_SECONDS, KafkaOptions, outlast
from marquee.stores.event_log.kafka.member import REBALANCED, Member
from marquee.stores.event_log.kafka.threads import HUNG_SECONDS, ClientThread, close_aside

STEP_SECONDS: Final = 0.25
"""The longest fetch. Every other call to the member may wait that long."""
KEEP_SECONDS: Final = 0.1
TEND_SECONDS: Final = 1.0
LEAVING_SECONDS: Final = 4.0

Answer = TypeVar("Answer")

log = get_logger()


class GroupConsumer:
    def __init__(
        self, options: KafkaOptions, topic: str, group: str, *, bury: Callable[[Record, str], Awaitable[None]]
    ) -> None:
        self._options = options
        self._topic = topic
        self._group = group
        self._bury = bury
        self._running = asyncio.Event()
        self._running.set()
        self._fetching: asyncio.Future[list[Record]] | None = None
        self._ready: list[Record] = []
        self._closed = False
        self._begin()
        self._tending = asyncio.create_task(self._tend(), name=f"membership {topic}/{group}")

    def _begin(self) -> None:
        self._member = Member(self._options, self._topic, self._group)
        self._thread = ClientThread(
            f"kafka {self._topic}/{self._group}", idle=self._member.keep, idle_seconds=KEEP_SECONDS
        )

    async def _tend(self) -> None:
        """Replace a member that hangs, or that the group does not let in for too long."""
        while True:
            await asyncio.sleep(TEND_SECONDS)
            since = self._member.unstable_since
            unstable_too_long = since is not None and time.monotonic() - since > 2 * max(
                REJOIN_SECONDS, self._options.lease_seconds
            )
            if unstable_too_long or self._thread.busy_seconds > HUNG_SECONDS:
                log.warning(
                    "member_replaced", topic=self._topic, group=self._group, unstable_too_long=unstable_too_long
                )
                member = self._member
                self._thread.abandon(KafkaTimeoutError("the member was replaced"))
                close_aside(member.leave)
                self._begin()

    async def _call(self, use: Callable[[Member], Answer]) -> Answer:
        member = self._member
        return await asyncio.wrap_future(self._thread.submit(lambda: use(member)))

    async def _outlast(self, use: Callable[[Member], Answer]) -> Answer:
        return await outlast(lambda: self._call(use), mended=REBALANCED)

    async def join(self) -> None:
        """Enter the group. `subscribe` calls it once. Raises `StoreUnavailable`."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + clients.OUTLAST_SECONDS
        while not await self._outlast(lambda member: member.join(STEP_SECONDS)):
            if clock() > deadline:
                raise StoreUnavailable(f"The event log did not let {self._group} in: the group does not come to rest.")

    async def poll(self, *, limit: int = 100, timeout_seconds: float = 1.0) -> Sequence[Record]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout_seconds
        left_over = bool(self._ready) or self._fetching is not None
        while True:
            if not self._running.is_set():
                try:
                    async with asyncio.timeout_at(deadline):
                        await self._running.wait()
                except TimeoutError:
                    return []
            if not self._ready:
                seconds = min(STEP_SECONDS, max(0.0, deadline - clock()))
                self._ready = await outlast(lambda: self._fetched(limit, seconds), mended=REBALANCED)  # noqa: B023
            if left_over and self._ready:
                # Since an earlier poll asked for these records, their streams may have gone to another member.
                self._ready = await self._outlast(lambda member: member.still_in_hand(self._ready))
            left_over = False
            given, self._ready = self._ready[:limit], self._ready[limit:]
            if given or clock() >= deadline:
                return given

    async def _fetched(self, limit: int, seconds: float) -> list[Record]:
        if self._fetching is None:
            self._fetching = asyncio.ensure_future(self._call(lambda member: member.fetch(limit, seconds)))
        await asyncio.wait({self._fetching})
        fetching, self._fetching = self._fetching, None
        return fetching.result()

    async def acknowledge(self, records: Sequence[Record]) -> None:
        offsets: dict[int, list[int]] = {}
        for record in records:
            offsets.setdefault(record.stream, []).append(int(record.position))
        if offsets:
            await self._outlast(lambda member: member.acknowledge(offsets))

    async def dead_letter(self, record: Record, reason: str) -> None:
        await self._bury(record, reason)
        await self.acknowledge([record])

    async def rewind(self) -> None:
        await self._outlast(lambda member: member.rewind())
        # The member fetched these records before it went back: they come again.
        if self._fetching is not None:
            await asyncio.wait({self._fetching})
            self._fetching = None
        self._ready = []

    async def pause(self) -> None:
        self._running.clear()

    async def resume(self) -> None:
        self._running.set()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._tending.cancel()
        await asyncio.gather(self._tending, return_exceptions=True)
        member = self._member
        try:
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._call(lambda member: member.leave())
        except BaseException as error:
            # The broker is away, or the thread is busy: the client is closed from another thread, and the lease runs out.
            self._thread.abandon(IllegalStateError("the consumer was closed"))
            close_aside(member.leave)
            if not isinstance(error, (KafkaError, OSError, RuntimeError)):
                raise
        else:
            self._thread.end()
