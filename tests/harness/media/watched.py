"""Measures what a viewer sees and hears of a title, from its published files alone, and compares it with the master.

The master is decoded by ffmpeg with ffmpeg's own rotation, pixel aspect and clock, never by the platform's code. Every
function whose name ends in `_findings` returns findings, one sentence each; an empty list means that the title is right.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import m3u8
import msgspec
import numpy as np

from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process
from marquee.media.text.languages import language_tag

_FRAME = re.compile(
    r"n:\s*\d+ pts:\s*\S+\s+pts_time:\s*(?P<time>\S+)\s+duration:\s*\S+\s+duration_time:\s*(?P<duration>\S+)\s.*?"
    r"sar:(?P<sar>\d+/\d+) s:(?P<size>\d+x\d+) i:(?P<fields>\S)"
)
_COLOUR = re.compile(r"color_trc:(\S+)")


class Master(NamedTuple):
    """A film as ffmpeg shows it: `width` x `height` square pixels, upright. Times are seconds from the first picture."""

    width: float
    height: float
    times: list[float]
    seconds: float
    hdr: bool
    interlaced: bool

    @property
    def step(self) -> float:
        """The median time between two pictures, in seconds."""
        steps = np.diff(np.array(self.times))
        return float(np.median(steps)) if len(steps) else 0.04


class Variant(NamedTuple):
    """One rendition of a title, joined into one file. `colours`: (matrix, transfer, primaries) as ffprobe names them."""

    path: Path
    width: int
    height: int
    frames: int
    rate: Fraction
    start: float
    colours: tuple[str, ...]


async def master(path: Path, stream: str = "V:0", options: Sequence[str] = ()) -> Master:
    """Measure how ffmpeg shows the film `path`. `options` are ffmpeg input options, `stream` is its stream specifier."""
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
    """One file of a media playlist's init segment and segments, written into the playlist's folder."""
    listed = m3u8.loads((folder / playlist).read_text())
    names = [*dict.fromkeys(part.uri for part in listed.segment_map if part is not None)]
    names += [segment.uri for segment in listed.segments]
    below = (folder / playlist).parent
    out = below / "whole.mp4"
    out.write_bytes(b"".join((below / name).read_bytes() for name in names))
    return out


async def variants(folder: Path) -> list[Variant]:
    """Every video rendition in the master playlist, the smallest first."""
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
    """The first error that ffmpeg prints while it decodes a file to its end, as a finding."""
    complaints: list[str] = []
    argv = [binaries.picture_ffmpeg(), "-hide_banner", "-nostdin", "-v", "error", "-i", path, "-f", "null", "-"]
    try:
        await process.run(argv, timeout_seconds=300, on_stderr_line=complaints.append)
    except ProcessFailed as failure:
        complaints.append(failure.detail)
    return [f"{path.parent.name} does not decode cleanly: {one}" for one in complaints[:1]]


def size_findings(source: Master, made: Sequence[Variant]) -> list[str]:
    """Renditions must have the master's shape and not be larger. The top one must be as large as 1920 x 1080 allows."""
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
    """Renditions must start at 0, last as long as the master, and be equally long.

    `seconds` is the film's true length, if ffmpeg does not know it.
    """
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
    """Every audio rendition must decode, start with the picture and last as long as the picture (`seconds`)."""
    findings = []
    for playlist in [*sounds(folder), *sounds(folder, group="low")]:
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


def sounds(folder: Path, *, group: str | None = None) -> list[str]:
    """The audio playlists in the master playlist: of this group, or of all but `low` (the same sound at a lower rate)."""
    media = m3u8.loads((folder / "master.m3u8").read_text()).media
    return list(
        dict.fromkeys(
            one.uri
            for one in media
            if one.type == "AUDIO" and (one.group_id != "low" if group is None else one.group_id == group)
        )
    )


def texts(folder: Path) -> list[str]:
    """The subtitle playlists in the master playlist."""
    media = m3u8.loads((folder / "master.m3u8").read_text()).media
    return list(dict.fromkeys(one.uri for one in media if one.type == "SUBTITLES"))


def colour_findings(made: Sequence[Variant]) -> list[str]:
    """Every rendition must be tagged as SDR, with colours that players know."""
    known = {"bt709", "smpte170m", "bt470bg"}
    return [
        f"{one.path.parent.name} is tagged with the colours {one.colours}."
        for one in made
        if not {*one.colours} <= known
    ]


async def missing_track_findings(path: Path, folder: Path) -> list[str]:
    """The title must have every audio language and as many text tracks as the master `path`."""
    streams = (await _probed(path, "-show_streams"))["streams"]
    media = m3u8.loads((folder / "master.m3u8").read_text()).media
    found = []

    def spoken(kind: str) -> list[str]:
        return [language_tag(one.get("tags", {}).get("language")) for one in streams if one["codec_type"] == kind]

    offered = {language_tag(one.language) for one in media if one.type == "AUDIO"}
    if missing := sorted({*spoken("audio")} - offered):
        found.append(f"The sound in {', '.join(missing)} is missing.")
    written = [one for one in streams if one["codec_type"] == "subtitle" and one["codec_name"] in _TEXTS]
    shown = [one for one in media if one.type == "SUBTITLES"]
    if len(shown) != len(written):
        found.append(f"Of {len(written)} tracks of text the title has {len(shown)}.")
    return found


_TEXTS = {"subrip", "ass", "ssa", "mov_text", "webvtt", "text"}
