"""Folders for half-made files: `{state}/work/{name}-{random}`. Removed at the end; after a SIGKILL, when the next one is made.

A process holds its folder by a lock (flock) on it. The kernel drops the lock when the process ends, however it ends. A folder
whose lock is free has no owner and is removed; nothing in it is needed again. A thread waits for locks and removes gigabytes: on
the event loop that would hold up the renewal of leases.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def work_folder(state: Path, name: str) -> AsyncIterator[Path]:
    """An empty folder of this process's own until the end of the block."""
    making = asyncio.ensure_future(asyncio.to_thread(_make, state / "work", name))
    try:
        folder, held = await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(_let_go)  # the thread goes on: what it makes is nobody's
        raise
    try:
        yield folder
    finally:
        await asyncio.to_thread(_remove, folder, held)


def _make(root: Path, name: str) -> tuple[Path, int]:
    """A new folder and the descriptor that holds its lock; folders without an owner are removed."""
    root.mkdir(parents=True, exist_ok=True)
    whole = _lock(root, fcntl.LOCK_EX)  # so that no sweep sees a folder between its making and its locking
    try:
        ownerless = _take_ownerless(root)
        folder = root / f"{name}-{secrets.token_hex(4)}"
        folder.mkdir()
        held = _lock(folder, fcntl.LOCK_EX)
    finally:
        os.close(whole)
    for one, descriptor in ownerless:
        _remove(one, descriptor)
    return folder, held


def _take_ownerless(root: Path) -> list[tuple[Path, int]]:
    taken = []
    for folder in root.iterdir():
        try:
            taken.append((folder, _lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)))
        except (BlockingIOError, FileNotFoundError):
            continue  # somebody works in it or removes it, or it went meanwhile
    return taken


def _remove(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)


def _let_go(made: "asyncio.Future[tuple[Path, int]]") -> None:
    if not made.cancelled() and made.exception() is None:
        os.close(made.result()[1])


def _lock(path: Path, operation: int) -> int:
    """The descriptor that holds the lock until it is closed. Raises `BlockingIOError` with LOCK_NB, `FileNotFoundError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, operation)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
