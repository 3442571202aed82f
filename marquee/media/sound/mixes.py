"""Decides which of a source's audio streams form which mixes and renditions. Pure: reads the probe's findings, runs nothing.

A stream is a mix of its own, unless `mono` finds that it is a channel of a recording. Commentaries and descriptions (`roles`)
come after the film's own sound and are never the default. Next: `audio`.
"""

from collections.abc import Callable, Container, Sequence
from typing import Final, NamedTuple

import msgspec

from marquee.documents import AudioRole, AudioStream
from marquee.media.sound.mono import place, recordings
from marquee.media.sound.roles import ROLE_LABELS, is_main, named_role, without_role
from marquee.media.text.languages import language_label, language_tag, title_beside_language
from marquee.notes import Note, NoteStream, note

MAX_MIXES: Final = 8
"""A title keeps its first eight tracks (dubs, commentaries): every track costs its encoding and storage."""
SURROUND_CHANNELS: Final = 6
_MAX_LABEL: Final = 60


class AudioRendition(NamedTuple):
    """One encode of a mix. `name` is unique in the title and safe in a path."""

    name: str
    channels: int
    low: bool = False
    """For slow lines: half the bits."""


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
    role: AudioRole = "main"
    original: bool = False
    layout: str = "stereo"
    """ffmpeg's name of the layout that several `streams` form."""
    placed: tuple[int, ...] = ()
    """Those of `streams` that are one channel with a place (FL): the channel is taken as it is."""
    silent: tuple[int, ...] = ()
    """Those of `streams` that cannot be decoded: silence takes their channel."""

    @property
    def renditions(self) -> list[AudioRendition]:
        """What is encoded of the mix: `en-stereo`, `en-surround`, and `en-low` for slow lines wherever there is stereo."""
        full = [
            AudioRendition(f"{self.name}-{'surround' if channels >= SURROUND_CHANNELS else 'stereo'}", channels)
            for channels in self.outputs
        ]
        return [*full, AudioRendition(f"{self.name}-low", 2, low=True)] if 2 in self.outputs else full


def without(mix: AudioMix, undecoded: Container[int]) -> AudioMix | None:
    """The mix without its streams that cannot be decoded; None if no other is left.

    Of a pair, the other half is heard in both ears. A channel of a larger layout becomes silent, so that the others keep
    their places.
    """
    good = tuple(index for index in mix.streams if index not in undecoded)
    if not good:
        return None
    if len(good) == 1:
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
        if not one.channels and not one.sample_rate:
            # A stream that the file lists, and of which it has no packet.
            notes.append(note("sound-undecodable", where, track=track_name(one), why="it has no content"))
        elif not one.decodable:
            notes.append(note("sound-undecodable", where, track=track_name(one), why=one.format or one.codec))
        elif one.start_seconds - picture_starts >= picture_seconds:
            notes.append(note("sound-after-picture", where, track=track_name(one)))
        else:
            usable.append(one)
    return usable, notes


def track_name(stream: AudioStream) -> str:
    """How a note calls a track: its title, else its language, else its index."""
    return stream.title or language_label(language_tag(stream.language)) or str(stream.index)


class _Group(NamedTuple):
    """The streams of one mix, as `mono` or a stream of several channels gives them."""

    first: AudioStream
    """The stream that names the mix."""
    indexes: tuple[int, ...]
    outputs: tuple[int, ...]
    layout: str = "stereo"

    @property
    def owner(self) -> int:
        return self.first.index


def _groups(streams: Sequence[AudioStream], *, production: bool) -> tuple[list[_Group], list[Note]]:
    """The groups, the film's own sound first, and notes on what is guessed and left out."""
    joined, apart = recordings(streams, production=production)
    by_index = {one.index: one for one in streams}
    used = {one.index for recording in joined for one in (*recording.streams, *recording.left_out)}
    groups = [
        _Group(one, (one.index,), (2, 6) if one.channels >= SURROUND_CHANNELS else (2,))
        for one in streams
        if one.index not in used
    ]
    notes = []
    for owner in dict.fromkeys(one.owner for one in joined):
        parts = [one for one in joined if one.owner == owner]
        where = NoteStream(kind="audio", index=owner, language=by_index[owner].language)
        every = sorted(one.index for part in parts for one in part.streams)
        layout = " and ".join(sorted(part.layout for part in parts))
        notes.append(note("mono-joined", where, streams=_listed(every), layout=layout))
        for part in parts:
            indexes = tuple(one.index for one in part.streams)
            outputs: tuple[int, ...] = (2,)
            if len(indexes) >= SURROUND_CHANNELS:
                # Of eight channels, the last two are the studio's own stereo mix.
                outputs = (6,) if len(parts) > 1 else (2, 6)
            groups.append(_Group(by_index[owner], indexes, outputs, part.layout))
            if out := [one.index for one in part.left_out]:
                notes.append(note("mono-left-out", where, streams=_listed(out), count=len(indexes) + len(out)))
    for language in dict.fromkeys(one.language for one in apart):
        same = [one.index for one in apart if one.language == language]
        where = NoteStream(kind="audio", index=same[0], language=language)
        if len(same) > 1:
            notes.append(note("mono-kept-apart", where, streams=_listed(same)))
    return sorted(groups, key=lambda one: (not is_main(one.first.role), one.owner)), notes


def _listed(indexes: Sequence[int]) -> str:
    return ", ".join(map(str, indexes))


def default_owner(streams: Sequence[AudioStream], default_language: str = "") -> int | None:
    """The index of the stream that is heard without a choice; None without streams.

    Among the film's own sound and its dubs: the first in `default_language`, else flagged as original, else flagged as default,
    else the first. A commentary or a description is heard only where there is nothing else.
    """
    own = [one for one in streams if is_main(one.role)] or list(streams)[:1]
    wanted = language_tag(default_language)
    rules: tuple[Callable[[AudioStream], bool], ...] = (
        lambda one: bool(default_language) and language_tag(one.language) == wanted,
        lambda one: one.original,
        lambda one: one.default,
    )
    return next((one.index for rule in rules for one in own if rule(one)), own[0].index if own else None)


def plan_mixes(
    streams: Sequence[AudioStream], *, production: bool = False, default_language: str = ""
) -> tuple[list[AudioMix], list[Note]]:
    """(mixes, the film's own sound first; notes on what is guessed and left out). Exactly one stream's mixes are the default.

    `streams` are those of `usable_streams`. `production`: see `mono.is_production_container`. `default_language` as in
    `default_owner`.
    """
    groups, notes = _groups(streams, production=production)
    for one in groups[MAX_MIXES:]:
        where = NoteStream(kind="audio", index=one.indexes[0], language=one.first.language)
        track = one.first.title or one.first.language
        notes.append(note("too-many-sound-tracks", where, index=one.indexes[0], track=track, most=MAX_MIXES))
    groups = groups[:MAX_MIXES]
    main = default_owner([one.first for one in groups], default_language)
    names: dict[str, set[int]] = {}
    labels: dict[str, set[int]] = {}
    mixes = []
    for one in groups:
        tag = language_tag(one.first.language)
        name = tag.lower() if is_main(one.first.role) else f"{tag.lower()}-{one.first.role}"
        mixes.append(
            AudioMix(
                name=_unique(name, one.owner, names, "-"),
                streams=one.indexes,
                outputs=one.outputs,
                language=tag,
                label=_unique(audio_label(tag, one.first.title, one.first.role), one.owner, labels, " "),
                default=one.owner == main,
                role=one.first.role,
                original=one.first.original,
                layout=one.layout,
                placed=tuple(each.index for each in streams if each.index in one.indexes and _is_placed(each)),
            )
        )
    return mixes, notes + _role_notes([one.first for one in groups], main)


def _is_placed(stream: AudioStream) -> bool:
    return stream.channels == 1 and stream.channel_layout not in {None, "mono"} and place(stream) is not None


def _role_notes(streams: Sequence[AudioStream], main: int | None) -> list[Note]:
    """Notes on roles that the title alone states, and on tracks that are not the default because of their role."""
    notes = []
    for one in {one.index: one for one in streams}.values():
        where = NoteStream(kind="audio", index=one.index, language=one.language)
        told = {"track": track_name(one), "role": f"a track of the kind {ROLE_LABELS[one.role] or one.role}"}
        if one.role_guessed:
            notes.append(note("sound-role-guessed", where, **told))
        if is_main(one.role):
            continue
        if one.index == main:
            notes.append(note("main-sound-missing", where, **told))
        elif one.default and not all(each.default for each in streams):
            notes.append(note("sound-not-default", where, **told))
    return notes


def audio_label(tag: str, title: str | None, role: AudioRole = "main") -> str:
    """A track's name in a player's menu: language, role, and what else the title says.

    `English`, `English (commentary)`, `English (Director's commentary)`, `French (Québec)`. Without a language the title alone,
    or the role, or `Original`.
    """
    language = language_label(tag)
    said = " ".join((title or "").split()).replace('"', "'")
    kind = ROLE_LABELS[role]
    if language is None:
        return (said or kind.capitalize() or "Original")[:_MAX_LABEL]
    more = title_beside_language(tag, said) or ""
    if kind and named_role(more) == role and title_beside_language(tag, without_role(more)):
        kind = ""
    elif kind:
        more = title_beside_language(tag, without_role(more)) or ""
    return " ".join([language, *(f"({one})" for one in (kind, more[:_MAX_LABEL]) if one)])


def _unique(wanted: str, owner: int, taken: dict[str, set[int]], joint: str) -> str:
    """`wanted`, or `wanted` with a number if another owner has the name. The same owner gets the same name again."""
    candidate, number = wanted, 1
    while owner not in taken.setdefault(candidate, {owner}):
        number += 1
        candidate = f"{wanted}{joint}{number}"
    return candidate
