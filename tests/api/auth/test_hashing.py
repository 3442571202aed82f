"""The queue of password hashing: bounded, fair, refusing at once, and of low priority."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from api.auth.hashing import (
    MAX_PLACES,
    MAX_PLACES_OF_ADDRESS,
    MAX_WAIT_SECONDS,
    NICENESS,
    HashingQueue,
    Lane,
    queues,
)
from marquee import deadlines
from marquee.errors import TooManyRequests

Answer = TypeVar("Answer")


async def run(queue: HashingQueue, work: Callable[[], Answer], lane: Lane, address: str = "10.9.9.9") -> Answer:
    with queue.place(lane, address) as place:
        return await place.run(work)


class Held:
    """A queue whose thread is held until `go_on` is set, and the order in which it then works."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.queue = HashingQueue("login", "registration", niceness=NICENESS, clock=clock)
        self.go_on = threading.Event()
        self.is_held = asyncio.Event()
        self.done: list[str] = []
        self.waiting: list[asyncio.Task[None]] = []

    async def hold(self) -> None:
        loop = asyncio.get_running_loop()

        def work() -> None:
            loop.call_soon_threadsafe(self.is_held.set)
            self.go_on.wait(10)

        self.waiting.append(asyncio.create_task(run(self.queue, work, "login")))
        await self.is_held.wait()

    async def add(self, name: str, lane: Lane, address: str) -> asyncio.Task[None]:
        task = asyncio.create_task(run(self.queue, lambda: self.done.append(name), lane, address))
        await asyncio.sleep(0)
        self.waiting.append(task)
        return task

    async def finish(self) -> list[object]:
        self.go_on.set()
        return await asyncio.gather(*self.waiting, return_exceptions=True)


async def test_a_full_queue_refuses_at_once_and_names_a_time() -> None:
    held = Held()
    await held.hold()
    for number in range(MAX_PLACES - 1):
        await held.add(str(number), "login", f"10.0.0.{number}")
    with pytest.raises(TooManyRequests) as refused, held.queue.place("login", "10.0.1.1"):
        pass
    assert refused.value.retry_after_seconds >= 1
    with held.queue.place("registration", "10.0.1.1"):
        pass
    await held.finish()
    assert len(held.done) == MAX_PLACES - 1
    with held.queue.place("login", "10.0.1.1"):
        assert held.queue._places["login"] == {"10.0.1.1": 1}, "places are not given back"


async def test_one_address_leaves_places_to_others() -> None:
    held = Held()
    await held.hold()
    answers = [await held.add(str(number), "login", "10.0.0.1") for number in range(80)]
    await held.add("other", "login", "10.0.0.2")
    refused = [task for task in answers if task.done() and isinstance(task.exception(), TooManyRequests)]
    assert len(refused) == 80 - MAX_PLACES_OF_ADDRESS, "a client's flood was not refused at once"
    await held.finish()
    assert "other" in held.done


async def test_the_lanes_are_served_in_turn() -> None:
    held = Held()
    await held.hold()
    for number in range(8):
        await held.add(f"login {number}", "login", f"10.0.0.{number}")
    await held.add("registration", "registration", "10.0.0.9")
    await held.finish()
    assert held.done.index("registration") <= 1, f"a flood goes first: {held.done}"


async def test_who_is_known_does_not_wait_behind_strangers() -> None:
    every_queue = queues()
    assert every_queue["login"] is every_queue["registration"]
    held = Held()
    held.queue = every_queue["login"]
    await held.hold()
    assert await run(every_queue["known"], lambda: "hashed", "known") == "hashed"
    await held.finish()


async def test_who_has_waited_too_long_or_has_gone_is_not_hashed() -> None:
    now = 0.0
    held = Held(clock=lambda: now)
    await held.hold()
    gone = await held.add("gone", "login", "10.0.0.1")
    late = await held.add("late", "login", "10.0.0.2")
    gone.cancel()
    now = MAX_WAIT_SECONDS + 0.1
    await held.finish()
    assert held.done == [], "a password was hashed for nobody"
    assert isinstance(late.exception(), TooManyRequests)


async def test_a_hash_that_outlasts_its_request_is_a_refusal() -> None:
    held = Held()
    await held.hold()
    with pytest.raises(TooManyRequests), deadlines.limited(0.02):
        await run(held.queue, lambda: None, "login")
    await held.finish()
    assert await run(held.queue, lambda: "the next one", "login") == "the next one"


async def test_the_measured_time_of_a_hash_decides_how_many_may_wait() -> None:
    held = Held()
    for _ in range(10):
        await run(held.queue, lambda: time.sleep(0.1), "login")
    slow = held.queue._hash_seconds
    assert slow > 0.08
    held.queue._hash_seconds = 1.5
    await held.hold()
    await held.add("first", "login", "10.0.0.1")
    with pytest.raises(TooManyRequests) as refused, held.queue.place("login", "10.0.0.2"):
        pass
    assert refused.value.retry_after_seconds >= 3
    await held.finish()


async def test_hashing_gives_way_to_the_event_loop() -> None:
    queue = HashingQueue("login", niceness=NICENESS)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    niceness = await run(queue, lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), "login")
    assert niceness == min(19, own + NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own, "the event loop lost its priority too"


async def test_an_error_of_the_work_reaches_its_caller_and_no_other() -> None:
    queue = HashingQueue("login", niceness=NICENESS)

    def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await run(queue, fail, "login")
    assert await run(queue, lambda: 1, "login") == 1
