"""A worker's folder: its own, gone at the end or swept by the next one, and never waited for on the event loop."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from marquee.ingest.work_folder import work_folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """As another process holds it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


async def test_a_folder_is_gone_at_the_end_and_a_dead_ones_with_it(tmp_path: Path) -> None:
    dead, alive = tmp_path / "work" / "dead-1", tmp_path / "work" / "alive-1"
    for folder in (dead, alive):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "half.mp4").write_bytes(b"x")
    with _locked(alive):
        async with work_folder(tmp_path, "mine") as mine, work_folder(tmp_path, "other") as other:
            (mine / "half.mp4").write_bytes(b"x")
            assert set((tmp_path / "work").iterdir()) == {mine, other, alive}
        assert list((tmp_path / "work").iterdir()) == [alive]


async def test_the_event_loop_goes_on_while_a_folder_is_waited_for(tmp_path: Path) -> None:
    root = tmp_path / "work"
    root.mkdir()

    async def work() -> str:
        async with work_folder(tmp_path, "mine") as folder:
            return folder.name

    with _locked(root):
        waiting = asyncio.create_task(work())
        async with asyncio.timeout(10):
            for _ in range(20):
                await asyncio.sleep(0.005)
        assert not waiting.done(), "a folder was made in the middle of another's making"
    async with asyncio.timeout(10):
        assert (await waiting).startswith("mine-")


async def test_who_is_cancelled_while_waiting_holds_nothing(tmp_path: Path) -> None:
    root = tmp_path / "work"
    root.mkdir()

    async def work() -> None:
        async with work_folder(tmp_path, "cancelled"):
            raise AssertionError("it was cancelled before it had a folder")

    with _locked(root):
        waiting = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(10):
        while True:
            async with work_folder(tmp_path, "next") as mine:
                if list(root.iterdir()) == [mine]:
                    break
            await asyncio.sleep(0.02)
