"""One process writes an index of Tantivy."""

from collections.abc import Callable

import pytest

from marquee.errors import StoreUnavailable
from marquee.stores.search import open_search_writer


async def test_a_second_writer_of_tantivy_is_told_so(tantivy_urls: Callable[[], str]) -> None:
    url = tantivy_urls()
    first = await open_search_writer(url)
    with pytest.raises(StoreUnavailable, match="Another process writes"):
        await open_search_writer(url)
    await first.close()
    second = await open_search_writer(url)
    await second.close()
