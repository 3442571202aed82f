"""Reads back what the packager wrote: exact segment times from its MPD, sizes from the files, bit rates from both.

EXTINF has only three decimals. So exact durations come from the MPD's SegmentTimeline, in ticks of the track's own timescale,
and the media playlists are only checked against it. Rates follow RFC 8216 (4.3.4.2): BANDWIDTH is the largest rate over runs of
segments of 0.5 to 1.5 target durations, AVERAGE-BANDWIDTH the mean of the whole track. I-frames are read from the packager's
I-frame playlist and checked against the bytes. `packager` reads the result.
"""

import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path

import m3u8
import msgspec

from marquee.documents import keys
from marquee.errors import ProcessFailed
from marquee.media.package.playlists import KeyFrame, target_duration

_DASH = {"d": "urn:mpeg:dash:schema:mpd:2011"}


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """A packaged track. Paths are relative to the title's prefix, times are seconds, sizes bytes."""

    folder: str
    init_segment: str
    segments: list[str]
    segment_seconds: list[float]
    segment_bytes: list[int]
    start_seconds: float
    codecs: str
    sample_rate: int | None = None

    @property
    def average_bps(self) -> int:
        """Mean bits a second of the whole track."""
        return round(8 * sum(self.segment_bytes) / sum(self.segment_seconds))

    @property
    def peak_bps(self) -> int:
        """See the function `peak_bps`."""
        return peak_bps(self.segment_seconds, self.segment_bytes)


def peak_bps(seconds: list[float], sizes: list[int]) -> int:
    """The largest rate, in bits a second, of a contiguous run of segments of 0.5 to 1.5 target durations (RFC 8216 4.3.4.2).

    `seconds` and `sizes` (bytes) are those of the segments, in order. A last segment shorter than half a target duration counts
    only together with its neighbours. A title without a run of that length has its mean rate.
    """
    target = target_duration(seconds)
    largest = 0.0
    for first in range(len(seconds)):
        length, size = 0.0, 0
        for each_seconds, each_size in zip(seconds[first:], sizes[first:], strict=True):
            length, size = length + each_seconds, size + each_size
            if length > 1.5 * target:
                break
            if length >= 0.5 * target:
                largest = max(largest, 8 * size / length)
    return round(largest or 8 * sum(sizes) / sum(seconds))


def read_tracks(folder: Path, mpd: Path) -> dict[str, Track]:
    """Every track by its folder (`video/540p`), as the packager's MPD lists it, with the sizes of its files.

    Raises `ProcessFailed` if a playlist and the MPD disagree, if segments leave a gap, or if a file is missing.
    """
    tracks: dict[str, Track] = {}
    # The packager has just written this file: no outsider can have changed it.
    root = ET.parse(mpd).getroot()  # noqa: S314
    for representation in root.iterfind(".//d:Representation", _DASH):
        template = representation.find("d:SegmentTemplate", _DASH)
        if template is None:
            raise ProcessFailed(f"The packager's {mpd.name} lists a track without segments.")
        track = _track(folder, representation, template)
        _check_playlist(folder, track)
        tracks[track.folder] = track
    return tracks


def _track(folder: Path, representation: ET.Element, template: ET.Element) -> Track:
    timescale = int(template.attrib["timescale"])
    times: list[int] = []
    ticks: list[int] = []
    for run in template.iterfind("d:SegmentTimeline/d:S", _DASH):
        start = int(run.get("t", times[-1] + ticks[-1] if times else 0))
        duration = int(run.attrib["d"])
        for repeat in range(int(run.get("r", "0")) + 1):
            times.append(start + repeat * duration)
            ticks.append(duration)
    number = int(template.get("startNumber", "1"))
    names = [_numbered(template.attrib["media"], number + index) for index in range(len(ticks))]
    for index in range(1, len(times)):
        if times[index] != times[index - 1] + ticks[index - 1]:
            raise ProcessFailed(f"{names[index]} does not start where the segment before it ends.")
    sizes = []
    for name in names:
        path = folder / name
        if not path.is_file():
            raise ProcessFailed(f"The packager lists {name}, but the file is missing.")
        sizes.append(path.stat().st_size)
    rate = representation.get("audioSamplingRate")
    return Track(
        folder=str(Path(template.attrib["initialization"]).parent),
        init_segment=template.attrib["initialization"],
        segments=names,
        segment_seconds=[one / timescale for one in ticks],
        segment_bytes=sizes,
        start_seconds=times[0] / timescale if times else 0.0,
        codecs=representation.attrib["codecs"],
        sample_rate=int(rate) if rate else None,
    )


def _numbered(template: str, number: int) -> str:
    return re.sub(r"\$Number(?:%0(\d+)d)?\$", lambda match: str(number).zfill(int(match.group(1) or 0)), template)


def _check_playlist(folder: Path, track: Track) -> None:
    """Raise `ProcessFailed` if the track's media playlist lists other segments or durations (within 1 ms) than the MPD."""
    path = folder / track.folder / keys.PLAYLIST
    playlist = m3u8.loads(path.read_text())
    listed = [f"{track.folder}/{segment.uri}" for segment in playlist.segments]
    if listed != track.segments:
        raise ProcessFailed(f"{track.folder}/{keys.PLAYLIST} and the packager's MPD list different segments.")
    for segment, seconds in zip(playlist.segments, track.segment_seconds, strict=True):
        if abs(segment.duration - seconds) > 0.001:
            raise ProcessFailed(
                f"{track.folder}/{segment.uri} lasts {seconds:.4f} s, but its EXTINF says {segment.duration} s."
            )


def read_key_frames(
    folder: Path, playlist: str, *, total_frames: int, gop_frames: int, rate: Fraction
) -> list[KeyFrame]:
    """The I-frames of a packaged video track, in order, one a GOP. `playlist` is the packager's I-frame playlist.

    Raises `ProcessFailed` if there is not exactly one a GOP, or if a byte range does not begin with a `moof` box: without that
    box a player cannot decode the frame (Apple's authoring specification 6.10).
    """
    listed = m3u8.loads((folder / playlist).read_text()).segments
    starts = range(0, total_frames, gop_frames)
    if len(listed) != len(starts):
        raise ProcessFailed(
            f"{playlist} lists {len(listed)} I-frames instead of the plan's {len(starts)}: key frames are not on the GOP grid."
        )
    frames = []
    for start, one in zip(starts, listed, strict=True):
        size, _, offset = (one.byterange or "").partition("@")
        segment = f"{playlist.rsplit('/', 1)[0]}/{one.uri}"
        if not size.isdigit() or not offset.isdigit() or not _is_moof(folder / segment, int(offset)):
            raise ProcessFailed(
                f"{playlist}: the byte range {one.byterange} of {one.uri} does not begin with a moof box."
            )
        frames.append(
            KeyFrame(
                segment=segment,
                offset=int(offset),
                size_bytes=int(size),
                seconds=float(min(gop_frames, total_frames - start) / rate),
            )
        )
    return frames


def _is_moof(path: Path, offset: int) -> bool:
    with path.open("rb") as segment:
        segment.seek(offset)
        return segment.read(8)[4:] == b"moof"
