"""A process of the API that is about to stop says so in every answer, still answers, and waits until nobody sends."""

import asyncio
from typing import Any

import pytest

from api import draining
from api.draining import HEALTH_PATHS, Draining


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"answered"})


async def asked(app: Draining, path: str) -> tuple[int, dict[str, str], bytes]:
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        messages.append(message)

    scope: Any = {"type": "http", "path": path}
    await app(scope, None, send)  # type: ignore[arg-type]  # the application reads no body
    headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    return messages[0]["status"], headers, messages[1]["body"]


@pytest.mark.parametrize("path", sorted(HEALTH_PATHS))
async def test_a_draining_process_is_not_healthy(path: str) -> None:
    app = Draining(application)
    assert (await asked(app, path))[0] == 200
    app.begin()
    status, headers, body = await asked(app, path)
    assert (status, headers["content-type"], headers["retry-after"]) == (503, "application/problem+json", "2")
    assert b'"code":"draining"' in body


async def test_it_still_answers_and_turns_the_gateway_away() -> None:
    app = Draining(application)
    plain = await asked(app, "/api/v1/home")
    app.begin()
    status, headers, body = await asked(app, "/api/v1/home")
    assert (status, body) == (plain[0], plain[2])
    assert headers == {**plain[1], "connection": "close", "x-envoy-immediate-health-check-fail": "true"}


async def test_it_waits_for_clients_that_still_send_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "NOTICE_SECONDS", 0.01)
    monkeypatch.setattr(draining, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(draining, "MAX_SECONDS", 0.5)
    app, requests = Draining(application), 0
    finishing = asyncio.create_task(app.finish())
    while not finishing.done():
        await asked(app, "/api/v1/home")
        requests += 1
        await asyncio.sleep(0.001)
    assert requests > 1, "it left while a client was sending"
