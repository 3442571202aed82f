"""Small films and the documents around them, for the tests of sound, text, pictures and packaging; and readers of the results.

ffmpeg makes each film in about a second. `flash_and_beep`, `flashes` and `onsets` measure whether sound and picture are in step.
"""

import asyncio
import contextlib
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from marquee.documents import (
    AudioStream,
    Chunk,
    EncodingSettings,
    PlanDocument,
    Rung,
    SourceDocument,
    StreamsDocument,
    SubtitlesDocument,
    SubtitleStream,
    VideoStream,
)
from marquee.media.encode.join import video_timescale
from marquee.media.programs import binaries, process

Title = tuple[Path, StreamsDocument, SubtitlesDocument]
"""The folder of a packaged title, and its documents."""


async def ffmpeg(*arguments: str | Path) -> None:
    await process.run(
        [binaries.picture_ffmpeg(), "-hide_banner", "-nostdin", "-v", "error", "-y", *arguments], timeout_seconds=120
    )


def a_rung(name: str = "90p", width: int = 160, height: int = 90) -> Rung:
    return Rung(
        name=name, width=width, height=height, bitrate_bps=100_000, max_bitrate_bps=150_000, buffer_bits=200_000
    )


def a_plan(rate: Fraction, frames: int, *rungs: Rung, filters: str = "") -> PlanDocument:
    gop = round(2 * rate)
    return PlanDocument(
        movie_id="m_test",
        version=1,
        total_frames=frames,
        settings=EncodingSettings(
            frame_rate=f"{rate.numerator}/{rate.denominator}",
            gop_frames=gop,
            segment_frames=3 * gop,
            preset="ultrafast",
            rungs=list(rungs) or [a_rung()],
            filters=filters,
            encoder="x264",
        ),
        settings_hash="0" * 64,
        chunks=[Chunk(index=0, start_frame=0, frames=frames)],
    )


def a_source(
    *,
    audio: Sequence[AudioStream] = (),
    subtitles: Sequence[SubtitleStream] = (),
    start_seconds: float = 0.0,
    width: int = 160,
    height: int = 90,
    rate: str = "25/1",
    seekable: bool = True,
    video_index: int = 0,
) -> SourceDocument:
    return SourceDocument(
        movie_id="m_test",
        version=1,
        upload_id="u_test",
        key="uploads/u_test/source",
        file_name="film.mp4",
        size_bytes=1,
        sha256="0" * 64,
        container="mov",
        duration_seconds=10.0,
        video=VideoStream(
            index=video_index,
            codec="h264",
            width=width,
            height=height,
            display_width=width,
            display_height=height,
            frame_rate=rate,
            start_seconds=start_seconds,
        ),
        audio=list(audio),
        subtitles=list(subtitles),
        frames_decoded=250,
        frames_damaged=0,
        seekable=seekable,
    )


def sound(index: int, channels: int = 2, **more: object) -> AudioStream:
    return AudioStream(index=index, codec="aac", channels=channels, sample_rate=48_000, **more)  # type: ignore[arg-type]


async def make_chunks(folder: Path, rate: Fraction, lengths: Sequence[int], *, size: str = "64x36") -> list[Path]:
    """The chunks of one rendition, with `lengths` frames each, in the form that a transcode worker writes."""
    gop = round(2 * rate)
    paths = []
    start = 0
    for index, frames in enumerate(lengths):
        path = folder / f"chunk-{index}.mp4"
        await ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}"),
            *("-vf", f"trim=start_frame={start}:end_frame={start + frames},setpts=PTS-STARTPTS,format=yuv420p"),
            *("-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-g", str(gop), "-keyint_min", str(gop)),
            *("-sc_threshold", "0", "-flags:v", "+cgop", "-x264-params", "open-gop=0:force-cfr=1"),
            *("-enc_time_base", f"{rate.denominator}:{rate.numerator}"),
            *("-video_track_timescale", str(video_timescale(rate)), path),
        )
        paths.append(path)
        start += frames
    return paths


async def flash_and_beep(
    path: Path, *, rate: Fraction, seconds: int, sound_delay: float = 0.0, options: Sequence[str] = ()
) -> None:
    """Make a black film that turns white and beeps for 100 ms at every whole second.

    The sound's track starts `sound_delay` seconds later than the picture; its beeps stay in step.
    """
    beep = f"0.5*sin(2*PI*1000*t)*lt(mod(t+{sound_delay}\\,1)\\,0.1)"
    await ffmpeg(
        *("-f", "lavfi", "-i", f"color=black:s=160x90:r={rate}:d={seconds}"),
        *("-itsoffset", f"{sound_delay}", "-f", "lavfi", "-i", f"aevalsrc={beep}:s=48000:d={seconds - sound_delay}"),
        *("-vf", "drawbox=c=white:t=fill:enable='lt(mod(t\\,1)\\,0.1)'"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", *options, path),
    )


async def decoded_sound(path: Path | str, *options: str) -> bytes:
    """The sound of a file or playlist as mono 16-bit samples at 48 kHz, from presentation time 0 on."""
    finished = await process.run(
        [
            *(binaries.ffmpeg(), "-v", "error", "-nostdin", "-copyts", *options, "-i", path),
            *("-map", "0:a:0", "-af", "aresample=48000:async=1:first_pts=0,pan=mono|c0=c0", "-f", "s16le", "pipe:1"),
        ],
        timeout_seconds=60,
    )
    return finished.stdout


async def decoded_brightness(path: Path | str, *options: str) -> list[tuple[float, float]]:
    """(presentation time in seconds, mean luma 0 to 255) of every frame of a file or playlist."""
    times: list[float] = []

    def take(line: str) -> None:
        if "Parsed_showinfo" in line and "pts_time:" in line:
            times.append(float(line.split("pts_time:")[1].split()[0]))

    finished = await process.run(
        [
            *(binaries.ffmpeg(), "-v", "info", "-nostdin", "-copyts", *options, "-i", path, "-map", "0:v:0"),
            *("-vf", "scale=1:1:flags=area,format=gray,showinfo=checksum=0", "-fps_mode", "passthrough"),
            *("-f", "rawvideo", "pipe:1"),
        ],
        timeout_seconds=60,
        on_stderr_line=take,
    )
    return list(zip(times, [float(value) for value in finished.stdout], strict=True))


def onsets(samples: bytes) -> list[float]:
    """Seconds at which beeps start: the first sample over a tenth of full scale after 0.3 s of silence."""
    found: list[float] = []
    last = -1.0
    for index, value in enumerate(array("h", samples)):
        if abs(value) > 3276:
            seconds = index / 48_000
            if seconds - last > 0.3:
                found.append(seconds)
            last = seconds
    return found


def flashes(brightness: Sequence[tuple[float, float]]) -> list[float]:
    """Seconds at which a white frame follows a black one."""
    white = [(time, luma > 128) for time, luma in sorted(brightness)]
    return [time for index, (time, on) in enumerate(white) if on and (index == 0 or not white[index - 1][1])]


async def serve(folder: Path) -> tuple[asyncio.Server, str]:
    """Start a static HTTP server of `folder` on a free loopback port: (server to close, base URL). It answers ranges."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = folder / request.split(" ")[1].lstrip("/")
        body = path.read_bytes() if path.is_file() else b""
        status, first = ("200 OK", 0) if path.is_file() else ("404 Not Found", 0)
        for line in request.splitlines():
            if line.lower().startswith("range: bytes=") and body:
                start, _, end = line.split("=")[1].partition("-")
                first, whole = int(start), len(body)
                body = body[first : int(end) + 1 if end else None]
                status = f"206 Partial Content\r\nContent-Range: bytes {first}-{first + len(body) - 1}/{whole}"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def published(out: Path) -> tuple[dict[str, str], dict[str, int]]:
    """(texts of manifests, playlists and captions, sizes of all files) of a packaged title, by path."""
    files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    texts = {name: path.read_text() for name, path in files.items() if name.endswith((".m3u8", ".mpd", ".vtt"))}
    return texts, {name: path.stat().st_size for name, path in files.items()}
