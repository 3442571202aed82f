"""Decides which picture streams of a file may become the title, and in which order they are tried.

A file without a moving picture is shown by its cover: an album, a podcast, a song. Next: `judge` decodes the first streams of
the list, and `stills` decides how long a picture that stands still is shown.
"""

from pathlib import Path
from typing import Final

from marquee.errors import SourceRefused
from marquee.media.encode.filters import colour_name
from marquee.media.source import dolby_vision, recognise
from marquee.media.source.probe import SOUND_CONTAINERS, Probe, Stream

_FRONT: Final = "front"
"""ID3 and FLAC name the kind of each picture in its comment: "Cover (front)"."""


def picture_streams(path: Path, probed: Probe) -> list[Stream]:
    """The picture streams, the likeliest title first: moving before still, then the default stream, then the largest.
    Dolby Vision without a base layer comes last: one of the others may be shown.

    Covers are candidates only if there is no other picture, the front cover first. Raises `SourceRefused` where no stream is
    left, or where a cover has no sound.
    """
    pictures = [stream for stream in probed.of_kind("video") if not stream.attached_picture]
    if pictures:
        return sorted(
            pictures,
            key=lambda one: (
                one.frames_claimed == 1,
                _is_unshowable(one),
                not one.default,
                -one.width * one.height,
                one.index,
            ),
        )
    sounds = bool(probed.of_kind("audio"))
    if covers := probed.of_kind("video"):
        if not sounds:
            raise SourceRefused("The file has a cover picture, but neither film nor sound: upload a film.")
        return sorted(covers, key=lambda one: (_FRONT not in one.comment.lower(), -one.width * one.height, one.index))
    if probed.container in SOUND_CONTAINERS and not recognise.is_sound(path):
        # ffmpeg finds a little MP3 or AAC in many files that are neither.
        raise SourceRefused(recognise.why_unreadable(path))
    if sounds:
        raise SourceRefused(
            "The file has only sound and no picture: add a cover picture to it, which is then shown while it plays, "
            "or upload a film."
        )
    if probed.container.startswith("mov"):
        raise SourceRefused("The file has no picture: it is cut off after its header, or is not a film. Copy it again.")
    raise SourceRefused("The file has no picture: upload a film.")


def _claimed_colours(stream: Stream) -> list[str | None]:
    return [colour_name(one) for one in (stream.color_space, stream.color_primaries, stream.color_transfer)]


def _is_unshowable(stream: Stream) -> bool:
    vision = stream.dolby_vision
    return vision is not None and dolby_vision.base_layer(vision, _claimed_colours(stream)) is None


def check_base_layer(stream: Stream) -> None:
    """Raise `SourceRefused`, before anything is decoded, where the container's record leaves no picture that can be shown.

    A sample entry's name alone is no record: `judge` then looks at the decoded pictures.
    """
    if stream.dolby_vision is not None and stream.dolby_vision.profile is not None:
        dolby_vision.check_base_layer(stream.dolby_vision, _claimed_colours(stream))
