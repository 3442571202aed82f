"""The rule of waits, with a clock of the test: how many guesses are judged, and how long the owner waits."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.auth.attempts import (
    BY_ACCOUNT,
    BY_ACCOUNT_AND_ADDRESS,
    NEWCOMER,
    NEWCOMERS,
    LoginAttempts,
    ReliableCounter,
)
from marquee.domain.client_address import newcomer_network
from marquee.errors import NotAuthenticated, TooManyRequests
from marquee.stores.coordination.in_process import InProcessCounter

HOME = "192.0.2.1"
NEW_PLACE = "198.51.100.1"


@dataclass
class Attacked:
    """An account that is guessed at."""

    now: float = 0.0
    judged: int = 0
    limits: LoginAttempts = field(init=False)
    counter: ReliableCounter = field(init=False)

    def __post_init__(self) -> None:
        engine = InProcessCounter(clock=lambda: self.now)
        self.counter = ReliableCounter(engine, clock=lambda: self.now)
        # The process's own counter reads the same clock.
        self.limits = LoginAttempts(self.counter)

    async def log_in(self, address: str, device_id: str | None = None, account: str = "account") -> int:
        """Of a right login: the seconds that a refusal names, 0 for none."""
        try:
            async with self.limits.of_login(account, address, device_id):
                return 0
        except TooManyRequests as refused:
            return refused.retry_after_seconds

    async def guess(self, address: str) -> None:
        try:
            async with self.limits.of_login("account", address, None):
                self.judged += 1
                raise NotAuthenticated("wrong")
        except (NotAuthenticated, TooManyRequests):
            pass


guesses = st.lists(st.tuples(st.integers(0, 49), st.floats(0, 20)), min_size=50, max_size=300)
"""(which of 50 addresses, seconds since the guess before)."""


@settings(max_examples=25, deadline=None)
@given(guesses, st.floats(0, 10))
def test_the_owner_never_waits_where_she_is_known_and_shortly_where_she_is_not(
    guesses: list[tuple[int, float]], later: float
) -> None:
    async def story() -> None:
        attacked = Attacked()
        assert await attacked.log_in(HOME) == 0
        for number, seconds in guesses * 3:
            attacked.now += seconds
            await attacked.guess(f"203.0.113.{number}")
        attacked.now += later
        assert await attacked.log_in("203.0.113.0", "her device") == 0, "a known device waits"
        assert await attacked.log_in(HOME) == 0, "a new device waits at a known address"
        wait = await attacked.log_in(NEW_PLACE)
        assert wait <= NEWCOMERS.max_seconds, f"the owner waits {wait} s at a new address"
        attacked.now += wait
        for number in range(50):
            for _ in range(NEWCOMER.free):
                await attacked.guess(f"203.0.113.{number}")
        attacked.now += NEWCOMERS.max_seconds if wait == 0 else 0
        late = await attacked.log_in("198.51.100.2")
        assert late <= NEWCOMERS.max_seconds, f"the owner waits {late} s at a new address"

    asyncio.run(story())


def test_addresses_that_have_guessed_do_not_take_the_owners_turn_at_a_new_address() -> None:
    async def story() -> None:
        attacked = Attacked()
        for second in range(700):
            attacked.now += 1
            for number in range(50):
                await attacked.guess(f"203.0.113.{number}")
            if second > 500 and second % 6 == 0:  # a wait goes on after a right login too
                wait = await attacked.log_in(f"198.51.100.{second % 250}")
                assert wait == 0, f"after {second} s of guessing the owner waits {wait} s at a new address"

    asyncio.run(story())


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 400), st.floats(0.1, 30), st.integers(100, 1000))
def test_the_guesses_at_one_account_are_bounded_from_however_many_addresses(
    addresses: int, pause: float, tried: int
) -> None:
    async def story() -> None:
        attacked = Attacked()
        for number in range(tried):
            attacked.now += pause
            await attacked.guess(f"203.0.{number % addresses // 250}.{number % addresses % 250}")
        seconds = tried * pause
        newcomers = NEWCOMERS.free + 4 + seconds / NEWCOMERS.max_seconds
        others = BY_ACCOUNT.free + 6 + seconds / BY_ACCOUNT.max_seconds
        # An address is a newcomer again an hour after its last counted attempt at the earliest.
        assert attacked.judged <= min(newcomers, addresses * NEWCOMER.free * (1 + seconds / 3600)) + others
        of_one = BY_ACCOUNT_AND_ADDRESS.free + 9 + seconds / BY_ACCOUNT_AND_ADDRESS.max_seconds
        assert attacked.judged <= addresses * of_one, "one address had more guesses than its own limit"

    asyncio.run(story())


def test_a_guesser_with_an_account_of_its_own_does_not_stay_a_newcomer() -> None:
    async def story() -> None:
        attacked = Attacked()
        for _ in range(NEWCOMER.free):
            attacked.now += 1
            await attacked.guess("203.0.113.1")
            assert await attacked.log_in("203.0.113.1", account="its own") == 0
        assert await attacked.counter.attempt("newcomer:203.0.113.1", NEWCOMER) > 0

    asyncio.run(story())


def test_the_last_addresses_of_right_logins_are_remembered_for_their_time() -> None:
    async def story() -> None:
        attacked = Attacked()
        for number in range(60):
            attacked.now += 10
            assert await attacked.log_in(f"192.0.2.{number}") == 0

        async def known() -> list[int]:
            found = [await attacked.counter.is_remembered("addresses:account", f"192.0.2.{n}") for n in range(60)]
            return [number for number, is_known in enumerate(found) if is_known]

        assert await known() == list(range(40, 60))
        attacked.now += 31 * 24 * 3600
        assert await known() == []

    asyncio.run(story())


@pytest.mark.parametrize(
    ("network", "newcomers"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_a_customer_with_many_ipv6_networks_is_one_newcomer(network: str, newcomers: str) -> None:
    assert newcomer_network(network) in {newcomers, newcomers.removesuffix("/32")}
