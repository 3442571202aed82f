"""Makes the longer film: the fixtures in a loop, 2.5 minutes of 720p, with a burned-in clock, a frame number and a tone.

It has several shots, many chunks and several upload parts. The clock shows the playback position to people and checks; ffmpeg's
drawtext draws it in a font that comes with matplotlib. The tone beeps once a second, at the clock's full second.
"""

from pathlib import Path

import ffmpeg
import matplotlib.font_manager

from marquee.media.programs.binaries import vmaf_ffmpeg
from marquee.media.programs.process import run
from marquee.platform.project import FIXTURES

SECONDS = 150
FRAME_RATE = 25
WIDTH, HEIGHT = 1280, 720
VIDEO_BPS = 2_200_000
SHOTS = (
    "bbb_720p_5.1aac.mp4",
    "bikes_640x272_silent.mp4",
    "earth_480x270.avi",
    "screen_1080p.mp4",
    "deer_1080p_1s.mp4",
)
TIMEOUT_SECONDS = 900.0


async def make_reel(path: Path) -> Path:
    """Make the reel at `path` unless it exists. The file is renamed into place when it is complete."""
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    shots = path.with_suffix(".shots.mp4")
    making = path.with_suffix(".making.mp4")
    await run(_shots_command(shots), timeout_seconds=TIMEOUT_SECONDS)
    await run(_reel_command(shots, making), timeout_seconds=TIMEOUT_SECONDS)
    making.rename(path)
    shots.unlink()
    return path


def _shots_command(out: Path) -> list[str]:
    streams = [
        ffmpeg.input(str(FIXTURES / name))
        .video.filter("fps", FRAME_RATE)
        .filter("scale", WIDTH, HEIGHT, force_original_aspect_ratio="decrease")
        .filter("pad", WIDTH, HEIGHT, "(ow-iw)/2", "(oh-ih)/2")
        .filter("setsar", 1)
        .filter("format", "yuv420p")
        for name in SHOTS
    ]
    joined = ffmpeg.concat(*streams, v=1, a=0)
    command: list[str] = (
        ffmpeg.output(joined, str(out), vcodec="libx264", preset="ultrafast", crf=14)
        .overwrite_output()
        .compile(cmd=str(vmaf_ffmpeg()))
    )
    return command


def _reel_command(shots: Path, out: Path) -> list[str]:
    font = matplotlib.font_manager.findfont("DejaVu Sans Mono")
    # Each loop ends between two frames. The fps filter closes that gap, so the number shown is the frame's number.
    picture = ffmpeg.input(str(shots), stream_loop=-1).video.filter("fps", FRAME_RATE)
    clock = picture.filter(
        "drawtext",
        fontfile=font,
        text=r"%{pts:hms}  %{n}",
        fontsize=48,
        fontcolor="white",
        box=1,
        boxcolor="black@0.6",
        boxborderw=12,
        x="(w-text_w)/2",
        y="h-90",
    )
    beep = ffmpeg.input(
        f"sine=frequency=330:beep_factor=4:sample_rate=48000:duration={SECONDS}", f="lavfi"
    ).audio.filter("volume", 0.15)
    command: list[str] = (
        ffmpeg.output(
            clock,
            beep,
            str(out),
            t=SECONDS,
            vcodec="libx264",
            preset="ultrafast",
            video_bitrate=VIDEO_BPS,
            # A minimum bitrate too: the file must have several upload parts, whatever the pictures are.
            minrate=VIDEO_BPS,
            maxrate=VIDEO_BPS,
            bufsize=VIDEO_BPS,
            **{"x264-params": "nal-hrd=cbr:force-cfr=1"},
            acodec="aac",
            audio_bitrate=96_000,
            movflags="+faststart",
            g=100,
        )
        .overwrite_output()
        .compile(cmd=str(vmaf_ffmpeg()))
    )
    return command
