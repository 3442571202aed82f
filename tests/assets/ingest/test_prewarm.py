"""A real edge is filled and says so itself; one that is down is recorded and holds nothing back."""

import asyncio
from collections.abc import Iterator

import pytest

from marquee.cdn.fill import warm
from marquee.platform.programs.edges import edge
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.harness.servers import running

MOVIE = "m_00000000000000000warm"
FILES = [f"{MOVIE}/v1/master.m3u8", f"{MOVIE}/v1/video/360p/seg_00001.m4s", f"images/{MOVIE}/v1/poster.jpg"]


@pytest.fixture(scope="module")
def first_edge(platform_settings: Settings) -> Iterator[str]:
    with running(edge(platform_settings, 1), platform_settings.state):
        yield platform_settings.edges[0]


@pytest.fixture
async def published(stores: Stores) -> int:
    """The version's files; their bytes in all."""
    for size, key in enumerate(FILES, start=1000):
        await stores.published.put(key, b"x" * size, content_type="application/octet-stream")
    return sum(range(1000, 1000 + len(FILES)))


async def test_an_edge_answers_from_its_cache_after_the_fill(
    platform_settings: Settings, first_edge: str, published: int
) -> None:
    filled = await warm(platform_settings, first_edge, MOVIE, 1, FILES)
    assert (filled.requested, filled.hits, filled.failed) == (len(FILES), len(FILES), 0)
    assert filled.bytes == published, "every file went through the edge whole"


async def test_a_file_that_is_missing_is_counted_and_the_others_are_filled(
    platform_settings: Settings, first_edge: str, published: int
) -> None:
    filled = await warm(platform_settings, first_edge, MOVIE, 1, [*FILES, f"{MOVIE}/v1/video/360p/seg_00002.m4s"])
    assert (filled.requested, filled.hits, filled.failed) == (len(FILES) + 1, len(FILES), 1)


async def test_an_edge_that_is_down_is_recorded(platform_settings: Settings) -> None:
    down = await warm(platform_settings, platform_settings.edges[1], MOVIE, 1, FILES)
    assert (down.requested, down.hits, down.failed, down.bytes) == (len(FILES), 0, len(FILES), 0)
    assert down.seconds < 15, "a lost edge is given up soon"


async def test_an_edge_that_stops_answering_midway_is_given_up(platform_settings: Settings) -> None:
    asked = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        if asked == 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
        writer.close()

    files = [f"{MOVIE}/v1/video/360p/seg_{number:05d}.m4s" for number in range(200)]
    async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        lost = await warm(platform_settings, f"http://127.0.0.1:{port}", MOVIE, 1, files)
    assert (lost.requested, lost.hits, lost.failed) == (200, 0, 200)
    assert asked < 60, f"a lost edge was asked {asked} times: a long film's run would wait for hours"
