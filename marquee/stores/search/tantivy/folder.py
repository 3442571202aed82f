"""The folder of a Tantivy index: generations, the pointer to the current one, and the writer's lock.

`current` is a symbolic link to `generation-N`, replaced atomically: a rebuild is made beside and appears at once. The
generation before stays until the next rebuild, for readers that are about to open it. `writer.lock` is held (flock) by the
one process that writes; the kernel frees it when that process ends, however it ends.
"""

import fcntl
import os
import shutil
from pathlib import Path

from marquee.errors import StoreUnavailable

CURRENT = "current"
LOCK = "writer.lock"
PREFIX = "generation-"


class IndexFolder:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock: int | None = None

    def lock_for_writing(self) -> None:
        """Become the one writer. Raises `StoreUnavailable` at once where another process is it."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StoreUnavailable(
                f"Another process writes the search index in {self.root}: only one search sync may run on it."
            ) from error
        self._lock = descriptor

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def current(self) -> Path | None:
        """The folder that readers should have open now."""
        try:
            return self.root / (self.root / CURRENT).readlink()
        except OSError:
            return None

    def new_generation(self) -> Path:
        """An empty folder beside the current one."""
        numbers = [int(path.name.removeprefix(PREFIX)) for path in self._generations()]
        path = self.root / f"{PREFIX}{max(numbers, default=0) + 1}"
        path.mkdir(parents=True)
        return path

    def make_current(self, generation: Path) -> None:
        """Swap to a generation that is whole; drop those before the last one."""
        before = self.current()
        link = self.root / f"{CURRENT}.new"
        link.unlink(missing_ok=True)
        link.symlink_to(generation.name)
        link.replace(self.root / CURRENT)
        for path in self._generations():
            if path not in (generation, before):
                shutil.rmtree(path, ignore_errors=True)

    def _generations(self) -> list[Path]:
        return [path for path in self.root.glob(f"{PREFIX}*") if path.name.removeprefix(PREFIX).isdigit()]
