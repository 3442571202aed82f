"""Access tokens of ended sessions: refused by every process, also after an outage; those without a session end by themselves."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import jwt
import pytest
from prometheus_client import REGISTRY

from api.auth.ended_sessions import OLD_SECONDS, READ_AGAIN_SECONDS, EndedSessions
from api.auth.keys import TokenKeys
from api.auth.tokens import CLOCK_SKEW_SECONDS, AccessTokens
from marquee import token_keys
from marquee.errors import NotAuthenticated, StoreUnavailable
from marquee.stores.accounts.contract import Account

ACCOUNT = Account("a_1", "x@example.org", "", "viewer", datetime.now(UTC), ())
KEY = token_keys.generate_private_key()


class Notes:
    """The store's list of ended sessions, which may be away."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.asked: list[float] = []
        self.is_away = False
        self.rounds = asyncio.Semaphore(0)
        """Released at each round."""

    async def ended_within(self, seconds: float) -> Sequence[str]:
        self.asked.append(seconds)
        self.rounds.release()
        if self.is_away:
            raise StoreUnavailable("PostgreSQL does not answer.")
        return self.ended


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ended_sessions(notes: Notes, clock: Clock) -> EndedSessions:
    return EndedSessions(notes, token_seconds=900, clock=clock)  # type: ignore[arg-type]


async def test_tokens_of_an_ended_session_are_refused_also_if_they_were_verified_before() -> None:
    notes = Notes()
    ended = ended_sessions(notes, Clock())
    tokens = AccessTokens(TokenKeys(KEY), life_seconds=900, ended=ended)
    one, two = tokens.issue(ACCOUNT, "p_1", "s_one"), tokens.issue(ACCOUNT, "p_1", "s_two")
    assert tokens.read(one).session_id == "s_one"
    notes.ended = ["s_one"]
    await ended.read()
    for _ in range(2):
        with pytest.raises(NotAuthenticated, match="session was ended"):
            tokens.read(one)
    assert tokens.read(two).session_id == "s_two", "another session's token stopped too"


async def test_each_round_reads_what_the_rounds_that_failed_have_missed() -> None:
    notes, clock = Notes(), Clock()
    ended = ended_sessions(notes, clock)
    await ended.read()
    assert notes.asked == [900 + READ_AGAIN_SECONDS], "the first round reads a token's whole life"
    clock.now += 10
    await ended.read()
    notes.is_away = True
    for _ in range(3):
        clock.now += 10
        with pytest.raises(StoreUnavailable):
            await ended.read()
    assert ended.age_seconds == 30
    notes.is_away, notes.ended = False, ["s_late"]
    clock.now += 10
    await ended.read()
    assert notes.asked[-1] == 40 + READ_AGAIN_SECONDS, "a session that ended during the outage is not seen"
    assert "s_late" in ended
    assert ended.age_seconds == 0


async def test_an_id_is_kept_until_no_token_of_its_session_lives() -> None:
    notes, clock = Notes(), Clock()
    ended = ended_sessions(notes, clock)
    notes.ended = ["s_one"]
    await ended.read()
    clock.now += 900
    assert "s_one" in ended
    clock.now += READ_AGAIN_SECONDS + 1
    assert "s_one" not in ended, "ids would be kept for ever"


def last_read() -> float:
    value = REGISTRY.get_sample_value("marquee_api_ended_sessions_read_timestamp_seconds")
    assert value is not None, "there is no such metric"
    return value


async def test_a_list_that_grows_old_is_told_and_the_task_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("api.auth.ended_sessions.POLL_SECONDS", 0.001)
    notes, clock = Notes(), Clock()
    notes.is_away = True
    ended = ended_sessions(notes, clock)
    read_at = last_read()
    async with ended.followed():
        clock.now += OLD_SECONDS + 1
        async with asyncio.timeout(10):
            for _ in range(5):
                await notes.rounds.acquire()
        assert last_read() == read_at, "the metric says that the list is read"
        notes.is_away, notes.ended = False, ["s_one"]
        async with asyncio.timeout(10):
            # One round per acquired permit, the rounds of before included. At the last one, those before it are taken in.
            for _ in range(len(notes.asked) + 2):
                await notes.rounds.acquire()
        assert "s_one" in ended
    assert "ended sessions are not read" in "".join(capsys.readouterr())
    assert last_read() > read_at


def signed(key: str, **claims: object) -> str:
    now = int(time.time())
    known = {"iss": "marquee", "sub": "a_1", "profile": "p_1", "role": "viewer", "iat": now, "exp": now + 60}
    own = token_keys.public_jwks(token_keys.public_key(key))["keys"][0]["kid"]
    return jwt.encode({**known, **claims}, token_keys.private_key(key), algorithm="EdDSA", headers={"kid": own})


def test_a_token_of_the_release_before_has_no_session_and_is_valid() -> None:
    caller = AccessTokens(TokenKeys(KEY), life_seconds=900).read(signed(KEY))
    assert (caller.account_id, caller.session_id) == ("a_1", None)


@pytest.mark.parametrize("sid", [1, [], {}, True])
def test_a_session_that_is_no_text_is_refused(sid: object) -> None:
    with pytest.raises(NotAuthenticated):
        AccessTokens(TokenKeys(KEY), life_seconds=900).read(signed(KEY, sid=sid))


def test_of_two_keys_both_verify_until_the_older_ends_and_no_third_does() -> None:
    clock = Clock()
    clock.now = time.time()
    old, new, stranger = KEY, token_keys.generate_private_key(), token_keys.generate_private_key()
    others = token_keys.with_end(token_keys.public_key(old), clock.now + 30)
    tokens = AccessTokens(TokenKeys(new, others, clock=clock), life_seconds=900, clock=clock)
    for key in (old, new):
        assert tokens.read(signed(key)).account_id == "a_1"
    with pytest.raises(NotAuthenticated):
        tokens.read(signed(stranger))
    named_by_another = jwt.encode(
        {"iss": "marquee", "sub": "a_1", "profile": "p", "role": "operator", "iat": 1, "exp": 9e9},
        token_keys.private_key(stranger),
        algorithm="EdDSA",
        headers={"kid": tokens.keys.jwks()["keys"][0]["kid"]},
    )
    with pytest.raises(NotAuthenticated):
        tokens.read(named_by_another)
    clock.now += 31
    with pytest.raises(NotAuthenticated):
        tokens.read(signed(old, jti="not read before"))
    assert len(tokens.keys.jwks()["keys"]) == 1


def test_a_host_whose_clock_is_ahead_issues_tokens_that_are_valid_here() -> None:
    clock = Clock()
    clock.now = time.time() + CLOCK_SKEW_SECONDS - 3
    token = AccessTokens(TokenKeys(KEY), life_seconds=60, clock=clock).issue(ACCOUNT, "p_1", "s_1")
    assert AccessTokens(TokenKeys(KEY), life_seconds=60).read(token).session_id == "s_1"
