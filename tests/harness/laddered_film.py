"""A film of several rungs in the published bucket: small pictures, cheap to encode, with the bandwidths of a real ladder."""

import asyncio
from pathlib import Path
from typing import Final

from marquee.documents import keys
from marquee.media.programs import binaries, process
from marquee.stores.opened import Stores
from tests.harness.api.seeding import Seeder

SECONDS: Final = 90
SEGMENT_SECONDS: Final = 6
RUNGS: Final = ((96, 54, 120), (320, 180, 400), (640, 360, 1600))
"""Width, height, kbit/s of the picture: noise, so that every rung needs its bits."""
_TYPES: Final = {".m3u8": "application/vnd.apple.mpegurl", ".m4s": "video/iso.segment", ".mp4": "video/mp4"}


async def publish_laddered_film(stores: Stores, title: str, folder: Path) -> str:
    """Publish the film and return its movie_id. The middle rung is listed first, as many packagers do."""
    await asyncio.to_thread(folder.mkdir)
    await _encode(folder)
    movie_id = await Seeder(stores).playable(title, genres=["Drama"], duration_seconds=SECONDS)
    prefix = keys.published_prefix(movie_id, 1)
    for path in sorted(folder.rglob("*.*")):
        kind = _TYPES[path.suffix]
        await stores.published.put(prefix + str(path.relative_to(folder)), path.read_bytes(), content_type=kind)
    poster = await asyncio.to_thread(folder.with_suffix(".jpg").read_bytes)
    await stores.published.put(
        keys.images_prefix(movie_id, 1) + keys.poster(640, 360), poster, content_type="image/jpeg"
    )
    return movie_id


async def _encode(folder: Path) -> None:
    listed = [RUNGS[1], RUNGS[0], RUNGS[2]]
    noise = f"color=gray:size=640x360:rate=10:duration={SECONDS},noise=alls=40:allf=t"
    command = [str(binaries.ffmpeg()), "-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", noise]
    command += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}"]
    for number, (width, height, kbits) in enumerate(listed):
        command += ["-map", "0:v", f"-filter:v:{number}", f"scale={width}:{height}"]
        command += [
            f"-b:v:{number}",
            f"{kbits}k",
            f"-maxrate:v:{number}",
            f"{kbits}k",
            f"-bufsize:v:{number}",
            f"{kbits}k",
        ]
    command += [
        "-map",
        "1:a",
        "-c:a",
        "aac",
        "-b:a",
        "32k",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
    ]
    command += ["-g", str(10 * SEGMENT_SECONDS), "-keyint_min", str(10 * SEGMENT_SECONDS), "-sc_threshold", "0"]
    command += [
        "-f",
        "hls",
        "-hls_time",
        str(SEGMENT_SECONDS),
        "-hls_playlist_type",
        "vod",
        "-hls_segment_type",
        "fmp4",
    ]
    command += ["-master_pl_name", keys.MASTER_PLAYLIST, "-hls_segment_filename", "%v/seg_%d.m4s"]
    streams = " ".join(f"v:{number},agroup:sound,name:{height}p" for number, (_, height, _) in enumerate(listed))
    command += ["-var_stream_map", f"a:0,agroup:sound,name:sound,default:yes {streams}", "%v/index.m3u8"]
    await process.run(command, timeout_seconds=240, cwd=folder)
    poster = [*command[:6], "-f", "lavfi", "-i", noise, "-frames:v", "1", str(folder.with_suffix(".jpg"))]
    await process.run(poster, timeout_seconds=60)
