"""Any order of logins, refreshes, repeats, ends and time, against a model: which token gives what, and which session lives."""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from marquee.stores.accounts import open_accounts
from marquee.stores.sessions import open_sessions
from marquee.stores.sessions.contract import Refreshed, TokenReused
from tests.harness.sessions import OVERLAP, Device, later

Answer = TypeVar("Answer")


@dataclass
class Chain:
    """A session of the model: its tokens in order, and when each was used first."""

    session_id: str
    tokens: list[str]
    used_at: dict[str, float] = field(default_factory=dict)
    is_alive: bool = True


class Sessions(RuleBasedStateMachine):
    url: ClassVar[str]

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.now = 0.0
        self.chains: list[Chain] = []
        self.run(self._open())

    async def _open(self) -> None:
        self.accounts, self.sessions = open_accounts(self.url), open_sessions(self.url)
        email = f"{secrets.token_hex(8)}@example.org"
        account = await self.accounts.create(email, "h", role="viewer", profile_names=["Ada"])
        self.device = Device(self.sessions, account)

    def run(self, work: Awaitable[Answer]) -> Answer:
        async def awaited() -> Answer:
            return await work

        return self.runner.run(awaited())

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.run(self.sessions.close())
            self.run(self.accounts.close())
            self.runner.close()

    @rule()
    def log_in(self) -> None:
        session, token = self.run(self.device.log_in())
        self.chains.append(Chain(session.session_id, [token]))

    @precondition(lambda self: self.chains)
    @rule(data=st.data(), at_once=st.integers(1, 3))
    def refresh(self, data: st.DataObject, at_once: int) -> None:
        chain = data.draw(st.sampled_from(self.chains))
        token = data.draw(st.sampled_from(chain.tokens))

        async def all_at_once() -> list[Refreshed | TokenReused | None]:
            return await asyncio.gather(*(self.device.use(token) for _ in range(at_once)))

        outcomes = self.run(all_at_once())
        used_at = chain.used_at.get(token)
        if not chain.is_alive:
            assert outcomes == [None] * at_once, "a token of an ended session was accepted"
        elif used_at is not None and self.now - used_at > OVERLAP:
            chain.is_alive = False
            assert [type(outcome) for outcome in outcomes].count(TokenReused) == 1, "nobody heard of the theft"
        else:
            given = {outcome.sealed for outcome in outcomes if isinstance(outcome, Refreshed)}
            assert len(given) == 1, f"{at_once} uses gave {len(given)} successors"
            assert all(isinstance(outcome, Refreshed) for outcome in outcomes)
            [sealed] = given
            successor = sealed.removeprefix("sealed ")
            if used_at is None:
                chain.used_at[token] = self.now
                chain.tokens.append(successor)
            assert successor == chain.tokens[chain.tokens.index(token) + 1], "a repeat gave another successor"

    @precondition(lambda self: self.chains)
    @rule(seconds=st.sampled_from([5.0, OVERLAP - 2, OVERLAP + 2, 900.0]))
    def wait(self, seconds: float) -> None:
        later(self.url, self.device.account, seconds)
        self.now += seconds

    @precondition(lambda self: self.chains)
    @rule(data=st.data(), by_token=st.booleans())
    def end(self, data: st.DataObject, by_token: bool) -> None:
        chain = data.draw(st.sampled_from(self.chains))
        if by_token:
            ended = self.run(self.sessions.end_of_token(data.draw(st.sampled_from(chain.tokens))))
        else:
            ended = self.run(self.sessions.end(self.device.account.account_id, chain.session_id))
        assert ended is chain.is_alive
        chain.is_alive = False

    @precondition(lambda self: self.chains)
    @rule()
    def end_all(self) -> None:
        alive = sum(chain.is_alive for chain in self.chains)
        assert self.run(self.sessions.end_all(self.device.account.account_id)) == alive
        for chain in self.chains:
            chain.is_alive = False

    @invariant()
    def the_list_is_right(self) -> None:
        if not hasattr(self, "chains"):
            return
        found = {each.session_id for each in self.run(self.sessions.of_account(self.device.account.account_id))}
        assert found == {chain.session_id for chain in self.chains if chain.is_alive}


@pytest.mark.parametrize("url", ["postgres_url"])
def test_any_order_of_events_ends_as_the_model_says(url: str, request: pytest.FixtureRequest) -> None:
    Sessions.url = request.getfixturevalue(url)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Sessions,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
