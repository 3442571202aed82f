"""Kafka's clients in their threads: what is left behind fails what waits, and nothing of one stream is passed over."""

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import KafkaTimeoutError

from marquee.errors import StoreUnavailable
from marquee.stores.event_log.kafka import clients
from marquee.stores.event_log.kafka.reader import by_time
from marquee.stores.event_log.kafka.threads import HUNG_SECONDS, Blocking, ClientThread


class _Stamped(NamedTuple):
    timestamp: int
    stream: int
    offset: int


@given(st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=4))
def test_records_of_all_streams_come_by_time_and_each_stream_in_its_order(clocks: Sequence[Sequence[int]]) -> None:
    """Also where a stream's clock went back: a leader with a slower clock took over."""
    streams = [[_Stamped(at, stream, offset) for offset, at in enumerate(clock)] for stream, clock in enumerate(clocks)]
    merged = list(by_time(streams))
    assert len(merged) == sum(len(stream) for stream in streams)
    for stream in range(len(streams)):
        assert [one for one in merged if one.stream == stream] == streams[stream], "a stream lost its order"
    if all(list(clock) == sorted(clock) for clock in clocks):
        assert [one.timestamp for one in merged] == sorted(one.timestamp for one in merged)


def test_a_thread_that_is_left_behind_fails_what_waits_whoever_gave_up() -> None:
    hanging, entered = threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        hanging.wait(30)

    thread = ClientThread("hangs")
    first: Future[None] = thread.submit(hang)
    assert entered.wait(30)
    given_up, waits = thread.submit(lambda: 1), thread.submit(lambda: 2)
    assert given_up.cancel()
    thread.abandon(KafkaTimeoutError("left behind"))
    for future in (first, waits, thread.submit(lambda: 3)):
        with pytest.raises(KafkaTimeoutError, match="left behind"):
            future.result(timeout=30)
    hanging.set()


async def test_who_waits_behind_a_call_that_hangs_is_told_so_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "OUTLAST_SECONDS", 0.3)
    hanging, entered = threading.Event(), threading.Event()

    def hang(client: str) -> None:
        entered.set()
        hanging.wait(30)

    blocking: Blocking[str] = Blocking("hangs", lambda: "client", lambda client: None)
    first = asyncio.create_task(blocking.call(hang))
    await asyncio.to_thread(entered.wait, 30)
    began = time.monotonic()
    waiting = [blocking.call(str.upper), blocking.outlast(str.upper), blocking.outlast(str.upper)]
    for answer in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(answer, StoreUnavailable)
    await blocking.renew()
    assert time.monotonic() - began < HUNG_SECONDS / 2, "it waited for the call that hangs"
    hanging.set()
    await first
    assert await blocking.outlast(str.upper) == "CLIENT", "who gave up its turn kept it"
    await blocking.close()
