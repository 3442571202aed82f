"""What a title's page tells of a version before it is played: picture quality, sound and subtitle tracks.

Made of the documents of `streams` and `subtitles`. The stage `title` stores it in the title's row, so that a title is one read.
"""

import msgspec

from marquee.documents.plan import Codec
from marquee.documents.source import AudioRole
from marquee.documents.tracks import StreamsDocument, SubtitlesDocument, video_by_codec


class OfferedPicture(msgspec.Struct, frozen=True, kw_only=True):
    """The best rendition, in H.264. `name` is its rung: `1080p`. `codecs`: all that the version
    has, H.264 first; empty in a version of an earlier release, which has H.264 alone.
    """

    name: str
    width: int
    height: int
    codecs: list[Codec] = []


class OfferedSound(msgspec.Struct, frozen=True, kw_only=True):
    """A sound track. `language` is a BCP 47 tag, `und` if it is unknown; `label` is its name in a player's menu."""

    language: str
    label: str
    channels: int
    role: AudioRole = "main"


class OfferedText(msgspec.Struct, frozen=True, kw_only=True):
    """A subtitle track, with the same language and label."""

    language: str
    label: str
    forced: bool = False
    hearing_impaired: bool = False
    commentary: bool = False


class OfferedTracks(msgspec.Struct, frozen=True, kw_only=True):
    """A version's picture, sound and text, in the order in which players list the tracks."""

    picture: OfferedPicture | None
    sound: list[OfferedSound]
    text: list[OfferedText]


def offered_tracks(streams: StreamsDocument, subtitles: SubtitlesDocument) -> OfferedTracks:
    """What these tracks offer."""
    by_codec = video_by_codec(streams.video)
    best = by_codec[0][-1] if by_codec else None
    return OfferedTracks(
        picture=None
        if best is None
        else OfferedPicture(
            name=best.name,
            width=best.width or 0,
            height=best.height or 0,
            codecs=[tracks[0].codec for tracks in by_codec],
        ),
        sound=[
            OfferedSound(
                language=one.language or "und",
                label=one.label or one.language or one.name,
                channels=one.channels or 2,
                role=one.role,
            )
            for one in streams.audio
            if not one.low
        ],
        text=[
            OfferedText(
                language=one.language,
                label=one.label,
                forced=one.forced,
                hearing_impaired=one.hearing_impaired,
                commentary=one.commentary,
            )
            for one in subtitles.tracks
        ],
    )
