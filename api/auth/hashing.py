"""The queues of password hashing: one thread each, of low priority. Few requests wait, and the rest is refused at once.

A hash costs 19 MiB and about 25 ms of one core, ten times as much as any other request. With a thread for each core a
flood of logins took every core, and other routes timed out. So a process has one queue for known clients and one for
strangers. A request is refused when its lane is full, or when it would wait longer than MAX_WAIT_SECONDS by the measured time
of a hash. It holds its place from before its attempt is counted until its hash is done, so a flood makes few calls to Valkey and
PostgreSQL. The lanes of a queue take turns, and one address has at most MAX_PLACES_OF_ADDRESS places in a lane.
"""

import asyncio
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from prometheus_client import Counter, Histogram

from marquee import deadlines
from marquee.errors import TooManyRequests

Lane = Literal["known", "login", "registration"]
"""`known`: a login from a known device, a change of password. `login`: from any other device."""
MAX_PLACES: Final = 16
"""Requests of one lane that wait or are hashed."""
MAX_PLACES_OF_ADDRESS: Final = 8
MAX_WAIT_SECONDS: Final = 2.0
FIRST_ESTIMATE_SECONDS: Final = 0.05
NICENESS: Final = 10
"""Of strangers' hashes, added to the process's own: the thread gets a tenth of a busy core, and a free core whole."""
NICENESS_OF_KNOWN: Final = 5
"""Of known clients' hashes. The thread gets a third of a busy core, so a known client can log in during a flood."""

REFUSED = Counter(
    "marquee_api_hashing_refused", "Requests that found no place in the queue of password hashing.", ["lane"]
)
SECONDS = Histogram("marquee_api_hashing_seconds", "Seconds of one password hash, without the wait for it.")

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Job:
    work: Callable[[], Any]
    waits_until: float
    done: asyncio.Future[Any]


@dataclass(frozen=True)
class Place:
    """A request's place in a lane. It may run several functions, one after the other."""

    queue: "HashingQueue"
    lane: Lane

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """What `work` returns. Raises `TooManyRequests` after MAX_WAIT_SECONDS without its turn."""
        return await self.queue.run(work, self.lane)


class HashingQueue:
    """Runs functions one after the other in a thread of its own. Every method is called in one event loop."""

    def __init__(self, *lanes: Lane, niceness: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lanes: dict[Lane, deque[_Job]] = {lane: deque() for lane in lanes}
        self._places: dict[Lane, dict[str, int]] = {lane: {} for lane in lanes}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashing", initializer=_give_way, initargs=(niceness,))
        self._worker: asyncio.Task[None] | None = None
        self._hash_seconds = FIRST_ESTIMATE_SECONDS

    @contextmanager
    def place(self, lane: Lane, address: str) -> Iterator[Place]:
        """A place in the lane for a client of this address, until the block ends. Raises `TooManyRequests` without one."""
        places = self._places[lane]
        if (
            sum(places.values()) >= MAX_PLACES
            or places.get(address, 0) >= MAX_PLACES_OF_ADDRESS
            or self._seconds_to_wait(lane) > MAX_WAIT_SECONDS
        ):
            raise self._refusal(lane)
        places[address] = places.get(address, 0) + 1
        try:
            yield Place(self, lane)
        finally:
            places[address] -= 1
            if not places[address]:
                del places[address]

    async def run(self, work: Callable[[], Answer], lane: Lane) -> Answer:
        """Called by a `Place`, which bounds the number of callers."""
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._lanes[lane].append(_Job(work, self._clock() + MAX_WAIT_SECONDS, done))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._serve(), name="password hashing")
        try:
            # A hash that began late on a busy machine outlasts the request: that is a refusal too, not a lost engine.
            async with asyncio.timeout(deadlines.remaining_seconds(whole_request=True)):
                return await done
        except TimeoutError as error:
            raise self._refusal(lane) from error

    def _seconds_to_wait(self, lane: Lane) -> float:
        """Until a new job of the lane would begin. The lanes take turns, so no other lane is ahead by more jobs than this one."""
        own = sum(self._places[lane].values())
        others = (sum(places.values()) for other, places in self._places.items() if other != lane)
        return (own + sum(min(count, own + 1) for count in others)) * self._hash_seconds

    def _refusal(self, lane: Lane) -> TooManyRequests:
        REFUSED.labels(lane).inc()
        return TooManyRequests(
            "Too many people are logging in at this moment: try again in a few seconds.",
            retry_after_seconds=max(1, math.ceil(self._seconds_to_wait(lane))),
        )

    async def _serve(self) -> None:
        """Run the jobs of all lanes in turn; ends when none is left."""
        loop = asyncio.get_running_loop()
        while any(self._lanes.values()):
            for lane, jobs in self._lanes.items():
                job = _next(jobs)
                if job is None:
                    continue
                if job.waits_until < self._clock():
                    job.done.set_exception(self._refusal(lane))
                    continue
                begun = self._clock()
                try:
                    answer = await loop.run_in_executor(self._thread, job.work)
                except Exception as error:
                    if not job.done.done():
                        job.done.set_exception(error)
                else:
                    if not job.done.done():
                        job.done.set_result(answer)
                seconds = self._clock() - begun
                SECONDS.observe(seconds)
                self._hash_seconds += 0.2 * (seconds - self._hash_seconds)


def _next(jobs: deque[_Job]) -> _Job | None:
    """The next job of the lane whose request still waits for it. A request that was given up is not hashed."""
    while jobs:
        job = jobs.popleft()
        if not job.done.done():
            return job
    return None


def queues() -> dict[Lane, HashingQueue]:
    """The queue of each lane."""
    strangers = HashingQueue("login", "registration", niceness=NICENESS)
    return {
        "known": HashingQueue("known", niceness=NICENESS_OF_KNOWN),
        "login": strangers,
        "registration": strangers,
    }


def _give_way(niceness: int) -> None:
    # On Linux the niceness is of a thread, and the threads that argon2 itself starts inherit it.
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + niceness)
