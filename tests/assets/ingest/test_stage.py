"""What a stage's failure is called: the reason itself, whatever it was wrapped in."""

import asyncio

import pytest

from assets.ingest.stage import raise_first_of_group
from marquee.errors import ObjectMissing


async def test_what_fails_side_by_side_fails_with_its_own_words() -> None:
    async def missing() -> None:
        raise ObjectMissing("The chunk is not there.")

    async def side_by_side() -> None:
        with raise_first_of_group():
            async with asyncio.TaskGroup() as outer:
                outer.create_task(asyncio.sleep(60))
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(missing())

    with pytest.raises(ObjectMissing, match="The chunk is not there"):
        await side_by_side()
