"""A short film in the published bucket, as the chain publishes one: one rendition, a poster, scrub previews."""

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from marquee.documents import SearchDocument, keys
from marquee.media.programs import binaries, process
from marquee.stores.opened import Stores
from marquee.stores.row_cache.keys import keys_of_title
from tests.harness.api.seeding import TRACKS, Seeder

SECONDS: Final = 12
_VTT: Final = f"WEBVTT\n\n00:00.000 --> 00:{SECONDS:02}.000\nsprite.jpg#xywh=0,0,160,90\n"
_PICTURE: Final = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=24:duration={SECONDS}")
_TYPES: Final = {".m3u8": "application/vnd.apple.mpegurl", ".m4s": "video/iso.segment", ".vtt": "text/vtt"}


async def publish_film(
    stores: Stores,
    title: str,
    folder: Path,
    *,
    encode_stream: Callable[[Path], Awaitable[None]] | None = None,
    seconds: int = SECONDS,
) -> str:
    """Publish the film and return its movie_id. It plays, the home page's rows show it, and search finds its title.

    `encode_stream` writes another stream than the usual one of one rendition: `master.m3u8` and flat files beside it, of
    `seconds`.
    """
    stream, images = folder / "stream", folder / "images"
    await asyncio.to_thread(stream.mkdir)
    await asyncio.to_thread(images.mkdir)
    await (encode_stream or _encode)(stream)
    await _draw(images)
    movie_id = await Seeder(stores).playable(
        title, genres=["Drama"], duration_seconds=seconds, backdrop_widths=[320], tracks=TRACKS
    )
    for path in folder.rglob("*.*"):
        prefix = keys.images_prefix(movie_id, 1) if path.parent.name == "images" else keys.published_prefix(movie_id, 1)
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        await stores.published.put(prefix + path.name, path.read_bytes(), content_type=kind)
    await stores.row_cache.purge(keys_of_title(["Drama"]))
    # Alone in the index: nothing follows the catalogue's changes here.
    await stores.search.apply(
        [
            SearchDocument(
                movie_id=movie_id,
                revision=1,
                title=title,
                year=1999,
                genres=["Drama"],
                playable=True,
                poster=f"{keys.images_prefix(movie_id, 1)}{keys.poster(640, 360)}",
            )
        ]
    )
    return movie_id


async def _encode(stream: Path) -> None:
    await ffmpeg(
        stream,
        *_PICTURE,
        *("-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "48", "-c:a", "aac"),
        *("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"),
        *("-hls_segment_filename", "seg_%d.m4s", "-master_pl_name", "master.m3u8", "index.m3u8"),
    )


async def _draw(images: Path) -> None:
    for width, height in ((640, 360), (320, 180)):
        await ffmpeg(images, *_PICTURE, "-frames:v", "1", "-s", f"{width}x{height}", keys.poster(width, height))
    await ffmpeg(images, *_PICTURE, "-frames:v", "1", "backdrop-320.jpg")
    await ffmpeg(images, *_PICTURE, "-frames:v", "1", "-s", "160x90", "sprite.jpg")
    await asyncio.to_thread((images / "sprite.vtt").write_text, _VTT)


async def ffmpeg(folder: Path, *arguments: str) -> None:
    """Run ffmpeg in this folder."""
    command = [str(binaries.ffmpeg()), "-hide_banner", "-nostdin", "-v", "error", "-y", *arguments]
    await process.run(command, timeout_seconds=60, cwd=folder)
