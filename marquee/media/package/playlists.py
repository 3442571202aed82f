"""Writes a title's HLS media playlists: picture, sound, text, I-frames, thumbnails. Pure; its callers store the texts.

The packager writes media playlists of its own. They are checked (`package_reader`) and replaced, because EXTINF has only three
decimals there, and EXT-X-TARGETDURATION is rounded up: 7 for segments of 6.006 s. Here EXTINF has six decimals, so the sum of
any run of segments is exact within a frame (Apple's authoring specification 8.1), and EXT-X-TARGETDURATION is the longest
segment of picture and sound rounded to the nearest second (RFC 8216 4.3.3.1), the same in all of these playlists (8.2).
"""

import math
from collections.abc import Iterable, Sequence

import msgspec

from marquee.documents import Thumbnails, keys


class KeyFrame(msgspec.Struct, frozen=True, kw_only=True):
    """An I-frame in a segment: the bytes from its `moof` box to its end, and the seconds until the next I-frame.

    `segment` is a path relative to the title's prefix.
    """

    segment: str
    offset: int
    size_bytes: int
    seconds: float


def target_duration(seconds: Iterable[float]) -> int:
    """EXT-X-TARGETDURATION of segments that last `seconds`: the longest, rounded to the nearest integer, at least 1.

    Half a second is rounded up: Python's `round` would make 6 of 6.5.
    """
    return max(1, math.floor(max(seconds) + 0.5 + 1e-9))


def media_playlist(segments: Sequence[str], seconds: Sequence[float], target_seconds: int) -> str:
    """The playlist of a CMAF track. `segments` are paths; the playlist stands in their folder."""
    lines = [*_head(6, target_seconds), f'#EXT-X-MAP:URI="{keys.INIT_SEGMENT}"']
    for name, each in zip(segments, seconds, strict=True):
        lines += [_extinf(each), _file_name(name)]
    return _text(lines)


def iframe_playlist(frames: Sequence[KeyFrame]) -> str:
    """The playlist of a video track's I-frames, for scrubbing and fast playback (RFC 8216 4.3.3.6)."""
    lines = [*_head(6, target_duration(one.seconds for one in frames)), "#EXT-X-I-FRAMES-ONLY"]
    lines.append(f'#EXT-X-MAP:URI="{keys.INIT_SEGMENT}"')
    for one in frames:
        lines += [_extinf(one.seconds), f"#EXT-X-BYTERANGE:{one.size_bytes}@{one.offset}", _file_name(one.segment)]
    return _text(lines)


def thumbnail_playlist(thumbnails: Thumbnails) -> str:
    """The playlist of the sprite sheets: the image playlists of Roku, which Shaka Player and others read too.

    EXT-X-TILES stands before every sheet: Shaka Player reads it there alone.
    """
    lines = [*_head(7, target_duration(thumbnails.sheet_seconds)), "#EXT-X-IMAGES-ONLY"]
    size, layout = f"{thumbnails.tile_width}x{thumbnails.tile_height}", f"{thumbnails.columns}x{thumbnails.rows}"
    for name, seconds in zip(thumbnails.sheets, thumbnails.sheet_seconds, strict=True):
        lines.append(f"#EXT-X-TILES:RESOLUTION={size},LAYOUT={layout},DURATION={thumbnails.tile_seconds:g}")
        lines += [_extinf(seconds), _file_name(name)]
    return _text(lines)


def text_playlist(duration_seconds: float) -> str:
    """The playlist of a text track: one WebVTT file, as long as the picture."""
    return _text([*_head(6, target_duration([duration_seconds])), _extinf(duration_seconds), keys.CAPTIONS])


def _head(version: int, target_seconds: int) -> list[str]:
    # Version 6: needed for EXT-X-MAP in an ordinary playlist.
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{version}",
        f"#EXT-X-TARGETDURATION:{target_seconds}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]


def _extinf(seconds: float) -> str:
    return f"#EXTINF:{seconds:.6f},"


def _file_name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _text(lines: Sequence[str]) -> str:
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"
