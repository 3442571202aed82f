"""Decides which of a source's audio streams form which mixes and renditions. Pure: reads the probe's findings, runs nothing.

A stream is a mix of its own, with one exception: mono streams of one language without titles are the separate channels of one
recording. Two of them are left and right. Six are 5.1 in the order of SMPTE ST 428-12 (L R C LFE Ls Rs). Eight are such a
5.1 followed by its stereo mix, the layout that studios deliver. Of any other number, the first two become left and right,
as EBU R 123 has them in every layout, and the rest is left out with a sentence. Next: `audio`.
"""

import re
from collections.abc import Container, Sequence
from typing import Final

import msgspec

from marquee.documents import AudioStream
from marquee.media.text.languages import language_label, language_tag
from marquee.notes import Note, NoteStream, note

MAX_MIXES: Final = 8
"""A title keeps its first eight tracks (dubs, commentaries): every track costs its encoding and storage."""
SURROUND_CHANNELS: Final = 6


class AudioMix(msgspec.Struct, frozen=True, kw_only=True):
    """One mix: the source streams that form it, and the numbers of channels in which it is encoded."""

    name: str
    """Unique in the title and safe in a path: `en`, `en-2`, `und`."""
    streams: tuple[int, ...]
    """Indexes of source streams. More than one index: mono channels, to be joined in this order."""
    outputs: tuple[int, ...]
    """Channels of each rendition: 2, 6 or both."""
    language: str
    label: str
    default: bool
    silent: tuple[int, ...] = ()
    """Those of `streams` that cannot be decoded: silence takes their channel."""

    def rendition(self, channels: int) -> str:
        """The name of the rendition with this many channels: `en-stereo`, `en-surround`."""
        return f"{self.name}-{'surround' if channels >= SURROUND_CHANNELS else 'stereo'}"


def without(mix: AudioMix, undecoded: Container[int]) -> AudioMix | None:
    """The mix without its streams that cannot be decoded; None if no other is left.

    Of a pair, the other half is heard in both ears. A channel of 5.1 becomes silent, so that the others keep their places.
    """
    good = tuple(index for index in mix.streams if index not in undecoded)
    if not good:
        return None
    if len(good) == 1 or len(mix.streams) < SURROUND_CHANNELS:
        return msgspec.structs.replace(mix, streams=good[:1], outputs=(2,), silent=())
    silent = tuple(index for index in mix.streams if index in undecoded)
    return msgspec.structs.replace(mix, silent=silent)


def usable_streams(
    streams: Sequence[AudioStream], *, picture_starts: float, picture_seconds: float
) -> tuple[list[AudioStream], list[Note]]:
    """The streams that may form mixes, and a note on each of the others: no decoder, or no sound while the picture lasts.

    They are taken out before streams are joined: a bad half must not take the good one with it.
    """
    usable, notes = [], []
    for one in streams:
        where = NoteStream(kind="audio", index=one.index, language=one.language)
        if not one.decodable:
            notes.append(note("sound-undecodable", where, track=track_name(one), why=one.format or one.codec))
        elif one.start_seconds - picture_starts >= picture_seconds:
            notes.append(note("sound-after-picture", where, track=track_name(one)))
        else:
            usable.append(one)
    return usable, notes


def track_name(stream: AudioStream) -> str:
    """How a note calls a track: its title, else its language, else its index."""
    return stream.title or language_label(language_tag(stream.language)) or str(stream.index)


def _groups(
    streams: Sequence[AudioStream],
) -> tuple[list[tuple[AudioStream, tuple[int, ...], tuple[int, ...]]], list[Note]]:
    """[(the stream that names the mix, indexes of its streams, its outputs)], and notes on what is guessed and left out."""
    groups: list[tuple[AudioStream, tuple[int, ...], tuple[int, ...]]] = []
    notes: list[Note] = []
    done: set[int] = set()
    for stream in streams:
        if stream.index in done:
            continue
        untitled_mono = [
            other for other in streams if other.channels == 1 and not other.title and other.language == stream.language
        ]
        if stream not in untitled_mono or len(untitled_mono) == 1:
            groups.append((stream, (stream.index,), (2, 6) if stream.channels >= SURROUND_CHANNELS else (2,)))
            continue
        indexes = tuple(other.index for other in untitled_mono)
        done.update(indexes)
        joined = {2: "stereo", 6: "5.1", 8: "5.1 and stereo"}.get(len(indexes), "stereo")
        used = indexes if len(indexes) in {6, 8} else indexes[:2]
        where = NoteStream(kind="audio", index=stream.index, language=stream.language)
        notes.append(note("mono-joined", where, streams=_listed(used), layout=joined))
        if len(indexes) == 6:
            groups.append((stream, indexes, (2, 6)))
        elif len(indexes) == 8:
            groups.append((stream, indexes[6:], (2,)))
            groups.append((stream, indexes[:6], (6,)))
        else:
            groups.append((stream, indexes[:2], (2,)))
            if indexes[2:]:
                notes.append(note("mono-left-out", where, streams=_listed(indexes[2:]), count=len(indexes)))
    return groups, notes


def _listed(indexes: Sequence[int]) -> str:
    return ", ".join(map(str, indexes))


def plan_mixes(streams: Sequence[AudioStream]) -> tuple[list[AudioMix], list[Note]]:
    """(mixes in the order of the streams, notes on what is guessed and left out). Exactly one stream's mixes are the default.

    `streams` are those of `usable_streams`.
    """
    groups, notes = _groups(streams)
    for stream, indexes, _ in groups[MAX_MIXES:]:
        where = NoteStream(kind="audio", index=indexes[0], language=stream.language)
        track = stream.title or stream.language
        notes.append(note("too-many-sound-tracks", where, index=indexes[0], track=track, most=MAX_MIXES))
    groups = groups[:MAX_MIXES]
    default = next((indexes for stream, indexes, _ in groups if stream.default), groups[0][1] if groups else ())
    names: dict[str, set[tuple[int, ...]]] = {}
    labels: dict[str, set[tuple[int, ...]]] = {}
    mixes = []
    main = next((stream.index for stream, indexes, _ in groups if indexes == default), None)
    for stream, indexes, outputs in groups:
        tag = language_tag(stream.language)
        title = re.sub(r"\s+", " ", stream.title or "").strip()[:60].replace('"', "'")
        mixes.append(
            AudioMix(
                name=_unique(tag.lower(), (stream.index,), names, "-"),
                streams=indexes,
                outputs=outputs,
                language=tag,
                label=_unique(title or language_label(tag) or "Original", (stream.index,), labels, " "),
                default=stream.index == main,
            )
        )
    return mixes, notes


def _unique(wanted: str, owner: tuple[int, ...], taken: dict[str, set[tuple[int, ...]]], joint: str) -> str:
    """`wanted`, or `wanted` with a number if another owner has the name. The same owner gets the same name again."""
    candidate, number = wanted, 1
    while owner not in taken.setdefault(candidate, {owner}):
        number += 1
        candidate = f"{wanted}{joint}{number}"
    return candidate
