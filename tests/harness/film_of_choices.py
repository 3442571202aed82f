"""The stream of a film with everything that a viewer may choose: three rungs, two languages in stereo and 5.1, two subtitles.

Each audio track is one tone of its own, so that a test hears which one plays. Each subtitle track is one cue from the first to
the last second. Written in the form of `master_playlist`: video in one group of variants for stereo and one for surround.
"""

import asyncio
from pathlib import Path
from typing import Final

from tests.harness.published_film import ffmpeg

SECONDS: Final = 30
TONES: Final = {("en", 2): 500, ("de", 2): 1000, ("en", 6): 2000, ("de", 6): 4000}
"""Frequency in Hz by language and number of channels."""
RUNGS: Final = {180: 320, 270: 480, 360: 640}
"""Width in pixels by lines."""
LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
WORDS: Final = {"en": "The lamp is lit", "de": "Die Lampe brennt"}
_CUTS: Final = ("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4")


async def encode_film_of_choices(stream: Path) -> None:
    """Write `master.m3u8` and everything that it names into this folder."""
    renditions = [_video(stream, lines, width) for lines, width in RUNGS.items()]
    await asyncio.gather(*renditions, *(_audio(stream, *track) for track in TONES))
    await asyncio.to_thread(_write_texts, stream)


async def _video(stream: Path, lines: int, width: int) -> None:
    await ffmpeg(
        stream,
        *("-f", "lavfi", "-i", f"testsrc2=size={width}x{lines}:rate=24:duration={SECONDS}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "48", "-b:v", f"{lines}k"),
        *_CUTS,
        *("-hls_fmp4_init_filename", f"v{lines}_init.mp4"),
        *("-hls_segment_filename", f"v{lines}_%d.m4s", f"v{lines}.m3u8"),
    )


async def _audio(stream: Path, language: str, channels: int) -> None:
    name = f"a{channels}{language}"
    await ffmpeg(
        stream,
        *("-f", "lavfi", "-i", f"sine=frequency={TONES[language, channels]}:duration={SECONDS}:sample_rate=48000"),
        *(
            "-af",
            f"aformat=channel_layouts={'stereo' if channels == 2 else '5.1'}",
            "-c:a",
            "aac",
            "-ac",
            str(channels),
        ),
        *_CUTS,
        *("-hls_fmp4_init_filename", f"{name}_init.mp4"),
        *("-hls_segment_filename", f"{name}_%d.m4s", f"{name}.m3u8"),
    )


def _write_texts(stream: Path) -> None:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for group, channels in (("stereo", 2), ("surround", 6)):
        for language, name in LANGUAGES.items():
            default = "YES" if language == "en" else "NO"
            lines.append(
                f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="{name}",LANGUAGE="{language}",DEFAULT={default},'
                f'AUTOSELECT=YES,CHANNELS="{channels}",URI="a{channels}{language}.m3u8"'
            )
    for language, name in LANGUAGES.items():
        lines.append(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="{name}",LANGUAGE="{language}",DEFAULT=NO,'
            f'AUTOSELECT=YES,FORCED=NO,URI="t{language}.m3u8"'
        )
        cue = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00.000\n\n00:00.000 --> 00:{SECONDS}.000\n{WORDS[language]}\n"
        (stream / f"t{language}_0.vtt").write_text(cue)
        (stream / f"t{language}.m3u8").write_text(
            f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{SECONDS}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
            f"#EXTINF:{SECONDS},\nt{language}_0.vtt\n#EXT-X-ENDLIST\n"
        )
    for group, channels in (("stereo", 2), ("surround", 6)):
        for height, width in RUNGS.items():
            lines.append(
                f"#EXT-X-STREAM-INF:BANDWIDTH={height * 2000 + channels * 64_000},RESOLUTION={width}x{height},FRAME-RATE=24.000,"
                f'CODECS="avc1.42c01e,mp4a.40.2",AUDIO="{group}",SUBTITLES="text",CLOSED-CAPTIONS=NONE'
            )
            lines.append(f"v{height}.m3u8")
    (stream / "master.m3u8").write_text("\n".join(lines) + "\n")
