"""The API through a real granian: bytes that no client library sends, and requests generated from its OpenAPI document."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis.checks import CHECKS
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.api.conftest import People, Person
from tests.harness.api.seeding import Seeder
from tests.harness.api.serving import serving

EXAMPLES = 5
"""Of each operation, right ones and as many wrong ones."""


@pytest.fixture(scope="module")
def server(api_settings: Settings, stores: Stores) -> Iterator[str]:
    with serving(api_settings) as url:
        yield url


@pytest.fixture
async def http(server: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server, timeout=20) as opened:
        yield opened


async def _answer(server: str, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to these bytes, which are sent unchanged."""
    host, port = server.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(10):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("path", [b"/api/v1/titles/%FF%FE", b"/api/v1/titles/%00", b"/api/v1/rows/a%ED%A0%80", b"/%zz"])
async def test_a_path_that_is_no_text_is_a_4xx(server: str, viewer: Person, path: bytes) -> None:
    request = b"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n"
    status, body = await _answer(server, request % (path, viewer.token.encode()))
    assert 400 <= status < 500, f"{path!r} got {status}: {body[:300]!r}"


@pytest.mark.parametrize("query", [b"q=\xff\xfe", b"q=%FF", b"q=%00", b"q=a&cursor=\xed\xa0\x80"])
async def test_a_query_that_is_no_text_is_a_400(server: str, viewer: Person, query: bytes) -> None:
    request = b"GET /api/v1/search?%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n"
    status, body = await _answer(server, request % (query, viewer.token.encode()))
    assert status == 400, f"{query!r} got {status}: {body[:300]!r}"


async def test_a_body_without_a_length_is_cut_off_at_the_limit(http: httpx.AsyncClient, viewer: Person) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b" " * 65536

    try:
        answer = await http.post(
            "/api/v1/stream/progress",
            content=endless(),
            headers={**viewer.headers, "Content-Type": "application/json"},
        )
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        pass  # The server hung up in the middle of the body, which is its right.
    else:
        assert answer.status_code == 413, f"10 MB in chunks got {answer.status_code}"
    assert (await http.get("/healthz")).status_code == 200


async def test_health_readiness_metrics_and_docs_are_there(http: httpx.AsyncClient, viewer: Person) -> None:
    for path in ("/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz", "/schema/scalar", "/schema/openapi.json"):
        answer = await http.get(path)
        assert answer.status_code == 200, f"{path} answered {answer.status_code}: {answer.text[:200]}"
    ready = (await http.get("/readyz")).json()
    assert set(ready["stores"].values()) == {"ready"}
    await http.get("/api/v1/home", headers=viewer.headers)
    metrics = (await http.get("/metrics")).text
    assert 'path="/api/v1/home"' in metrics, "the metrics do not count requests by path"
    assert viewer.profile_id not in metrics


async def test_acknowledged_progress_is_there_however_many_write_at_once(
    http: httpx.AsyncClient, viewer: Person, seed: Seeder, stores: Stores
) -> None:
    movies = [await seed.playable(f"Busy {number}") for number in range(10)]

    async def report(number: int) -> int:
        body = {"movie_id": movies[number % 10], "position_seconds": number, "age_ms": 1000 - number}
        return (await http.post("/api/v1/stream/progress", json=body, headers=viewer.headers)).status_code

    assert set(await asyncio.gather(*(report(number) for number in range(200)))) == {204}
    for index, movie_id in enumerate(movies):
        kept = await stores.resume_positions.get(viewer.profile_id, movie_id)
        assert kept is not None, f"acknowledged progress on {movie_id} is lost"
        assert kept.position_ms % 10_000 == index * 1000


# --- whatever its own OpenAPI document allows or forbids ------------------------------------------------------------


@pytest.fixture(scope="module")
async def prober(people: People) -> Person:
    """An engineer of whom the generated requests may end every session: no other test uses the account."""
    return await people.join("engineer")


def test_no_request_breaks_the_api_or_its_own_description(server: str, prober: Person) -> None:
    schema = schemathesis.openapi.from_url(f"{server}/schema/openapi.json")
    failures: list[str] = []
    # What ends the session comes last: every request after it is a 401.
    operations = sorted((found.ok() for found in schema.get_all_operations()), key=_ends_sessions)
    assert _ends_sessions(operations[-1])
    assert not _ends_sessions(operations[0])
    for operation in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            try:
                _try_many(operation.as_strategy(generation_mode=mode), prober.headers)
            except Unsatisfiable:
                continue  # An operation without any input has no wrong input either.
            except BaseExceptionGroup as failed:
                failures += [f"{operation.label} ({mode.value}): {one}" for one in failed.exceptions]
            except Exception as failed:
                failures.append(f"{operation.label} ({mode.value}): {failed}")
    assert not failures, "\n\n".join(failures)


def _ends_sessions(operation: APIOperation[Any, Any, Any, Any]) -> bool:
    return operation.method.upper() == "DELETE" and operation.path.startswith("/api/v1/sessions")


def _try_many(cases: SearchStrategy[schemathesis.Case], headers: dict[str, str]) -> None:
    @given(case=cases)
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def try_one(case: schemathesis.Case) -> None:
        answer = case.call(headers=headers)
        if answer.status_code == HTTPStatus.REQUEST_URI_TOO_LONG:
            return  # Refused before any operation sees it (`tests/harness/http_probes.py`).
        # What is right by its schema may still be refused: a cursor that nobody signed, a common password.
        case.validate_response(answer, checks=CHECKS.get_all(), excluded_checks=[positive_data_acceptance])

    try_one()
