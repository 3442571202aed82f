"""A process opens the stores that it uses, and the end of the block closes them."""

import asyncio

import psycopg
import pytest

from marquee.errors import SettingsInvalid
from marquee.settings import Settings
from marquee.stores.catalogue.values import TitleQuery
from marquee.stores.opened import open_stores
from marquee.stores.schema.migrate import migrate

NOWHERE = "gopher://nowhere"


async def test_a_store_that_nobody_names_is_not_opened(settings: Settings) -> None:
    wrong = settings.model_copy(update={"search_url": NOWHERE, "event_log_url": NOWHERE})
    async with open_stores(wrong) as stores:
        assert stores.row_cache is stores.row_cache, "the store was opened a second time"
        with pytest.raises(SettingsInvalid, match="MARQUEE_SEARCH_URL"):
            _ = stores.search
        with pytest.raises(SettingsInvalid, match="MARQUEE_EVENT_LOG_URL"):
            _ = stores.event_log


async def test_a_store_named_after_the_block_is_not_opened(settings: Settings) -> None:
    async with open_stores(settings) as stores:
        _ = stores.row_cache
    with pytest.raises(RuntimeError, match="PostgresCatalogue is named after the end of `open_stores`"):
        _ = stores.catalogue


async def test_stores_of_one_database_share_its_pool_and_leave_no_connection(
    settings: Settings, empty_database: str
) -> None:
    migrate(empty_database)
    async with open_stores(settings.model_copy(update={"database_url": empty_database})) as stores:
        await stores.catalogue.titles.page(TitleQuery(), limit=1)
        await stores.accounts.by_id("a_none")
        await stores.job_queue.count_by_state()
        assert connections_to(empty_database) == 1, "calls one after the other need one connection"
    async with asyncio.timeout(10):
        while await asyncio.to_thread(connections_to, empty_database):  # the server notices a moment later
            pass


def connections_to(url: str) -> int:
    """Number of connections to the database, without the one that asks."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        ).fetchone()
    return int(row[0]) if row else 0
