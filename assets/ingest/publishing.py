"""Files to and from the published bucket, a few at a time, with their media types and cache rule.

A version's files are written once and never change, so edges and browsers may keep them for a day. Deleting a title removes
its objects at once; its URLs end when their tokens expire. Media types follow RFC 8216 and ISO 23000-19.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from marquee.concurrency import gather_bounded
from marquee.ingest.outages import through_outages
from marquee.stores.objects.contract import Objects

CACHE_CONTROL: Final = "public, max-age=86400, immutable"
MEDIA_TYPES: Final = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
}
_MAX_CONCURRENT_FILES: Final = 8


async def publish_folder(
    objects: Objects, folder: Path, prefix: str, *, on_share: Callable[[float], None] | None = None
) -> int:
    """Store every file below `folder` under `prefix`, at the same relative path. Returns the number of bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    done = 0

    async def store(path: Path) -> int:
        nonlocal done
        key = prefix + path.relative_to(folder).as_posix()
        stored = await through_outages(
            lambda: objects.put_file(key, path, content_type=MEDIA_TYPES[path.suffix], cache_control=CACHE_CONTROL)
        )
        done += 1
        if on_share is not None:
            on_share(done / len(files))
        return stored.size_bytes

    return sum(await gather_bounded(store, files, max_concurrent=_MAX_CONCURRENT_FILES))


async def fetch_files(objects: Objects, keys: dict[str, Path]) -> None:
    """Fetch objects (key -> file), a few at a time. Raises `ObjectMissing`."""

    async def fetch(key: str) -> None:
        await through_outages(lambda: objects.get_file(key, keys[key]))

    await gather_bounded(fetch, keys, max_concurrent=_MAX_CONCURRENT_FILES)
