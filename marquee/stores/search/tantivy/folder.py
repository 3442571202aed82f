"""The folder of a Tantivy index: its generations, the pointer to the current one, and the writer's lock.

`current` is a symbolic link to `generation-N` and is replaced atomically, so that a rebuild becomes visible at once. The previous
generation stays until the next rebuild, for readers that are about to open it. The writing process holds `writer.lock` (flock);
the kernel releases it when that process ends, even by SIGKILL.
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
    """The folder `root`, which may not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock: int | None = None

    def lock_for_writing(self) -> None:
        """Become the only writer. Raises `StoreUnavailable` at once if another process is the writer."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StoreUnavailable(
                f"Another process writes the search index in {self.root}: stop it first, only one search sync may run."
            ) from error
        self._lock = descriptor

    def unlock(self) -> None:
        """Release the lock if this process holds it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def current(self) -> Path | None:
        """The current generation, which readers must open; None if there is no index yet."""
        try:
            return self.root / (self.root / CURRENT).readlink()
        except OSError:
            return None

    def new_generation(self) -> Path:
        """Create an empty folder for the next generation."""
        numbers = [int(path.name.removeprefix(PREFIX)) for path in self._generations()]
        path = self.root / f"{PREFIX}{max(numbers, default=0) + 1}"
        path.mkdir(parents=True)
        return path

    def make_current(self, generation: Path) -> None:
        """Swap to a complete generation, then delete all but it and the previous one."""
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
