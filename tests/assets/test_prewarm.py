"""A real edge is filled and says so itself; one that is down is recorded and holds nothing back."""

from collections.abc import Iterator

import pytest

from assets.edges import warm
from marquee.platform.edges import edge
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.servers import running

MOVIE = "m_00000000000000000warm"
FILES = [f"{MOVIE}/v1/master.m3u8", f"{MOVIE}/v1/video/360p/seg_00001.m4s", f"images/{MOVIE}/v1/poster.jpg"]


@pytest.fixture(scope="module")
def first_edge(house: Settings) -> Iterator[str]:
    with running(edge(house, 1), house.state):
        yield house.edges[0]


@pytest.fixture
async def published(stores: Stores) -> int:
    """The version's files; their bytes in all."""
    for size, key in enumerate(FILES, start=1000):
        await stores.published.put(key, b"x" * size, content_type="application/octet-stream")
    return sum(range(1000, 1000 + len(FILES)))


async def test_an_edge_answers_from_its_cache_after_the_fill(house: Settings, first_edge: str, published: int) -> None:
    filled = await warm(house, first_edge, MOVIE, 1, FILES)
    assert (filled.requested, filled.hits, filled.failed) == (len(FILES), len(FILES), 0)
    assert filled.bytes == published, "every file went through the edge whole"


async def test_a_file_that_is_missing_is_counted_and_the_others_are_filled(
    house: Settings, first_edge: str, published: int
) -> None:
    filled = await warm(house, first_edge, MOVIE, 1, [*FILES, f"{MOVIE}/v1/video/360p/seg_00002.m4s"])
    assert (filled.requested, filled.hits, filled.failed) == (len(FILES) + 1, len(FILES), 1)


async def test_an_edge_that_is_down_is_recorded(house: Settings) -> None:
    down = await warm(house, house.edges[1], MOVIE, 1, FILES)
    assert (down.requested, down.hits, down.failed, down.bytes) == (len(FILES), 0, len(FILES), 0)
    assert down.seconds < 15, "a lost edge is given up soon"
