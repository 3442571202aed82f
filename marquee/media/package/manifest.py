"""Writes the two files that a player opens first: the HLS master playlist here, the DASH MPD in `dash`. Pure.

Reads the documents of `streams` and `subtitles`. The stage `manifest` stores the texts last, as `master.m3u8` and `manifest.mpd`
below the title's prefix. Every URI is relative: the edge's address and the viewer's token are in the path of the stream URL,
and so also hold for every file below it. Rates are measured, not planned: BANDWIDTH is the video's peak plus the audio group's
largest peak; AVERAGE-BANDWIDTH is the sum of the means. H.264 comes first, the other codecs after it: each player takes what its
CODECS say it can decode, and one that starts with the first variant can play it.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from marquee.documents import PackagedStream, StreamsDocument, SubtitlesDocument, Thumbnails, video_by_codec
from marquee.domain.ladder import PEAK_FACTOR
from marquee.media.package.dash import mpd
from marquee.media.package.package_reader import peak_bps
from marquee.media.text.languages import UNKNOWN

__all__ = ["audio_groups", "master_playlist", "mpd", "ordered_variants", "variants_of_groups"]

FIRST_VARIANT_BPS: Final = 730_000
"""Average video rate of the first variant in the list: a player that has measured nothing yet starts with it. Apple's authoring
specification names 2 Mbit/s for Wi-Fi (1.32a) and 730 kbit/s for mobile lines (1.32b). A server cannot know the line, and a
wrong guess costs more on the slow one: the first six seconds take 8 s at 2 Mbit/s on a line of 1.5 Mbit/s, and 3.5 s at
730 kbit/s. On a fast line a player leaves the first variant after one segment."""
_VIDEO_RANGE: Final = "SDR"
"""Every rendition is SDR: HDR sources are tone-mapped (`marquee.media.encode.filters`)."""
_SUBTITLES_GROUP: Final = "text"
_TRANSCRIBES: Final = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
"""CHARACTERISTICS of subtitles for viewers who hear badly (RFC 8216 4.3.4.1, Apple's authoring specification 4.5)."""


def audio_groups(streams: StreamsDocument) -> dict[str, list[PackagedStream]]:
    """Audio renditions by HLS group: `stereo`, `low`, and `surround` if any language has 5.1. Empty for a title without audio.

    Each group holds every language, so that the choice of languages depends neither on the loudspeakers nor on the line. A
    language without 5.1 has its stereo rendition in `surround` too. `low` is missing in titles of earlier releases, and in films
    of one segment: nothing is left to adapt there, and hls.js 1.7 stalled at the end after a change of group inside that segment.
    """
    full = [one for one in streams.audio if not one.low]
    stereo = [one for one in full if (one.channels or 0) < 6]
    surround = [one for one in full if (one.channels or 0) >= 6]
    low = [one for one in streams.audio if one.low]
    groups: dict[str, list[PackagedStream]] = {}
    if stereo:
        groups["stereo"] = stereo
    if stereo and len(low) == len(stereo) and len(stereo[0].segments) > 1:
        groups["low"] = low
    if surround:
        names = {(one.label, one.language) for one in surround}
        groups["surround"] = [one for one in full if one in surround or (one.label, one.language) not in names]
    return groups


def variants_of_groups(streams: StreamsDocument) -> list[tuple[str, list[PackagedStream], PackagedStream]]:
    """(audio group, its members, video track) of every variant, in the order of the master playlist.

    The lowest rung of each codec has the group `low` instead of `stereo`: on a line of 0.3 Mbit/s, sound of 128 kbit/s would take
    half. That variant keeps its rung's place: a player starts with the first variant, which must not be a higher rung.
    A codec of one rung has both. The group `surround` has every rung: players do not leave 5.1 for a slow line.
    """
    groups = audio_groups(streams)
    codecs = [ordered_variants(tracks) for tracks in video_by_codec(streams.video)]
    if not groups:
        return [("", [], one) for ordered in codecs for one in ordered]
    low = groups.pop("low", None)
    return [
        variant
        for group, members in groups.items()
        for ordered in codecs
        for variant in _variants_of_codec(ordered, group, members, low if group == "stereo" else None)
    ]


def _variants_of_codec(
    ordered: list[PackagedStream], group: str, members: list[PackagedStream], low: list[PackagedStream] | None
) -> list[tuple[str, list[PackagedStream], PackagedStream]]:
    """The variants of one codec with one audio group; its lowest rung has `low`."""
    lowest = min(ordered, key=lambda one: one.average_bps)
    found = []
    for one in ordered:
        has_low = one is lowest and low is not None
        if not has_low or len(ordered) == 1:
            found.append((group, members, one))
        if has_low and low is not None:
            found.append(("low", low, one))
    return found


def ordered_variants(video: Sequence[PackagedStream]) -> list[PackagedStream]:
    """The variants of one codec in the order of the master playlist.

    First the best one whose peak is at most a tenth above that of a rung of `FIRST_VARIANT_BPS` (or the lowest one), then the
    others from low to high.
    """
    rising = sorted(video, key=lambda one: one.average_bps)
    if not rising:
        return []
    fitting = [one for one in rising if one.peak_bps <= FIRST_VARIANT_BPS * PEAK_FACTOR * 1.1]
    first = fitting[-1] if fitting else rising[0]
    return [first, *(one for one in rising if one is not first)]


def _attributes(**values: str | int | None) -> str:
    """An HLS attribute list. Underscores in names become hyphens; values that are None are left out."""
    return ",".join(f"{name.replace('_', '-')}={value}" for name, value in values.items() if value is not None)


def _quoted(text: str | None) -> str | None:
    """A quoted-string of RFC 8216 4.2. It cannot hold quotes or line breaks, so they are replaced."""
    return None if text is None else '"' + text.replace('"', "'").replace("\n", " ").replace("\r", " ") + '"'


_SOUND_CHARACTERISTICS: Final[dict[str, str]] = {
    "description": "public.accessibility.describes-video",
    "clear-dialogue": "public.accessibility.enhances-speech-intelligibility",
    "commentary": "public.auxiliary-content",
    "dub": "public.translation.dubbed",
}
"""CHARACTERISTICS of a sound track by its role: Apple's media characteristics."""
_CHOSEN_BY_PREFERENCE: Final = frozenset({"main", "dub", "description", "clear-dialogue"})
"""AUTOSELECT=YES lets a player choose by the system's language and accessibility settings. Apple's authoring specification
asks for it on descriptions. A commentary is only ever chosen by hand."""


def _media(one: PackagedStream, group: str) -> str:
    characteristics = _SOUND_CHARACTERISTICS.get(one.role) or ("public.original-content" if one.original else None)
    return "#EXT-X-MEDIA:" + _attributes(
        TYPE="AUDIO",
        GROUP_ID=_quoted(group),
        NAME=_quoted(one.label),
        LANGUAGE=_quoted(one.language or UNKNOWN),
        DEFAULT="YES" if one.default else "NO",
        AUTOSELECT="YES" if one.default or one.role in _CHOSEN_BY_PREFERENCE else "NO",
        CHARACTERISTICS=_quoted(characteristics),
        CHANNELS=_quoted(str(one.channels)),
        URI=_quoted(one.playlist),
    )


def _codecs(*parts: str) -> str | None:
    return _quoted(",".join(dict.fromkeys(parts)))


def _frame_rate(one: PackagedStream) -> str:
    return f"{float(Fraction(one.frame_rate or '0')):.3f}"


def master_playlist(
    streams: StreamsDocument, subtitles: SubtitlesDocument, thumbnails: Thumbnails | None = None
) -> str:
    """The HLS master playlist of a title, as text."""
    # Version 7: needed for EXT-X-MAP in the media playlists (fragmented MP4) and for CHANNELS in EXT-X-MEDIA.
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS", ""]
    groups = audio_groups(streams)
    for group, members in groups.items():
        lines += [_media(one, group) for one in members]
    for track in subtitles.tracks:
        lines.append(
            "#EXT-X-MEDIA:"
            + _attributes(
                TYPE="SUBTITLES",
                GROUP_ID=_quoted(_SUBTITLES_GROUP),
                NAME=_quoted(track.label),
                LANGUAGE=_quoted(track.language),
                DEFAULT="YES" if track.default else "NO",
                AUTOSELECT="NO" if track.commentary else "YES",
                FORCED="YES" if track.forced else "NO",
                CHARACTERISTICS=_quoted(_TRANSCRIBES if track.hearing_impaired else None),
                URI=_quoted(track.playlist),
            )
        )
    lines.append("")
    for group, members, one in variants_of_groups(streams):
        lines += [
            "#EXT-X-STREAM-INF:"
            + _attributes(
                BANDWIDTH=one.peak_bps + max((each.peak_bps for each in members), default=0),
                AVERAGE_BANDWIDTH=one.average_bps + max((each.average_bps for each in members), default=0),
                CODECS=_codecs(one.codecs, *(each.codecs for each in members)),
                RESOLUTION=f"{one.width}x{one.height}",
                FRAME_RATE=_frame_rate(one),
                VIDEO_RANGE=_VIDEO_RANGE,
                AUDIO=_quoted(group or None),
                SUBTITLES=_quoted(_SUBTITLES_GROUP) if subtitles.tracks else None,
                CLOSED_CAPTIONS="NONE",
            ),
            one.playlist,
        ]
    lines.append("")
    lines += [
        "#EXT-X-I-FRAME-STREAM-INF:"
        + _attributes(
            BANDWIDTH=one.iframe_bandwidth or one.peak_bps,
            AVERAGE_BANDWIDTH=one.iframe_average_bps,
            CODECS=_codecs(one.codecs),
            RESOLUTION=f"{one.width}x{one.height}",
            VIDEO_RANGE=_VIDEO_RANGE,
            URI=_quoted(one.iframe_playlist),
        )
        for tracks in video_by_codec(streams.video)
        for one in ordered_variants(tracks)
        if one.iframe_playlist
    ]
    if thumbnails:
        # An extension of Roku that Shaka Player and others read. RFC 8216 6.3.1: a client ignores tags that it does not know.
        lines.append(
            "#EXT-X-IMAGE-STREAM-INF:"
            + _attributes(
                BANDWIDTH=peak_bps(thumbnails.sheet_seconds, thumbnails.sheet_bytes),
                RESOLUTION=f"{thumbnails.tile_width}x{thumbnails.tile_height}",
                CODECS=_quoted("jpeg"),
                URI=_quoted(thumbnails.playlist),
            )
        )
    return "\n".join(lines).rstrip("\n") + "\n"
