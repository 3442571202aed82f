"""What a viewer sees and hears of a title, measured from its published files alone and held against the master.

The master is shown by ffmpeg's own player path (its own rotation, pixel aspect and clock), never by the platform's. Every
function returns findings, one sentence each; an empty list means that the title is right.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import m3u8
import msgspec
import numpy as np
import numpy.typing as npt

from marquee.errors import ProcessFailed
from marquee.media import binaries, process

SAMPLES = (0.1, 0.5, 0.9)
"""Where in the film, as shares of its length, pictures are compared."""
SMALL = (64, 36)
"""Pictures are compared at this size: a wrong turn, side, field or moment shows, an encoder's loss does not."""
CORRELATION_MIN = 0.9
DIFFERENCE_MAX = 14.0
"""Mean difference of red, green and blue, of 255: BT.601 taken for BT.709 is about 5, an inverted range about 20."""
FLAT = 3.0

Pixels = npt.NDArray[np.float32]

_FRAME = re.compile(
    r"n:\s*\d+ pts:\s*\S+\s+pts_time:\s*(?P<time>\S+)\s+duration:\s*\S+\s+duration_time:\s*(?P<duration>\S+)\s.*?"
    r"sar:(?P<sar>\d+/\d+) s:(?P<size>\d+x\d+) i:(?P<fields>\S)"
)
_COLOUR = re.compile(r"color_trc:(\S+)")


class Master(NamedTuple):
    """A film as ffmpeg shows it: `width` x `height` square pixels, upright; times are from its first picture on."""

    width: float
    height: float
    times: list[float]
    seconds: float
    hdr: bool
    interlaced: bool

    @property
    def step(self) -> float:
        """The usual time between two pictures."""
        steps = np.diff(np.array(self.times))
        return float(np.median(steps)) if len(steps) else 0.04


class Variant(NamedTuple):
    """One rendition of a title, as one file."""

    path: Path
    width: int
    height: int
    frames: int
    rate: Fraction
    start: float
    colours: tuple[str, ...]


async def master(path: Path, stream: str = "V:0", options: Sequence[str] = ()) -> Master:
    """How ffmpeg shows `path`; `options` are its input options."""
    times: list[float] = []
    sizes: dict[tuple[str, str], int] = {}
    last, fields, transfer = 0.0, 0, ""

    def take(line: str) -> None:
        nonlocal last, fields, transfer
        if found := _FRAME.search(line):
            if found["time"] != "NOPTS":
                times.append(float(found["time"]))
                last = float(found["duration"]) if found["duration"] not in {"N/A", "NOPTS"} else 0.0
            shape = (found["size"], found["sar"])
            sizes[shape] = sizes.get(shape, 0) + 1
            fields += found["fields"] != "P"
        elif "showinfo" in line and (colour := _COLOUR.search(line)):
            transfer = transfer or colour[1]

    shown = ["-map", f"0:{stream}", "-vf", "showinfo=checksum=0", "-fps_mode", "passthrough", "-f", "null", "-"]
    argv = [binaries.picture_ffmpeg(), "-hide_banner", "-nostdin", *options, "-i", path, *shown]
    await process.run(argv, timeout_seconds=300, on_stderr_line=take)
    (size, aspect), _ = max(sizes.items(), key=lambda one: one[1])
    width, height = (int(one) for one in size.split("x"))
    sar = Fraction(aspect) if not aspect.startswith("0/") and not aspect.endswith("/0") else Fraction(1)
    steps = np.diff(np.array(times))
    usual = float(np.median(steps)) if len(steps) else 0.04
    last = last if 0 < last <= 10 else usual
    return Master(
        width=float(width * sar),
        height=float(height),
        times=[time - min(times) for time in times],
        seconds=max(times) - min(times) + last,
        hdr=transfer in {"smpte2084", "arib-std-b67"},
        interlaced=fields > 0.05 * len(times),
    )


async def _probed(path: Path, *entries: str) -> dict[str, Any]:
    argv = [binaries.ffprobe(), "-v", "error", "-of", "json", *entries, path]
    decoded: dict[str, Any] = msgspec.json.decode((await process.run(argv, timeout_seconds=300)).stdout)
    return decoded


def joined(folder: Path, playlist: str) -> Path:
    """A media playlist's init segment and segments, laid end to end as one file beside it."""
    listed = m3u8.loads((folder / playlist).read_text())
    names = [*dict.fromkeys(part.uri for part in listed.segment_map if part is not None)]
    names += [segment.uri for segment in listed.segments]
    below = (folder / playlist).parent
    out = below / "whole.mp4"
    out.write_bytes(b"".join((below / name).read_bytes() for name in names))
    return out


async def variants(folder: Path) -> list[Variant]:
    """Every rendition that the master playlist offers, the smallest first."""
    offered = m3u8.loads((folder / "master.m3u8").read_text())
    found = []
    for playlist in dict.fromkeys(one.uri for one in offered.playlists):
        path = joined(folder, playlist)
        entries = (
            "stream=width,height,avg_frame_rate,start_time,nb_read_packets,color_space,color_transfer,color_primaries"
        )
        stream = (await _probed(path, "-count_packets", "-show_entries", entries))["streams"][0]
        found.append(
            Variant(
                path=path,
                width=stream["width"],
                height=stream["height"],
                frames=int(stream["nb_read_packets"]),
                rate=Fraction(stream["avg_frame_rate"]),
                start=float(stream["start_time"]),
                colours=tuple(stream.get(f"color_{one}", "unknown") for one in ("space", "transfer", "primaries")),
            )
        )
    return sorted(found, key=lambda one: one.width * one.height)


async def undecodable(path: Path) -> list[str]:
    """What ffmpeg complains of while it decodes a file to its end."""
    complaints: list[str] = []
    argv = [binaries.picture_ffmpeg(), "-hide_banner", "-nostdin", "-v", "error", "-i", path, "-f", "null", "-"]
    try:
        await process.run(argv, timeout_seconds=300, on_stderr_line=complaints.append)
    except ProcessFailed as failure:
        complaints.append(failure.detail)
    return [f"{path.parent.name} does not decode cleanly: {one}" for one in complaints[:1]]


def size_findings(source: Master, made: Sequence[Variant]) -> list[str]:
    """Sizes: the master's shape, never larger, and the top as large as 1080 lines allow."""
    findings = []
    for one in made:
        shape = one.width / one.height * source.height / source.width
        if min(one.width, one.height) > 2 and abs(shape - 1) > 0.005 + 1.5 / one.width + 1.5 / one.height:
            findings.append(
                f"{one.width}x{one.height} has not the shape of {source.width:.1f}x{source.height:.1f} ({shape:.3f})."
            )
        if one.width > max(2, source.width + 0.5) or one.height > max(2, source.height + 0.5):
            findings.append(f"{one.width}x{one.height} is larger than the master, {source.width}x{source.height}.")
    top = made[-1]
    longer, shorter = max(source.width, source.height), min(source.width, source.height)
    scale = min(1.0, 1920 / longer, 1080 / shorter)
    if max(top.width, top.height) < scale * longer * 0.97 - 2:
        findings.append(f"The top is {top.width}x{top.height} of {source.width:.0f}x{source.height:.0f}.")
    return findings


def time_findings(source: Master, made: Sequence[Variant], *, seconds: float | None = None) -> list[str]:
    """Lengths and starts; `seconds` is the film's length where it is known better than ffmpeg tells it."""
    findings = []
    expected = source.seconds if seconds is None else seconds
    for one in made:
        lasts, frame = float(one.frames / one.rate), max(float(1 / one.rate), source.step)
        if abs(lasts - expected) > frame + 0.002:
            findings.append(f"{one.path.parent.name} lasts {lasts:.3f} s, the master {expected:.3f} s.")
        if abs(one.start) > 0.001:
            findings.append(f"{one.path.parent.name} starts at {one.start:.3f} s.")
    if len({(one.frames, one.rate) for one in made}) != 1:
        findings.append(f"The renditions differ: {[(one.frames, str(one.rate)) for one in made]}.")
    return findings


async def sound_findings(folder: Path, *, frame_seconds: float, seconds: float) -> list[str]:
    """Every audio track decodes, starts with the picture and is as long as it."""
    findings = []
    for playlist in sounds(folder):
        path = joined(folder, playlist)
        findings += await undecodable(path)
        entries = ("-count_packets", "-show_entries", "stream=start_time,sample_rate,nb_read_packets")
        stream = (await _probed(path, *entries))["streams"][0]
        start = float(stream["start_time"])
        lasts = int(stream["nb_read_packets"]) * 1024 / int(stream["sample_rate"])
        if abs(start) > frame_seconds:
            findings.append(f"{playlist} starts at {start:.3f} s.")
        if abs(lasts - seconds) > max(frame_seconds, 2 * 1024 / int(stream["sample_rate"])):
            findings.append(f"{playlist} lasts {lasts:.3f} s, the picture {seconds:.3f} s.")
    return findings


def sounds(folder: Path) -> list[str]:
    """Playlists of audio that the master playlist offers."""
    media = m3u8.loads((folder / "master.m3u8").read_text()).media
    return list(dict.fromkeys(one.uri for one in media if one.type == "AUDIO"))


def texts(folder: Path) -> list[str]:
    media = m3u8.loads((folder / "master.m3u8").read_text()).media
    return list(dict.fromkeys(one.uri for one in media if one.type == "SUBTITLES"))


_TONE_MAP = "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv"


async def pictures(
    path: Path, at: Sequence[float], *, shown: Master | None = None, stream: str = "V:0", options: Sequence[str] = ()
) -> list[Pixels]:
    """The pictures on screen at these times after the first one, as `SMALL` red-green-blue values."""
    chain = ["setpts=PTS-STARTPTS"]
    if shown is not None and shown.interlaced:
        chain.append("bwdif=mode=send_frame:deint=interlaced")
    # The picture at a time is the last one that began before it.
    chain += [f"fps=1000:start_time=0:round=up,select='{'+'.join(f'eq(n,{round(1000 * one)})' for one in at)}'"]
    if shown is not None and shown.hdr:
        chain.append(_TONE_MAP)
    chain.append(f"scale={SMALL[0]}:{SMALL[1]}:flags=area,format=rgb24")
    raw = await process.run(
        [
            *(binaries.picture_ffmpeg(), "-hide_banner", "-nostdin", "-v", "error", *options, "-i", path),
            *("-map", f"0:{stream}", "-vf", ",".join(chain), "-fps_mode", "passthrough", "-f", "rawvideo", "-"),
        ],
        timeout_seconds=300,
    )
    size = SMALL[0] * SMALL[1] * 3
    return [
        np.frombuffer(raw.stdout[start : start + size], np.uint8).astype(np.float32).reshape(SMALL[1], SMALL[0], 3)
        for start in range(0, len(raw.stdout) - size + 1, size)
    ]


def likeness(one: Pixels, other: Pixels) -> tuple[float, float]:
    """(correlation of their brightness, mean difference of their colours); flat pictures correlate wholly."""
    first, second = one.mean(axis=2), other.mean(axis=2)
    first, second = first - first.mean(), second - second.mean()
    spread = float(first.std() * second.std())
    correlation = float((first * second).mean()) / spread if spread > FLAT**2 else 1.0
    return correlation, float(np.abs(one - other).mean())


async def picture_findings(
    path: Path, source: Master, made: Variant, *, stream: str = "V:0", options: Sequence[str] = ()
) -> list[str]:
    """The top rendition shows what the master shows at the same times: upright, unmirrored, in its colours."""
    middle = source.step / 2
    # In the middle of a picture's time, so that a frame's rounding chooses no other one.
    chosen = dict.fromkeys(round(share * (len(source.times) - 1)) for share in SAMPLES)
    at = [source.times[index] + middle for index in chosen]
    expected = await pictures(path, at, shown=source, stream=stream, options=options)
    seen = await pictures(made.path, at)
    if len(seen) < len(at) or len(expected) < len(at):
        return [f"Of {len(at)} pictures the master gives {len(expected)} and the title {len(seen)}."]
    findings = []
    for time, one, other in zip(at, expected, seen, strict=True):
        correlation, difference = likeness(one, other)
        # What PQ and HLG look like in SDR is a matter of taste; where bright and dark are is not.
        if correlation < CORRELATION_MIN or (difference > DIFFERENCE_MAX and not source.hdr):
            findings.append(
                f"At {time:.3f} s the title shows another picture: correlation {correlation:.2f}, "
                f"difference {difference:.1f}."
            )
    if source.hdr and not 8 < np.mean([one.mean() for one in seen]) < 235:
        findings.append("The tone-mapped picture is black or white.")
    return findings


def colour_findings(made: Sequence[Variant]) -> list[str]:
    """Every rendition says that it is SDR, in colours that players know."""
    known = {"bt709", "smpte170m", "bt470bg"}
    return [
        f"{one.path.parent.name} says its colours are {one.colours}." for one in made if not {*one.colours} <= known
    ]


async def title_findings(
    path: Path,
    folder: Path,
    *,
    stream: str = "V:0",
    seconds: float | None = None,
    options: Sequence[str] = (),
) -> list[str]:
    """All that can be told of any film; `options` are ffmpeg's for the master."""
    source = await master(path, stream, options)
    made = await variants(folder)
    findings = [*size_findings(source, made), *time_findings(source, made, seconds=seconds), *colour_findings(made)]
    for one in made:
        findings += await undecodable(one.path)
    top = made[-1]
    frame = float(1 / top.rate)
    findings += await sound_findings(folder, frame_seconds=frame, seconds=float(top.frames / top.rate))
    return findings + await picture_findings(path, source, top, stream=stream, options=options)


async def told_times(path: Path) -> list[tuple[float, float]]:
    """(time shown, time that the bar along the bottom tells) of every frame of a rendition of `odd.picture`, in seconds."""
    times: list[float] = []

    def take(line: str) -> None:
        if "Parsed_showinfo" in line and "pts_time:" in line:
            times.append(float(line.split("pts_time:")[1].split()[0]))

    strip = "crop=iw:max(2\\,floor(ih/16)):0:ih-max(2\\,floor(ih/16)),scale=320:1:flags=area,format=gray"
    raw = await process.run(
        [
            *(binaries.picture_ffmpeg(), "-hide_banner", "-nostdin", "-i", path, "-vf", f"{strip},showinfo=checksum=0"),
            *("-fps_mode", "passthrough", "-f", "rawvideo", "-"),
        ],
        timeout_seconds=120,
        on_stderr_line=take,
    )
    rows = np.frombuffer(raw.stdout, np.uint8).astype(np.float32).reshape(-1, 320)
    light = np.clip(rows - 64, 0, None)
    centres = (light * np.arange(0.5, 320)).sum(axis=1) / np.maximum(light.sum(axis=1), 1)
    return list(zip(times, ((centres - 20) / 280 * 2).tolist(), strict=True))


async def clock_findings(made: Variant, source: Master, *, offset: float = 0.0) -> list[str]:
    """Frames of a rendition that show another moment of `odd.picture` than what the master shows then; `offset` is added to
    the master's times, where the pattern began before its first picture."""
    allowed = max(source.step, float(1 / made.rate)) + 0.02
    shown = sorted(source.times)
    wrong = []
    for time, told in await told_times(made.path):
        expected = shown[max(0, bisect_right(shown, time + 0.001) - 1)] + offset
        if abs((told - expected + 1) % 2 - 1) > allowed:
            wrong.append((time, told))
    return [
        f"{len(wrong)} of {made.frames} frames show another moment: at {one:.3f} s {two:.3f}." for one, two in wrong[:1]
    ]
