"""What a session makes of a platform that asks for patience: it waits as told, and says what it was told in the end."""

import time

import httpx
import pytest

from marquee.client.session import ApiProblem, ApiSession
from marquee.errors import PlatformUnavailable

PROBLEM = {"title": "Too many requests", "code": "too-many-requests", "detail": "Wait a minute and try again."}


def _session(answers: list[httpx.Response], *, retry_seconds: float) -> tuple[ApiSession, list[float]]:
    asked: list[float] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(time.monotonic())
        return answers.pop(0) if len(answers) > 1 else answers[0]

    session = ApiSession("http://platform.example", retry_seconds=retry_seconds)
    session._http = httpx.AsyncClient(base_url="http://platform.example", transport=httpx.MockTransport(answer))
    return session, asked


def _refusal(status: int, seconds: str) -> httpx.Response:
    headers = {"Content-Type": "application/problem+json", "Retry-After": seconds}
    return httpx.Response(status, json=PROBLEM, headers=headers)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_platform_that_answered_is_not_called_unreachable(status: int) -> None:
    session, asked = _session([_refusal(status, "60")], retry_seconds=0.2)
    async with session:
        with pytest.raises(ApiProblem) as told:
            await session.get("/home")
    assert (told.value.status, told.value.code, told.value.detail) == (status, PROBLEM["code"], PROBLEM["detail"])
    assert len(asked) == 2, "the last try comes when the retries end, and none before the pause that was asked for"
    assert asked[1] - asked[0] < 5, "the pause went past the retries' end"


async def test_the_pause_is_as_long_as_the_answer_asks() -> None:
    session, asked = _session([_refusal(429, "1"), httpx.Response(200, json={"rows": []})], retry_seconds=10)
    async with session:
        assert await session.get("/home") == {"rows": []}
    assert asked[1] - asked[0] >= 1


async def test_who_stands_before_the_platform_does_not_speak_for_it() -> None:
    session, _ = _session([httpx.Response(503, text="no healthy upstream")], retry_seconds=0.1)
    async with session:
        with pytest.raises(PlatformUnavailable, match="HTTP 503"):
            await session.get("/home")


async def test_a_full_quota_is_said_at_once() -> None:
    """A retry within a minute mends nothing: somebody has to end an upload."""
    problem = {**PROBLEM, "code": "upload-quota-exceeded", "open_uploads": []}
    headers = {"Content-Type": "application/problem+json", "Retry-After": "60"}
    session, asked = _session([httpx.Response(429, json=problem, headers=headers)], retry_seconds=60)
    async with session:
        with pytest.raises(ApiProblem) as told:
            await session.post("/uploads", {}, repeat=True)
    assert (told.value.code, len(asked)) == ("upload-quota-exceeded", 1)


async def test_who_leaves_logs_out() -> None:
    """Else each command would leave a session in the account's list."""
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        return httpx.Response(201, json={"access_token": "token", "session_id": "s_1"})

    session = ApiSession("http://platform.example")
    session._http = httpx.AsyncClient(base_url="http://platform.example", transport=httpx.MockTransport(answer))
    async with session:
        await session.log_in("anna@example.org", "a long enough secret")
    assert asked == [("POST", "/sessions"), ("DELETE", "/sessions/s_1")]
