"""The checks behind the table of Apple's authoring rules (`authoring`): each reads what a title tells players. Pure.

A check returns findings without their final period. Its name says what it finds or asks for. `authoring_rates` and
`authoring_tracks` have the checks of bit rates, and of sound and text.
"""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import m3u8

from marquee.documents import PackagedStream, StreamsDocument, SubtitlesDocument
from marquee.media.package.package_reader import peak_bps
from marquee.media.package.playlists import target_duration

_NATURAL_RATES: Final = (23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0)
_VIDEO_CODECS: Final = ("avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "av01")


class Told(NamedTuple):
    """What a title tells players. `media` are the media playlists with segments by path, `sizes` the stored bytes by path."""

    streams: StreamsDocument
    subtitles: SubtitlesDocument
    master: m3u8.M3U8
    media: Mapping[str, m3u8.M3U8]
    sizes: Mapping[str, int]
    texts: Mapping[str, str]

    @property
    def tracks(self) -> list[PackagedStream]:
        """Picture and sound."""
        return [*self.streams.video, *self.streams.audio]

    @property
    def frame_seconds(self) -> float:
        """How long a frame is shown, in seconds."""
        rate = next((one.frame_rate for one in self.streams.video if one.frame_rate), None)
        return float(1 / Fraction(rate)) if rate else 0.04

    def seconds(self, name: str) -> list[float]:
        """The EXTINF durations of a media playlist."""
        return [one.duration for one in self.media[name].segments]

    def rates(self, name: str) -> tuple[int, int]:
        """(mean, peak) bits a second of a media playlist, by its durations and the stored bytes."""
        folder = name.rsplit("/", 1)[0]
        sizes = [
            int(one.byterange.partition("@")[0]) if one.byterange else self.sizes.get(f"{folder}/{one.uri}", 0)
            for one in self.media[name].segments
        ]
        seconds = self.seconds(name)
        return round(8 * sum(sizes) / sum(seconds)), peak_bps(seconds, sizes)

    def sounds(self, group: str | None) -> list[str]:
        """The playlists of an audio group."""
        return [
            one.uri
            for one in self.master.media
            if one.type == "AUDIO" and one.group_id == group and one.uri in self.media
        ]


def variants(told: Told, wrong: Callable[[m3u8.Playlist], str | None]) -> list[str]:
    found = ((one, wrong(one)) for one in told.master.playlists)
    return [f"variant {one.uri} {words}" for one, words in found if words]


def iframes(told: Told, wrong: Callable[[m3u8.IFramePlaylist], str | None]) -> list[str]:
    found = ((one, wrong(one)) for one in told.master.iframe_playlists)
    return [f"I-frame playlist {one.uri} {words}" for one, words in found if words]


def of_media(told: Told, kind: str, wrong: Callable[[m3u8.Media], str | None]) -> list[str]:
    found = ((one, wrong(one)) for one in told.master.media if kind in {"", one.type})
    return [f"{one.type.lower()} track {one.name} {words}" for one, words in found if words]


def codecs_of(one: m3u8.Playlist | m3u8.IFramePlaylist) -> list[str]:
    info = one.iframe_stream_info if isinstance(one, m3u8.IFramePlaylist) else one.stream_info
    return (info.codecs or "").split(",")


def video_codec(one: m3u8.Playlist) -> str:
    return next((codec for codec in codecs_of(one) if codec.startswith(_VIDEO_CODECS)), "")


def h264_limit(one: m3u8.Playlist) -> str | None:
    """H.264 above High profile or level 5.2, by RFC 6381's avc1.PPCCLL."""
    codec = video_codec(one)
    if not codec.startswith("avc"):
        return None
    parts = re.fullmatch(r"avc[13]\.([0-9A-Fa-f]{2})[0-9A-Fa-f]{2}([0-9A-Fa-f]{2})", codec)
    if parts is None:
        return f"has {codec}, which names no profile and level"
    profile, level = int(parts[1], 16), int(parts[2], 16)
    return None if profile in {66, 77, 88, 100} and level <= 52 else f"has {codec}, above High profile, level 5.2"


def hevc_limit(one: m3u8.Playlist) -> str | None:
    """HEVC above Main 10 profile or level 5.1, by ISO/IEC 14496-15's hvc1.P.C.TL.B."""
    codec = video_codec(one)
    if not codec.startswith(("hvc1", "hev1")):
        return None
    parts = re.fullmatch(r"hvc1\.([0-9]+)\.[0-9A-F]+\.[LH]([0-9]+)(\.[0-9A-F]+)*", codec.replace("hev1", "hvc1"))
    if parts is None:
        return f"has {codec}, which names no profile and level"
    profile, level = int(parts[1]), int(parts[2])
    return None if profile in {1, 2} and level <= 153 else f"has {codec}, above Main 10 profile, level 5.1"


def some_h264(told: Told) -> list[str]:
    """Old devices play H.264 alone."""
    found = [video_codec(one) for one in told.master.playlists]
    return ["no variant is H.264"] if found and not any(one.startswith("avc") for one in found) else []


def stored_parameters(one: m3u8.Playlist) -> str | None:
    """Parameter sets in the samples (avc3, hev1, dvhe) instead of in the sample description."""
    codec = video_codec(one)
    return f"has {codec}: its parameter sets are in the samples" if codec.startswith(("avc3", "hev1", "dvhe")) else None


def natural_rate(one: m3u8.Playlist) -> str | None:
    """A frame rate that Apple does not list."""
    rate = one.stream_info.frame_rate
    if rate is None or any(abs(rate - each) < 0.005 for each in _NATURAL_RATES):
        return None
    return f"has {rate:.3f} frames a second, which is not one of Apple's rates"


def rate_limit(one: m3u8.Playlist) -> str | None:
    """More than 60 frames a second."""
    rate = one.stream_info.frame_rate or 0
    return f"has {rate:.3f} frames a second, above 60" if rate > 60.0005 else None


def some_sdr(told: Told) -> list[str]:
    """Old devices play SDR alone; the same holds for trick play (6.16)."""
    ranges = [one.stream_info.video_range for one in told.master.playlists]
    tricks = [one.iframe_stream_info.video_range for one in told.master.iframe_playlists]
    return [
        f"no {what} is SDR"
        for what, found in (("variant", ranges), ("I-frame playlist", tricks))
        if found and not any(one in {None, "SDR"} for one in found)
    ]


def video_range(told: Told) -> list[str]:
    """Apple asks for VIDEO-RANGE where anything is not SDR; we always give it."""
    return [
        *variants(told, lambda one: missing(one.stream_info.video_range, "VIDEO-RANGE")),
        *iframes(told, lambda one: missing(one.iframe_stream_info.video_range, "VIDEO-RANGE")),
    ]


def independent_segments(told: Told) -> list[str]:
    """Every segment starts with an IDR, so the master playlist can say so."""
    return [] if told.master.is_independent_segments else ["the master playlist lacks EXT-X-INDEPENDENT-SEGMENTS"]


def aspect_ratios(told: Told) -> list[str]:
    """Different by more than rounding to even pixels explains."""
    sizes = {one.stream_info.resolution for one in told.master.playlists if one.stream_info.resolution}
    if len(sizes) < 2:
        return []
    width, height = max(sizes)
    wrong = [size for size in sizes if abs(size[0] - width * size[1] / height) > 1 + width / height]
    return [
        f"the picture of {'x'.join(map(str, size))} has another shape than {width}x{height}" for size in sorted(wrong)
    ]


def no_iframes(told: Told) -> list[str]:
    named = {one.uri for one in told.master.iframe_playlists}
    return [f"{one.name} has no I-frame playlist" for one in told.streams.video if one.iframe_playlist not in named]


def iframes_only(told: Told) -> list[str]:
    return iframes(
        told,
        lambda one: (
            None if one.uri not in told.media or told.media[one.uri].is_i_frames_only else "lacks EXT-X-I-FRAMES-ONLY"
        ),
    )


def every_idr(told: Told) -> list[str]:
    findings = []
    for one in told.streams.video:
        listed = told.media.get(one.iframe_playlist or "")
        if listed is None:
            continue
        if {segment.uri for segment in listed.segments} != {name.rsplit("/", 1)[-1] for name in one.segments}:
            findings.append(f"{one.iframe_playlist} does not name an IDR of each segment")
        if one.key_frames is not None and len(listed.segments) != one.key_frames:
            findings.append(f"{one.iframe_playlist} lists {len(listed.segments)} I-frames of {one.key_frames}")
        length, total = sum(segment.duration for segment in listed.segments), sum(one.segment_seconds)
        if abs(length - total) > told.frame_seconds:
            findings.append(f"{one.iframe_playlist} lasts {length:.3f} s instead of {total:.3f} s")
    return findings


def idr_distance(told: Told) -> list[str]:
    findings = []
    for one in told.streams.video:
        listed = told.media.get(one.iframe_playlist or "")
        longest = max((segment.duration for segment in listed.segments), default=0.0) if listed else 0.0
        if longest > 2.5:
            findings.append(f"{one.name} has key frames up to {longest:.3f} s apart, instead of two")
    return findings


def segment_lengths(told: Told) -> list[str]:
    return [
        f"{one.playlist} has segments of {max(told.seconds(one.playlist)):.3f} s instead of six"
        for one in told.tracks
        if one.playlist in told.media and len(one.segments) > 1 and not 5 <= max(told.seconds(one.playlist)) <= 7
    ]


def above_target(told: Told) -> list[str]:
    return [
        f"{name} has a segment of {max(told.seconds(name)):.3f} s, above its target duration {playlist.target_duration}"
        for name, playlist in told.media.items()
        if playlist.segments and max(told.seconds(name)) > (playlist.target_duration or 0) + 0.5 + 1e-6
    ]


def exact_target(told: Told) -> list[str]:
    """RFC 8216 4.3.3.1 asks for an upper bound; a larger one makes players that reload or buffer by it wait longer."""
    names = [one.playlist for one in told.tracks if one.playlist in told.media]
    wanted = target_duration(seconds for name in names for seconds in told.seconds(name)) if names else 0
    return [
        f"{name} has a target duration of {told.media[name].target_duration} s, and the longest segment rounds to {wanted}"
        for name in names
        if told.media[name].target_duration != wanted
    ]


def exact_durations(told: Told) -> list[str]:
    findings = []
    for one in told.tracks:
        listed = told.seconds(one.playlist) if one.playlist in told.media else []
        if len(listed) != len(one.segment_seconds):
            continue
        drift = [0.0, *accumulate(said - real for said, real in zip(listed, one.segment_seconds, strict=True))]
        if max(drift) - min(drift) > told.frame_seconds:
            findings.append(
                f"{one.playlist}: EXTINF adds up wrong by {max(drift) - min(drift):.3f} s over a run of segments"
            )
    return findings


def one_target(told: Told) -> list[str]:
    targets = {told.media[one.playlist].target_duration for one in told.tracks if one.playlist in told.media}
    return [f"picture and sound have target durations of {sorted(map(str, targets))} s"] if len(targets) > 1 else []


def same_length(told: Told) -> list[str]:
    lengths = [sum(told.seconds(one.playlist)) for one in told.tracks if one.playlist in told.media]
    # Sound is cut to packets of 1024 samples (21 ms), so a shorter frame than that cannot be met.
    allowed = max(told.frame_seconds, 1024 / 48_000) + 1e-3
    if not lengths or max(lengths) - min(lengths) <= allowed:
        return []
    return [f"the playlists last between {min(lengths):.3f} and {max(lengths):.3f} s"]


def same_boundaries(told: Told) -> list[str]:
    grids = [one.segment_seconds for one in told.streams.video]
    return (
        ["the renditions have segment boundaries at different times"] if any(a != b for a, b in pairwise(grids)) else []
    )


def vod(told: Told) -> list[str]:
    return [
        f"{name} lacks EXT-X-PLAYLIST-TYPE:VOD"
        for name, one in told.media.items()
        if (one.playlist_type or "").upper() != "VOD"
    ]


def init_segments(told: Told) -> list[str]:
    names = [one.playlist for one in told.tracks] + [one.iframe_playlist or "" for one in told.streams.video]
    return [f"{name} lacks EXT-X-MAP" for name in names if name in told.media and not told.media[name].segment_map]


def missing(value: object, name: str) -> str | None:
    return None if value else f"lacks {name}"
