"""Folders for half-made files: `{state}/work/{name}-{random}`, removed at the end, and after a SIGKILL by whoever comes next.

The folder is held by a lock (flock) on itself, which the kernel drops when its process ends however it ends; a folder whose
lock is free has no owner and is swept when the next one is made. Nothing in here is ever needed again.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def work_folder(state: Path, name: str) -> Iterator[Path]:
    """An empty folder of this process's own until the end of the block."""
    root = state / "work"
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root, fcntl.LOCK_EX):  # so that no sweep sees a folder between its making and its locking
        _sweep(root)
        folder = root / f"{name}-{secrets.token_hex(4)}"
        folder.mkdir()
        held = _locked(folder, fcntl.LOCK_EX)
        held.__enter__()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.__exit__(None, None, None)


def _sweep(root: Path) -> None:
    for folder in root.iterdir():
        try:
            with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(folder, ignore_errors=True)
        except (BlockingIOError, FileNotFoundError):
            continue  # somebody works in it, or it went meanwhile


@contextmanager
def _locked(path: Path, operation: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)
