"""A short film in the published bucket, as the chain publishes one: one rendition, a poster, scrub previews."""

import asyncio
import mimetypes
from pathlib import Path
from typing import Final

from marquee.documents import SearchDocument, keys
from marquee.media.programs import binaries, process
from marquee.stores.opened import Stores
from tests.harness.api.seeding import TRACKS, Seeder

SECONDS: Final = 12
_VTT: Final = f"WEBVTT\n\n00:00.000 --> 00:{SECONDS:02}.000\nsprite.jpg#xywh=0,0,160,90\n"
_TYPES: Final = {".m3u8": "application/vnd.apple.mpegurl", ".m4s": "video/iso.segment", ".vtt": "text/vtt"}


async def publish_film(stores: Stores, title: str, folder: Path) -> str:
    """Publish the film and return its movie_id. It plays, the home page's rows show it, and search finds its title."""
    await _encode(folder)
    movie_id = await Seeder(stores).playable(
        title, genres=["Drama"], duration_seconds=SECONDS, backdrop_widths=[320], tracks=TRACKS
    )
    for path in folder.rglob("*.*"):
        prefix = keys.images_prefix(movie_id, 1) if path.parent.name == "images" else keys.published_prefix(movie_id, 1)
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        await stores.published.put(prefix + path.name, path.read_bytes(), content_type=kind)
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
                poster=f"{keys.images_prefix(movie_id, 1)}{keys.POSTER}",
            )
        ]
    )
    return movie_id


async def _encode(folder: Path) -> None:
    stream, images = folder / "stream", folder / "images"
    await asyncio.to_thread(stream.mkdir)
    await asyncio.to_thread(images.mkdir)
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=24:duration={SECONDS}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}"]
    await _ffmpeg(
        stream,
        *picture,
        *sound,
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "48", "-c:a", "aac"),
        *("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"),
        *("-hls_segment_filename", "seg_%d.m4s", "-master_pl_name", "master.m3u8", "index.m3u8"),
    )
    await _ffmpeg(images, *picture, "-frames:v", "1", "poster.jpg")
    await _ffmpeg(images, *picture, "-frames:v", "1", "backdrop-320.jpg")
    await _ffmpeg(images, *picture, "-frames:v", "1", "-s", "160x90", "sprite.jpg")
    await asyncio.to_thread((images / "sprite.vtt").write_text, _VTT)


async def _ffmpeg(folder: Path, *arguments: str) -> None:
    command = [str(binaries.ffmpeg()), "-hide_banner", "-nostdin", "-v", "error", "-y", *arguments]
    await process.run(command, timeout_seconds=60, cwd=folder)
