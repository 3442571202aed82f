"""A film of a few seconds whose master playlist offers many languages: 30 of sound, 40 of subtitles, seven rungs."""

import asyncio
from pathlib import Path
from typing import Final

from marquee.media.programs import binaries, process

SECONDS: Final = 12
AUDIOS, SUBTITLES = 30, 40
_HLS: Final = ("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4")


async def make_stream(folder: Path) -> Path:
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=24:duration={SECONDS}"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "48"]
    await _ffmpeg(folder, *picture, *coded, *_names("video"))
    await _ffmpeg(
        folder, "-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}", "-c:a", "aac", *_names("audio")
    )
    await asyncio.to_thread((folder / "text.m3u8").write_text, _TEXT)
    await asyncio.to_thread((folder / "text.vtt").write_text, _CUES)
    await asyncio.to_thread((folder / "master.m3u8").write_text, _master())
    return folder


def _names(name: str) -> list[str]:
    segments = ["-hls_segment_filename", f"{name}_%d.m4s", "-hls_fmp4_init_filename", f"{name}_init.mp4"]
    return [*_HLS, *segments, f"{name}.m3u8"]


_LINES: Final = "A line that is as long as lines of subtitles are allowed to be\nand a second one below it"
_CUES: Final = f"WEBVTT\n\n00:00.000 --> 00:{SECONDS:02}.000\n{_LINES}\n"
_TEXT: Final = (
    f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{SECONDS}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    f"#EXTINF:{SECONDS}.0,\ntext.vtt\n#EXT-X-ENDLIST\n"
)


def _master() -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for number in range(AUDIOS):
        name = (
            f"Language number {number}, described for people who do not see the picture"
            if number % 7 == 3
            else f"Language {number}"
        )
        chosen = "YES" if number == 0 else "NO"
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{name}",LANGUAGE="{_language(number)}",DEFAULT={chosen},'
            'AUTOSELECT=YES,CHANNELS="2",URI="audio.m3u8"'
        )
    for number in range(SUBTITLES):
        name = "Subtitles for people who are deaf or hard of hearing" if number == 5 else f"Subtitles {number}"
        lines.append(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="t",NAME="{name}",LANGUAGE="{_language(number)}",DEFAULT=NO,'
            'AUTOSELECT=YES,URI="text.m3u8"'
        )
    for number, height in enumerate((144, 234, 360, 540, 720, 1080, 2160)):
        bits = 200_000 * (number + 1)
        lines.append(
            f'#EXT-X-STREAM-INF:BANDWIDTH={bits},AVERAGE-BANDWIDTH={bits},CODECS="avc1.42c01e,mp4a.40.2",'
            f'RESOLUTION={height * 16 // 9}x{height},FRAME-RATE=24.000,AUDIO="a",SUBTITLES="t"\nvideo.m3u8'
        )
    return "\n".join(lines) + "\n"


def _language(number: int) -> str:
    """A language code of its own for each: qaa to qtz are free for private use."""
    return f"q{chr(97 + number // 26)}{chr(97 + number % 26)}"


async def _ffmpeg(folder: Path, *arguments: str) -> None:
    command = [str(binaries.ffmpeg()), "-hide_banner", "-nostdin", "-v", "error", "-y", *arguments]
    await process.run(command, timeout_seconds=60, cwd=folder)
