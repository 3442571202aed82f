"""Decides which programme of a transport stream becomes the title: picture, sound and text of one programme, never of two.

Reads the programmes of the file's PAT and PMTs as ffprobe lists them. The programme with a picture that can be decoded wins,
then one with sound, then the largest picture, then the lowest number. What can be decoded shows only when `judge` tries:
so this module gives all candidates in order. A file with one programme, or without any, is one whole: streams that its PMT
no longer lists (it may change midway) belong to it. Pure.
"""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from marquee.errors import SourceRefused
from marquee.media.source.picture_streams import picture_streams
from marquee.media.source.probe import Probe, Programme, Stream
from marquee.notes import Note, NoteStream, note


class PictureOfProgramme(NamedTuple):
    """A picture stream, and the file reduced to the streams that belong with it. `number`: None in a file that is one whole."""

    picture: Stream
    probed: Probe
    number: int | None = None


def candidates(path: Path, probed: Probe) -> list[PictureOfProgramme]:
    """The pictures that may become the title, the likeliest first. Raises `SourceRefused` where there is none."""
    programmes = filled_programmes(probed)
    if len(programmes) < 2:
        return [PictureOfProgramme(one, probed) for one in picture_streams(path, probed)]
    found = []
    for programme in ordered(probed):
        part = reduced(probed, programme.streams)
        if _pictures(part):
            found += [PictureOfProgramme(one, part, programme.number) for one in picture_streams(path, part)]
    loose = reduced(probed, {one.index for one in streams_of_none(probed)})
    if _pictures(loose):
        found += [PictureOfProgramme(one, loose) for one in picture_streams(path, loose)]
    if not found:
        # Raises with the sentence of a file without a picture.
        picture_streams(path, probed)
        raise SourceRefused("The file has no picture: upload a film.")
    return found


def filled_programmes(probed: Probe) -> list[Programme]:
    """The programmes that have streams."""
    return [one for one in probed.programmes if one.streams]


def ordered(probed: Probe) -> list[Programme]:
    """The programmes, the most complete first.

    | first programme where | because |
    |---|---|
    | a moving picture has a size (its first frames could be read) | the title is a film |
    | there is also sound | a film with sound is the more complete one |
    | the picture is larger | HD is meant for the better screen |
    | the number is lower | nothing else is left to tell them apart |
    """

    def key(programme: Programme) -> tuple[bool, bool, int, int]:
        part = reduced(probed, programme.streams)
        pixels = max((one.width * one.height for one in _pictures(part)), default=0)
        sounds = any(one.channels or one.sample_rate for one in part.of_kind("audio"))
        return not pixels, not sounds, -pixels, programme.number

    return sorted(filled_programmes(probed), key=key)


def _pictures(probed: Probe) -> list[Stream]:
    return [one for one in probed.of_kind("video") if not one.attached_picture]


def streams_of_none(probed: Probe) -> list[Stream]:
    """The streams that no programme lists, in a file of several programmes."""
    programmes = filled_programmes(probed)
    listed = {index for one in programmes for index in one.streams}
    return [one for one in probed.streams if one.index not in listed] if len(programmes) > 1 else []


def reduced(probed: Probe, streams: Container[int]) -> Probe:
    """The file as if it had only `streams`, with their begin and length where all of them state it."""
    kept = [one for one in probed.streams if one.index in streams]
    spans = [
        (one.start_seconds, one.start_seconds + one.duration_seconds)
        for one in kept
        if one.start_seconds is not None and one.duration_seconds is not None
    ]
    begin = min((start for start, _ in spans), default=probed.start_seconds)
    end = max((end for _, end in spans), default=None)
    return msgspec.structs.replace(
        probed,
        streams=kept,
        start_seconds=begin,
        duration_seconds=probed.duration_seconds if end is None else end - begin,
    )


def notes_on_others(probed: Probe, used: PictureOfProgramme) -> list[Note]:
    """A note for each other programme of which a stream is left out, and for each stream of no programme."""
    kept = {one.index for one in used.probed.streams}
    return [*_programmes_left_out(probed, used, kept), *_loose_left_out(probed, kept)]


def _programmes_left_out(probed: Probe, used: PictureOfProgramme, kept: Container[int]) -> Iterator[Note]:
    programmes = filled_programmes(probed)
    if len(programmes) < 2:
        return
    for one in sorted(programmes, key=lambda each: each.number):
        missing = [stream for stream in probed.streams if stream.index in one.streams and stream.index not in kept]
        if one.number != used.number and missing:
            yield note(
                "programme-left-out",
                NoteStream(kind="other", index=missing[0].index),
                count=len(programmes),
                used="none" if used.number is None else used.number,
                programme=one.number,
                what=_described(one.name, missing),
            )


def _described(name: str | None, streams: Sequence[Stream]) -> str:
    """`Blue: 480x270, 1 audio track`."""
    parts = [
        f"{one.width}x{one.height}" if one.width else f"a picture in {one.format}"
        for one in streams
        if one.kind == "video"
    ]
    for kind, word in (("audio", "audio track"), ("subtitle", "subtitle track")):
        if count := sum(one.kind == kind for one in streams):
            parts.append(f"{count} {word}{'' if count == 1 else 's'}")
    content = ", ".join(parts) or "data"
    return f"{name}: {content}" if name else content


def _loose_left_out(probed: Probe, kept: Container[int]) -> Iterator[Note]:
    for one in streams_of_none(probed):
        if one.index not in kept and one.kind in {"video", "audio", "subtitle"}:
            where = NoteStream(kind=one.kind, index=one.index)  # type: ignore[arg-type]
            yield note("stream-of-no-programme", where, index=one.index, format=one.format)
