"""Masters on this host's disk, shared by its transcode workers and by Dagster's runs: `{state}/cache/sources/{sha256}`.

A master is fetched once, verified by its SHA-256, and then renamed: a file under its final name is whole. A reader holds a shared
lock (flock) on it. Past `source_cache_bytes` masters are evicted, the oldest use first, but none that is being read: where all
are in use, the cache is larger for a while. A lock ends with its process, so a SIGKILL leaves nothing to repair.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from marquee.errors import ObjectMissing
from marquee.stores.objects.contract import Objects

_LOCK_POLL_SECONDS = 0.1
_PART_SUFFIX = ".part"


class SourceCache:
    def __init__(self, state: Path, *, limit_bytes: int) -> None:
        self._folder = state / "cache" / "sources"
        self._locks = state / "cache" / "locks"
        self._limit_bytes = limit_bytes

    @asynccontextmanager
    async def hold(self, objects: Objects, key: str, *, sha256: str, size_bytes: int) -> AsyncIterator[Path]:
        """The master's path, readable until the end of the block.

        Raises `ObjectMissing` where the store no longer has the bytes of this SHA-256.
        """
        while True:
            if (descriptor := self._open_whole(sha256, size_bytes)) is None:
                await self._fetch(objects, key, sha256, size_bytes)
                continue
            try:
                yield self._path(sha256)
            finally:
                os.close(descriptor)
            return

    async def adopt(self, path: Path, sha256: str) -> None:
        """Take in a master that the caller has fetched and hashed; moves it (same file system: the state folder)."""
        async with self._filling(sha256):
            path.rename(self._path(sha256))
        await asyncio.to_thread(self._evict, keep=sha256)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256

    def _open_whole(self, sha256: str, size_bytes: int) -> int | None:
        """A descriptor that holds the shared lock of the cached file, or None."""
        path = self._path(sha256)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            current = path.stat()
        except (BlockingIOError, FileNotFoundError):
            os.close(descriptor)
            return None  # being evicted at this moment
        if current.st_ino != os.fstat(descriptor).st_ino or current.st_size != size_bytes:
            os.close(descriptor)
            return None
        os.utime(path)
        return descriptor

    async def _fetch(self, objects: Objects, key: str, sha256: str, size_bytes: int) -> None:
        async with self._filling(sha256):
            if (descriptor := self._open_whole(sha256, size_bytes)) is not None:
                os.close(descriptor)
                return
            part = self._folder / (sha256 + _PART_SUFFIX)
            part.unlink(missing_ok=True)
            try:
                await objects.get_file(key, part)
                found = await asyncio.to_thread(file_sha256, part)
                if found != sha256:
                    raise ObjectMissing(f"{key} no longer holds the master that was accepted (its SHA-256 is {found}).")
                part.rename(self._path(sha256))
            finally:
                part.unlink(missing_ok=True)
        await asyncio.to_thread(self._evict, keep=sha256)

    @asynccontextmanager
    async def _filling(self, sha256: str) -> AsyncIterator[None]:
        """One filler of an entry at a time, over all processes of this host."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._locks.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._locks / sha256[:2], os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _lock_now(descriptor):  # noqa: ASYNC110  (another process holds it: there is no event)
                await asyncio.sleep(_LOCK_POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def _evict(self, *, keep: str) -> None:
        entries = []
        for path in self._folder.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            entries.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self._limit_bytes:
                return
            if path.name == keep:
                continue
            # Half a master is in use while somebody fills; a killed filler's is nobody's.
            in_use = self._locks / path.name[:2] if path.suffix == _PART_SUFFIX else path
            with _opened(in_use) as descriptor:
                if descriptor is not None and _lock_now(descriptor):
                    path.unlink(missing_ok=True)
                    total -= size


def file_sha256(path: Path) -> str:
    """Hex digest of a whole file; blocking."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lock_now(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
