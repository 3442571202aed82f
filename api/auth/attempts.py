"""Who may try a password, and when: growing waits after wrong attempts, and never a lock of an owner on a known device.

A login from a known device (`api.auth.devices`) counts in (account, device) alone, so no stranger slows it. One from an unknown
device counts by (account, address) and by address. It also counts by account, unless somebody has logged in to the account from
this address before: BY_ACCOUNT, or NEWCOMERS for an address with few wrong attempts. So the addresses that guess at an account
do not use up the attempts of its owner at a new one. A change of password counts by session.

An attempt is counted before the password is hashed, else a hundred guesses at once would all pass; a right one is taken back.
Addresses without an account are counted in the same way, so a wait does not tell which addresses have one.

The engine is Valkey. While it is down or slow, this process counts for itself: see `ReliableCounter`.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from prometheus_client import Counter

from marquee import deadlines
from marquee.domain.addresses import folded_address
from marquee.domain.attempts import AttemptRule
from marquee.domain.client_address import newcomer_network
from marquee.errors import InputInvalid, NotAuthenticated, StoreUnavailable, TooManyRequests
from marquee.logs import get_logger
from marquee.stores.coordination.contract import UseCounter
from marquee.stores.coordination.in_process import InProcessCounter

BY_ACCOUNT_AND_ADDRESS: Final = AttemptRule(free=5, first_seconds=1, max_seconds=300, forget_seconds=3600)
"""Somebody who has forgotten the password tries a few. A guesser gets about 12 attempts an hour."""
BY_DEVICE: Final = BY_ACCOUNT_AND_ADDRESS
"""For each known device, and for each session that changes the password."""
BY_ADDRESS: Final = AttemptRule(free=50, first_seconds=1, max_seconds=10, forget_seconds=600)
"""Wrong passwords over all accounts: colleagues behind one address mistype too. A sprayer gets 6 attempts a minute."""
BY_ACCOUNT: Final = AttemptRule(free=100, first_seconds=1, max_seconds=30, forget_seconds=3600)
"""Wrong passwords from all addresses: a botnet gets 2 attempts a minute. The owner's known devices and addresses do not wait."""
NEWCOMER: Final = AttemptRule(free=3, first_seconds=3600, max_seconds=3600, forget_seconds=3600)
"""Wrong passwords, of any account, after which an address is no newcomer for an hour."""
NEWCOMERS: Final = AttemptRule(free=100, first_seconds=1, max_seconds=5, forget_seconds=3600)
"""Wrong passwords at one account from newcomers. The owner at a new address waits 5 s at most. A botnet of N addresses gets 3 N
attempts an hour more, and never more than 12 a minute."""
KNOWN_ADDRESSES: Final = 20
"""Of an account: the last addresses from which somebody has logged in."""
KNOWN_ADDRESS_SECONDS: Final = 30 * 24 * 3600.0
LOGINS_A_MINUTE: Final = 60
"""Right ones too, of one account at one address or on one device: each costs a hash."""
REGISTRATIONS: Final = ((60, 60), (300, 3600), (1000, 24 * 3600))
"""(new accounts, seconds) of one client address."""
PROFILE_DELETIONS_AN_HOUR: Final = 20
"""Of one account. Each has files of the lake searched."""
RETRY_ENGINE_SECONDS: Final = 5.0
"""After a call without an answer the engine is not asked for so long: else each login would wait for its time-out."""
_WRONG: Final = (NotAuthenticated, InputInvalid)

COUNTED_IN_PROCESS = Counter(
    "marquee_api_attempts_counted_in_process",
    "Attempts that this process counted alone, because Valkey did not answer.",
)
REFUSED = Counter(
    "marquee_api_attempts_refused", "Attempts that were refused before a password was hashed.", ["bucket"]
)

_REMEDY: Final = (
    " Many wrong passwords were sent for this account."
    " A device or a network that has logged in to it before need not wait."
)
_Bucket = tuple[str, str, AttemptRule]
"""(name for metrics, key, rule)."""

Answer = TypeVar("Answer")
log = get_logger()


@dataclass(frozen=True)
class Client:
    """Who sends a login: the client's address as limits count it, and the device token that it sent."""

    address: str
    device_token: str | None = None


def account_key(email: str) -> str:
    """The key of an e-mail address in every spelling. It is a hash: the counter's engine never sees the address."""
    return hashlib.sha256(folded_address(email).encode()).hexdigest()[:32]


class ReliableCounter:
    """Asks the engine's counter. While that does not answer, a counter in this process takes over: limits never give way.

    The process counts attempts at all times, so that it knows its own share when the engine is lost. It also remembers the
    engine's waits: a flood is refused without a call to the engine.
    """

    def __init__(self, engine: UseCounter, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._own = InProcessCounter(clock=clock)
        self._clock = clock
        self._asked_again_at = 0.0

    async def count(self, bucket: str, *, limit: int, window_seconds: float) -> float:
        own = await self._own.count(bucket, limit=limit, window_seconds=window_seconds)
        return await self._asked(lambda: self._engine.count(bucket, limit=limit, window_seconds=window_seconds), own)

    async def attempt(self, bucket: str, rule: AttemptRule) -> float:
        own = await self._own.attempt(bucket, rule)
        wait = await self._asked(lambda: self._engine.attempt(bucket, rule), own)
        if wait > own:
            self._own.hold(bucket, wait)
        return wait

    def wait_left(self, bucket: str) -> float:
        """Seconds that the bucket has to wait, as far as this process knows."""
        return self._own.wait_left(bucket)

    async def take_back(self, bucket: str) -> None:
        await self._own.take_back(bucket)
        await self._asked(lambda: self._engine.take_back(bucket), None)

    async def forget(self, bucket: str) -> None:
        await self._own.forget(bucket)
        await self._asked(lambda: self._engine.forget(bucket), None)

    async def remember(self, bucket: str, member: str, *, keep: int, seconds: float) -> None:
        await self._own.remember(bucket, member, keep=keep, seconds=seconds)
        await self._asked(lambda: self._engine.remember(bucket, member, keep=keep, seconds=seconds), None)

    async def is_remembered(self, bucket: str, member: str) -> bool:
        if await self._own.is_remembered(bucket, member):
            return True
        return await self._asked(lambda: self._engine.is_remembered(bucket, member), False)

    async def _asked(self, call: Callable[[], Awaitable[Answer]], own: Answer) -> Answer:
        """The engine's answer; `own` where it gives none."""
        if self._clock() >= self._asked_again_at:
            try:
                return await call()
            except StoreUnavailable as error:
                # A request whose time is over says nothing about the engine. Of an outage the first call tells.
                is_over = deadlines.remaining_seconds() == 0
                if not is_over and self._clock() >= self._asked_again_at:
                    self._asked_again_at = self._clock() + RETRY_ENGINE_SECONDS
                    log.warning("attempts are counted by this process alone", reason=error.detail)
        COUNTED_IN_PROCESS.inc()
        return own


class LoginAttempts:
    """The limits of logging in, registering and changing a password."""

    def __init__(self, counter: ReliableCounter) -> None:
        self._counter = counter
        self._settling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def of_login(self, account: str, address: str, device_id: str | None) -> AsyncIterator[None]:
        """A block that checks a password. It raises `NotAuthenticated` for a wrong one, and nothing for a right one.

        `account` is the `account_key`, `device_id` that of a known device. Raises `TooManyRequests` before the block.
        """
        counted: list[str] = []
        if device_id is not None:
            buckets = [("device", f"device:{account}:{device_id}", BY_DEVICE)]
        else:
            buckets = [
                ("account and address", f"login:{account}:{address}", BY_ACCOUNT_AND_ADDRESS),
                ("address", f"address:{address}", BY_ADDRESS),
            ]
            self._check_known_waits(buckets)
            if not await self._counter.is_remembered(f"addresses:{account}", address):
                newcomer = f"newcomer:{newcomer_network(address)}"
                if await self._counter.attempt(newcomer, NEWCOMER) == 0:
                    counted.append(newcomer)
                    buckets.append(("newcomers", f"newcomers:{account}", NEWCOMERS))
                else:
                    buckets.append(("account", f"account:{account}", BY_ACCOUNT))
        async with self._judged(buckets, counted):
            logins = f"logins:{account}:{device_id or address}"
            wait = await self._counter.count(logins, limit=LOGINS_A_MINUTE, window_seconds=60)
            if wait > 0:
                raise _refusal("logins", wait)
            yield
        await self._settle(
            self._counter.remember(f"addresses:{account}", address, keep=KNOWN_ADDRESSES, seconds=KNOWN_ADDRESS_SECONDS)
        )

    @asynccontextmanager
    async def of_password_change(self, account_id: str, session: str) -> AsyncIterator[None]:
        """A block that checks the current password. It raises `InputInvalid` for a wrong one."""
        async with self._judged([("password change", f"password:{account_id}:{session}", BY_DEVICE)]):
            yield

    async def count_registration(self, address: str) -> None:
        """Raises `TooManyRequests` past one of REGISTRATIONS."""
        for limit, window_seconds in REGISTRATIONS:
            bucket = f"accounts:{window_seconds}:{address}"
            wait = await self._counter.count(bucket, limit=limit, window_seconds=window_seconds)
            if wait > 0:
                raise _refusal("registrations", wait)

    async def count_profile_deletion(self, account_id: str) -> None:
        """Raises `TooManyRequests` past PROFILE_DELETIONS_AN_HOUR."""
        bucket = f"profile deletions:{account_id}"
        wait = await self._counter.count(bucket, limit=PROFILE_DELETIONS_AN_HOUR, window_seconds=3600)
        if wait > 0:
            raise _refusal("profile deletions", wait)

    @asynccontextmanager
    async def _judged(self, buckets: list[_Bucket], already_counted: Sequence[str] = ()) -> AsyncIterator[None]:
        counted = list(already_counted)
        try:
            self._check_known_waits(buckets)
            for name, bucket, rule in buckets:
                wait = await self._counter.attempt(bucket, rule)
                if wait > 0:
                    raise _refusal(name, wait)
                counted.append(bucket)
            yield
        except _WRONG:
            raise
        except BaseException:
            # The password was not judged: a queue was full, a store was down, or the request's time was over.
            await self._settle(self._take_back(counted))
            raise
        await self._settle(self._forget_right(buckets[0][1], counted))

    def _check_known_waits(self, buckets: list[_Bucket]) -> None:
        """Raise for a wait that this process knows, without a call to the engine."""
        for name, bucket, _ in buckets:
            if (wait := self._counter.wait_left(bucket)) > 0:
                raise _refusal(name, wait)

    async def _settle(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the work to its end. It has its own time: the request's may be over, and the request may be cancelled meanwhile."""
        task = asyncio.create_task(work, context=deadlines.detached())
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        await asyncio.shield(task)

    async def _forget_right(self, own: str, counted: list[str]) -> None:
        """After a right password: `own` counts this client alone, the others count other clients too."""
        await self._counter.forget(own)
        await self._take_back([bucket for bucket in counted if bucket != own])

    async def _take_back(self, buckets: list[str]) -> None:
        for bucket in buckets:
            await self._counter.take_back(bucket)


def _refusal(bucket: str, wait: float) -> TooManyRequests:
    REFUSED.labels(bucket).inc()
    seconds = max(1, math.ceil(wait))
    remedy = _REMEDY if bucket in ("account", "newcomers") else ""
    return TooManyRequests(f"Too many attempts: try again in {seconds} s.{remedy}", retry_after_seconds=seconds)
