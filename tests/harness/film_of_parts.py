"""A film whose parts fail apart: two qualities, two sound tracks and a subtitle track, each with its own files.

Files of the stream: `v90.m3u8`, `v90_init.mp4`, `v90_7.m4s`; `a_en...`, `a_fr...`; `t_en.m3u8`, `t_en_3.vtt`. It is longer than
a player loads in advance, so that a test can seek to a place that is not loaded.
"""

import asyncio
from pathlib import Path
from typing import Final

from marquee.documents import keys
from marquee.media.programs import binaries, process
from marquee.stores.opened import Stores
from tests.harness.api.seeding import Seeder

SECONDS: Final = 60
SEGMENT_SECONDS: Final = 2
TEXT_SECONDS: Final = 4
_TYPES: Final = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt",
}
_MASTER: Final = """\
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="a_en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Français",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,URI="a_fr.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=NO,URI="t_en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=200000,RESOLUTION=160x90,CODECS="avc1.42c01e,mp4a.40.2",AUDIO="sound",SUBTITLES="text"
v90.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=320x180,CODECS="avc1.42c01e,mp4a.40.2",AUDIO="sound",SUBTITLES="text"
v180.m3u8
"""


async def publish_film_of_parts(stores: Stores, title: str, folder: Path) -> str:
    """Publish the film and return its movie_id. The catalogue has it; the search does not."""
    await asyncio.gather(
        *(_encode(folder, f"v{lines}", _picture(lines)) for lines in (90, 180)),
        *(_encode(folder, f"a_{language}", _sound(tone)) for language, tone in (("en", 440), ("fr", 660))),
    )
    await asyncio.to_thread(_write_texts, folder)
    movie_id = await Seeder(stores).playable(title, duration_seconds=SECONDS)
    below = keys.published_prefix(movie_id, 1)
    for path in sorted(await asyncio.to_thread(lambda: list(folder.iterdir()))):
        await stores.published.put(below + path.name, path.read_bytes(), content_type=_TYPES[path.suffix])
    return movie_id


def _picture(lines: int) -> list[str]:
    source = ["-f", "lavfi", "-i", f"testsrc2=size={lines * 16 // 9}x{lines}:rate=12:duration={SECONDS}"]
    gop = str(12 * SEGMENT_SECONDS)
    return [
        *source,
        *("-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-pix_fmt", "yuv420p"),
        *("-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-b:v", f"{lines}k"),
    ]


def _sound(tone: int) -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=frequency={tone}:duration={SECONDS}", "-c:a", "aac", "-b:a", "32k"]


async def _encode(folder: Path, name: str, arguments: list[str]) -> None:
    command = [
        *(str(binaries.ffmpeg()), "-hide_banner", "-nostdin", "-v", "error", "-y", *arguments),
        *("-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"),
        *("-hls_fmp4_init_filename", f"{name}_init.mp4", "-hls_segment_filename", f"{name}_%d.m4s", f"{name}.m3u8"),
    ]
    await process.run(command, timeout_seconds=60, cwd=folder)


def _write_texts(folder: Path) -> None:
    (folder / keys.MASTER_PLAYLIST).write_text(_MASTER)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{TEXT_SECONDS}", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for number in range(SECONDS // TEXT_SECONDS):
        begin = number * TEXT_SECONDS
        cue = f"00:{begin:02}.000 --> 00:{begin + TEXT_SECONDS - 1:02}.000\nWords {number}\n"
        stamp = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
        (folder / f"t_en_{number}.vtt").write_text(f"WEBVTT\n{stamp}\n\n{cue}")
        lines += [f"#EXTINF:{TEXT_SECONDS},", f"t_en_{number}.vtt"]
    (folder / "t_en.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
