"""Writes a title's DASH MPD over the same segments as HLS. Pure; callers use it as `manifest.mpd`.

The MPD is static, of the ISO BMFF live profile. Segments are addressed by number; the SegmentTimeline gives their exact times
in each track's own timescale. Text tracks are whole WebVTT files. Every URI is relative: see `manifest`, which says why.
"""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from marquee.documents import (
    AudioRole,
    PackagedStream,
    StreamsDocument,
    SubtitlesDocument,
    TextTrack,
    Thumbnails,
    keys,
    video_by_codec,
)
from marquee.media.encode.join import video_timescale
from marquee.media.package.package_reader import peak_bps
from marquee.media.text.languages import UNKNOWN

NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, also not escaped: one in a label would make the MPD unreadable."""

_CODE_POINTS: Final = "urn:mpeg:mpegB:cicp"


def _add(parent: ET.Element, tag: str, **attributes: str | int | None) -> ET.Element:
    """Append an element to `parent`. Attributes that are None are left out."""
    return ET.SubElement(parent, tag, {name: str(value) for name, value in attributes.items() if value is not None})


def _adaptation_set(
    period: ET.Element,
    *,
    kind: str,
    mime_type: str,
    roles: Sequence[str],
    label: str | None,
    language: str | None,
    purpose: int | None = None,
    properties: Mapping[str, int | str] = MappingProxyType({}),
) -> ET.Element:
    """Append an AdaptationSet, with its children in the schema's order: properties, Label, Accessibility, Role.

    `purpose` is a term of TV-Anytime's AudioPurposeCS: 1 for viewers who see badly, 2 for viewers who hear badly.
    """
    adaptation = _add(
        period,
        "AdaptationSet",
        id=len(period) + 1,
        contentType=kind,
        lang=None if language in {None, UNKNOWN} else language,
        mimeType=mime_type,
        segmentAlignment=None if kind == "text" else "true",
        startWithSAP=None if kind == "text" else 1,
    )
    for scheme, number in properties.items():
        # Supplemental: a player that does not know the property plays the set all the same.
        _add(adaptation, "SupplementalProperty", schemeIdUri=scheme, value=number)
    if label:
        _add(adaptation, "Label").text = NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", label)
    if purpose is not None:
        _add(adaptation, "Accessibility", schemeIdUri="urn:tva:metadata:cs:AudioPurposeCS:2007", value=purpose)
    for value in roles:
        _add(adaptation, "Role", schemeIdUri="urn:mpeg:dash:role:2011", value=value)
    return adaptation


def _segments(representation: ET.Element, one: PackagedStream, timescale: int) -> None:
    """Adds the SegmentTemplate with the exact timeline. A run of segments of equal length is one entry."""
    template = _add(
        representation,
        "SegmentTemplate",
        timescale=timescale,
        initialization=one.init_segment,
        media=one.init_segment.rsplit("/", 1)[0] + f"/{keys.SEGMENT_TEMPLATE}",
        startNumber=1,
    )
    timeline = _add(template, "SegmentTimeline")
    last: ET.Element | None = None
    for ticks in (round(seconds * timescale) for seconds in one.segment_seconds):
        if last is not None and last.get("d") == str(ticks):
            last.set("r", str(int(last.get("r", "0")) + 1))
            continue
        start = round(one.start_seconds * timescale) if last is None else None
        last = _add(timeline, "S", t=start, d=ticks)


def _colour_properties(video: Sequence[PackagedStream]) -> dict[str, int]:
    """The colours that all renditions have, by scheme (ISO/IEC 23091-2). Empty if they differ or are unknown."""
    found = {one.colours for one in video}
    colours = found.pop() if len(found) == 1 else None
    if colours is None:
        return {}
    return {
        f"{_CODE_POINTS}:ColourPrimaries": colours.primaries,
        f"{_CODE_POINTS}:TransferCharacteristics": colours.transfer,
        f"{_CODE_POINTS}:MatrixCoefficients": colours.matrix,
    }


_SWITCHING: Final = "urn:mpeg:dash:adaptation-set-switching:2016"


def _video(period: ET.Element, video: list[PackagedStream], others: Sequence[int]) -> None:
    """The AdaptationSet of one codec. `others`: the ids of the other codecs' sets, between which a player may switch.

    All codecs share segment boundaries, and each segment starts with a key frame: DASH-IF's guidelines, 3.8.
    """
    switching = {_SWITCHING: ",".join(map(str, others))} if others else {}
    adaptation = _adaptation_set(
        period,
        kind="video",
        mime_type="video/mp4",
        roles=["main"],
        label=None,
        language=None,
        properties={**_colour_properties(video), **switching},
    )
    for one in sorted(video, key=lambda each: each.average_bps):
        representation = _add(
            adaptation,
            "Representation",
            id=f"video-{one.name}",
            bandwidth=one.peak_bps,
            codecs=one.codecs,
            width=one.width,
            height=one.height,
            frameRate=one.frame_rate,
            sar="1:1",
        )
        _segments(representation, one, video_timescale(Fraction(one.frame_rate or "25/1")))


_SOUND_ROLES: Final[dict[AudioRole, str]] = {
    "commentary": "commentary",
    "description": "description",
    "clear-dialogue": "enhanced-audio-intelligibility",
    "no-dialogue": "supplementary",
}
_SOUND_PURPOSES: Final[dict[AudioRole, int]] = {"description": 1, "clear-dialogue": 2}


def audio_roles(one: PackagedStream, default_language: str | None) -> list[str]:
    """The values of Role (urn:mpeg:dash:role:2011) of a sound track.

    `main` is the default track and no other. The film's sound in another language is a `dub`, unless it is the original; a
    second track of the same language is an `alternate`.
    """
    if one.role in _SOUND_ROLES:
        return ["main", _SOUND_ROLES[one.role]] if one.default else [_SOUND_ROLES[one.role]]
    if one.default:
        return ["main", "dub"] if one.role == "dub" else ["main"]
    other_language = one.language != default_language and not one.original
    return ["dub"] if one.role == "dub" or other_language else ["alternate"]


def _audio(period: ET.Element, tracks: Sequence[PackagedStream], default_language: str | None) -> None:
    """One AdaptationSet of one mix in one layout: for ordinary lines and for slow ones, the lower rate first."""
    one = tracks[0]
    adaptation = _adaptation_set(
        period,
        kind="audio",
        mime_type="audio/mp4",
        roles=audio_roles(one, default_language),
        label=one.label,
        language=one.language,
        purpose=_SOUND_PURPOSES.get(one.role),
    )
    for each in sorted(tracks, key=lambda track: track.average_bps):
        rate = each.sample_rate or 48_000
        representation = _add(
            adaptation,
            "Representation",
            id=f"audio-{each.name}",
            bandwidth=each.peak_bps,
            codecs=each.codecs,
            audioSamplingRate=rate,
        )
        scheme = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
        _add(representation, "AudioChannelConfiguration", schemeIdUri=scheme, value=each.channels)
        _segments(representation, each, rate)


def _with_low(audio: Sequence[PackagedStream]) -> list[list[PackagedStream]]:
    """Each track for ordinary lines, with the one of the same mix for slow lines. No two mixes have one label and role."""

    def mix(one: PackagedStream) -> tuple[object, ...]:
        return (one.language, one.label, one.role, one.channels)

    low = {mix(one): one for one in audio if one.low}
    return [[one, low[mix(one)]] if mix(one) in low else [one] for one in audio if not one.low]


def _text(period: ET.Element, track: TextTrack, duration_seconds: float) -> None:
    role = "forced-subtitle" if track.forced else "caption" if track.hearing_impaired else "subtitle"
    adaptation = _adaptation_set(
        period,
        kind="text",
        mime_type="text/vtt",
        roles=[role, "commentary"] if track.commentary else [role],
        label=track.label,
        language=track.language,
        purpose=2 if track.hearing_impaired else None,
    )
    # The whole file is one segment, as long as the film.
    bandwidth = math.ceil(8 * (track.size_bytes or 0) / duration_seconds) if duration_seconds else 0
    representation = _add(adaptation, "Representation", id=f"text-{track.name}", bandwidth=max(1000, bandwidth))
    _add(representation, "BaseURL").text = track.key


def _thumbnails(period: ET.Element, thumbnails: Thumbnails) -> None:
    """The sprite sheets as tiles (DASH-IF's guidelines, 6.2.6). A player that does not know the property must leave the set out.

    `duration` is that of a full sheet: a tile's time is its share of it. The end of the film cuts the last sheet.
    """
    adaptation = _add(period, "AdaptationSet", id=len(period) + 1, contentType="image", mimeType="image/jpeg")
    representation = _add(
        adaptation,
        "Representation",
        id="thumbnails",
        bandwidth=peak_bps(thumbnails.sheet_seconds, thumbnails.sheet_bytes),
        width=thumbnails.columns * thumbnails.tile_width,
        height=thumbnails.rows * thumbnails.tile_height,
    )
    grid = f"{thumbnails.columns}x{thumbnails.rows}"
    _add(representation, "EssentialProperty", schemeIdUri="http://dashif.org/guidelines/thumbnail_tile", value=grid)
    _add(
        representation,
        "SegmentTemplate",
        timescale=1000,
        duration=round(sheet_seconds(thumbnails) * 1000),
        media=f"{keys.THUMBNAILS_FOLDER}/{keys.THUMBNAIL_TEMPLATE}",
        startNumber=1,
    )


def sheet_seconds(thumbnails: Thumbnails) -> float:
    """The time that a full sheet covers."""
    return thumbnails.columns * thumbnails.rows * thumbnails.tile_seconds


_SEGMENT_SECONDS_OF_NOTHING: Final = 6.0


def _duration(seconds: float) -> str:
    """An xs:duration, never shorter than `seconds`: microseconds, rounded up."""
    return f"PT{math.ceil(seconds * 1e6 - 1e-3) / 1e6:.6f}S"


def mpd(streams: StreamsDocument, subtitles: SubtitlesDocument, thumbnails: Thumbnails | None = None) -> str:
    """The MPD of a title, as XML text with its declaration.

    `maxSegmentDuration` covers every representation: a text track is one file, so one segment as long as the film,
    and a sheet of thumbnails covers minutes.
    `minBufferTime` is the longest segment of picture and sound: at the stated bandwidth it holds one segment of each.
    """
    duration = max((sum(one.segment_seconds) for one in streams.video), default=0.0)
    longest = max(
        (max(one.segment_seconds) for one in [*streams.video, *streams.audio]), default=_SEGMENT_SECONDS_OF_NOTHING
    )
    whole = [duration if subtitles.tracks else 0.0, sheet_seconds(thumbnails) if thumbnails else 0.0]
    root = ET.Element(
        "MPD",
        {
            "xmlns": "urn:mpeg:dash:schema:mpd:2011",
            "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
            "type": "static",
            "mediaPresentationDuration": _duration(duration),
            "maxSegmentDuration": _duration(max(longest, *whole)),
            "minBufferTime": _duration(longest),
        },
    )
    period = _add(root, "Period", id=0, start="PT0S")
    codecs = video_by_codec(streams.video)
    numbers = range(1, len(codecs) + 1)
    for number, tracks in zip(numbers, codecs, strict=True):
        _video(period, tracks, [other for other in numbers if other != number])
    default_language = next((one.language for one in streams.audio if one.default), None)
    for tracks in _with_low(streams.audio):
        _audio(period, tracks, default_language)
    for track in subtitles.tracks:
        _text(period, track, duration)
    if thumbnails:
        _thumbnails(period, thumbnails)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
