"""The lake's files in a folder of this machine, or of a file system that all hosts mount.

A file is written under a temporary name (`.NAME.part`), flushed to the disk, renamed, and its folder flushed: it exists whole or
not at all. What a kill leaves has a temporary name, which `list` returns too. An error of the disk is `StoreUnavailable`.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from marquee.errors import ObjectMissing, StoreUnavailable
from marquee.stores.lake.contract import StoredFile

TRIES: Final = 5
"""Another process may remove an empty folder just before a file is made in it."""
_LISTED: Final = 1000

Answer = TypeVar("Answer")


class FolderFiles:
    """See `LakeFiles`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def ensure(self) -> None:
        await self._thread(lambda: self._root.mkdir(parents=True, exist_ok=True))

    async def put(self, path: str, body: memoryview) -> None:
        def write(file: BinaryIO) -> None:
            file.write(body)

        await self._thread(lambda: self._store(path, write))

    async def put_file(self, path: str, local: Path) -> None:
        def copy(file: BinaryIO) -> None:
            with local.open("rb") as source:
                shutil.copyfileobj(source, file, 1024**2)

        await self._thread(lambda: self._store(path, copy))

    def _store(self, path: str, write: Callable[[BinaryIO], None]) -> None:
        target = self._root / path
        temporary = target.with_name(f".{target.name}.part")
        try:
            with self._opened(temporary) as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            self._rename(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _opened(self, temporary: Path) -> BinaryIO:
        for tried in range(TRIES):
            self._make_folder(temporary.parent)
            try:
                return temporary.open("xb")
            except FileNotFoundError:
                if tried == TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")

    def _make_folder(self, folder: Path) -> None:
        """With a flush of every folder that got a new entry: else a crash of the machine could lose a whole partition."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _flush_folder(folder.parent)

    def _rename(self, temporary: Path, target: Path) -> None:
        temporary.rename(target)
        _flush_folder(target.parent)

    async def get_file(self, path: str, local: Path) -> None:
        def copy() -> None:
            try:
                shutil.copyfile(self._root / path, local)
            except FileNotFoundError as error:
                raise ObjectMissing(f"The file {path!r} is not in the lake.") from error

        await self._thread(copy)

    async def delete(self, paths: Sequence[str]) -> None:
        def delete() -> None:
            for path in paths:
                target = self._root / path
                target.unlink(missing_ok=True)
                for folder in target.parents:
                    if folder == self._root:
                        break
                    with contextlib.suppress(OSError):  # there is more in it
                        folder.rmdir()

        await self._thread(delete)

    async def list(self) -> AsyncIterator[StoredFile]:
        found = self._walk()
        while some := await self._thread(lambda: [file for file, _ in zip(found, range(_LISTED), strict=False)]):
            for file in some:
                yield file

    def _walk(self) -> Iterator[StoredFile]:
        for folder, _, names in os.walk(self._root):
            for name in names:
                found = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):  # deleted or renamed meanwhile
                    facts = found.stat()
                    yield StoredFile(
                        found.relative_to(self._root).as_posix(), facts.st_size, facts.st_mtime_ns // 1_000_000
                    )

    def uri(self, path: str) -> str:
        return str(self._root / path)

    async def ping(self) -> None:
        await self._thread(lambda: os.listdir(self._root))

    async def close(self) -> None:
        """Nothing is open."""

    async def _thread(self, call: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.to_thread(call)
        except OSError as error:
            raise StoreUnavailable(
                f"The lake's folder {self._root} cannot be used ({error}): make room, or set MARQUEE_LAKE_URL to another."
            ) from error


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
