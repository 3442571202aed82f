"""The tracks of a version as players get them: picture and sound in CMAF (`streams`), text in WebVTT (`subtitles`).

Each track has a media playlist in the published bucket. The stage `manifest` names all tracks in one master playlist
and one MPD, with the rates that were measured here.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from marquee.documents.plan import Codec
from marquee.documents.source import AudioRole
from marquee.notes import Note


class Colours(msgspec.Struct, frozen=True, kw_only=True):
    """The colours of a video track as the coding-independent code points of ISO/IEC 23091-2: 1 is BT.709."""

    primaries: int
    transfer: int
    matrix: int


class PackagedStream(msgspec.Struct, frozen=True, kw_only=True):
    """One CMAF track in the published bucket with its media playlist. Paths are relative to the version's prefix.

    `segment_seconds` and `segment_bytes` are measured, one entry a segment. `peak_bps` is the rate of the segment with
    the highest rate and `average_bps` the mean over the track: BANDWIDTH and AVERAGE-BANDWIDTH of RFC 8216.
    """

    kind: Literal["video", "audio"]
    name: str
    playlist: str
    iframe_playlist: str | None = None
    iframe_bandwidth: int | None = None
    iframe_average_bps: int | None = None
    key_frames: int | None = None
    """I-frames in the I-frame playlist: one a GOP. None: of an earlier release, whose playlists list one a segment."""
    init_segment: str
    segments: list[str]
    segment_seconds: list[float]
    segment_bytes: list[int]
    average_bps: int
    peak_bps: int
    codecs: str
    start_seconds: float
    codec: Codec = "h264"
    """Of a video track."""
    width: int | None = None
    height: int | None = None
    frame_rate: str | None = None
    colours: Colours | None = None
    """None: not tagged, or of an earlier release."""
    channels: int | None = None
    sample_rate: int | None = None
    language: str | None = None
    label: str | None = None
    default: bool = False
    role: AudioRole = "main"
    original: bool = False
    low: bool = False
    """Sound for slow lines: the same mix as another track, with half the bits."""


def video_by_codec(video: Sequence[PackagedStream]) -> list[list[PackagedStream]]:
    """The video tracks of each codec, from the fewest lines to the most; H.264 first, the others in their own order."""
    rising = sorted(video, key=lambda one: (one.height or 0, one.average_bps))
    codecs = dict.fromkeys(["h264", *(one.codec for one in video)])
    return [tracks for codec in codecs if (tracks := [one for one in rising if one.codec == codec])]


class StreamsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The picture and sound tracks of a version, and the bytes that they take."""

    movie_id: str
    version: int
    prefix: str
    video: list[PackagedStream]
    audio: list[PackagedStream]
    segment_frames: int
    size_bytes: int
    notes: list[Note] = []


class TextTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A WebVTT track: one file for the whole film, and an HLS playlist that names it."""

    name: str
    language: str
    label: str
    key: str
    playlist: str
    cues: int
    forced: bool = False
    default: bool = False
    hearing_impaired: bool = False
    """For viewers who hear badly: it also tells of sounds and speakers (SDH, closed captions)."""
    commentary: bool = False
    size_bytes: int | None = None
    """Bytes of the WebVTT file. None: stored by an earlier release."""


class SubtitlesDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The text tracks of a version."""

    movie_id: str
    version: int
    tracks: list[TextTrack]
    notes: list[Note] = []
