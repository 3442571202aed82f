"""Fills one edge with a version's files and checks that the edge holds them.

Each file is requested twice, with a token as viewers get it: the first request fills the edge, the second reads the
edge's `X-Cache`. Tries are bounded. If the edge does not answer at all, no further file is tried. If it stops answering
midway, the rest is given up after `_MAX_FAILURES` files, because each failed file may have taken a minute and a half.
The stage `prewarm` stores the result.
"""

import time
from collections.abc import Sequence
from typing import Final

import httpx
import tenacity

from marquee.cdn.addresses import EdgeAddresses
from marquee.concurrency import gather_bounded
from marquee.documents import EdgeResult
from marquee.settings import Settings
from marquee.trust import trusted

_TOKEN_SECONDS: Final = 3600
_MAX_CONCURRENT_FILES: Final = 8
_MAX_TRIES: Final = 3
_MAX_FAILURES: Final = 8
_TIMEOUT: Final = httpx.Timeout(30.0, connect=2.0)


async def warm(settings: Settings, edge: str, movie_id: str, version: int, files: Sequence[str]) -> EdgeResult:
    """Request `files` (keys in the published bucket) through one edge.

    Never raises for an edge that fails: see `failed`.
    """
    addresses, expires_at = EdgeAddresses(settings), int(time.time()) + _TOKEN_SECONDS
    paths = [addresses.path(movie_id, version, key, expires_at=expires_at) for key in files]
    started = time.monotonic()
    filled: list[tuple[bool, int]] = []
    failures = 0

    async def fill(path: str) -> tuple[bool, int]:
        nonlocal failures
        if failures >= _MAX_FAILURES:
            return False, 0
        try:
            return await _fill(client, path)
        except httpx.HTTPError as error:
            failures += isinstance(error, httpx.TransportError)
            return False, 0

    async with httpx.AsyncClient(base_url=edge, timeout=_TIMEOUT, verify=trusted(settings.tls_authorities)) as client:
        if paths and await _answers(client, paths[0]):
            filled = await gather_bounded(fill, paths, max_concurrent=_MAX_CONCURRENT_FILES)
    hits = sum(hit for hit, _ in filled)
    return EdgeResult(
        edge=edge,
        requested=len(paths),
        hits=hits,
        failed=len(paths) - hits,
        bytes=sum(size for _, size in filled),
        seconds=time.monotonic() - started,
    )


async def _answers(client: httpx.AsyncClient, path: str) -> bool:
    try:
        await _get(client, path)
    except httpx.HTTPError:
        return False
    return True


async def _fill(client: httpx.AsyncClient, path: str) -> tuple[bool, int]:
    """(whether the second answer came from the cache, bytes of the first answer)."""
    size, _ = await _get(client, path)
    _, cached = await _get(client, path)
    return cached == "HIT", size


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(httpx.HTTPError),
    wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=2),
    stop=tenacity.stop_after_attempt(_MAX_TRIES),
    reraise=True,
)
async def _get(client: httpx.AsyncClient, path: str) -> tuple[int, str]:
    """(bytes read, the edge's X-Cache). Raises `httpx.HTTPError` after the last try."""
    size = 0
    async with client.stream("GET", path) as answer:
        answer.raise_for_status()
        async for block in answer.aiter_raw():
            size += len(block)
        return size, answer.headers.get("X-Cache", "")
