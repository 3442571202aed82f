"""The notes on a film's sound: tracks that are left out, damaged, joined, or guessed to be a commentary. A part of
the list `kinds.KINDS`, where the rules stand.
"""

from collections.abc import Mapping
from typing import Final

from marquee.notes.note_kind import NoteKind

_EXPORT_AGAIN: Final = "Export the film again."
_COPY_AGAIN: Final = "Copy the film again."
_AAC: Final = "Export its sound as AAC."
_SILENT_FOR_VIEWERS: Final = "This film has no sound."

KINDS_OF_SOUND: Final[Mapping[str, NoteKind]] = {
    "no-sound": NoteKind("source", "info", "The file has no sound.", "Upload a film with sound.", _SILENT_FOR_VIEWERS),
    "silent": NoteKind("source", "serious", "Playable, but silent: {why}.", _AAC, _SILENT_FOR_VIEWERS),
    "sound-undecodable": NoteKind(
        "source", "warning", "The audio track {track} is left out: it cannot be decoded ({why}).", _AAC
    ),
    "sound-damaged": NoteKind(
        "streams",
        "warning",
        "{damaged} of {frames} audio frames of the track {track} are damaged and silent.",
        _COPY_AGAIN,
        "Parts of this film's sound are damaged.",
    ),
    "sound-out-of-step": NoteKind(
        "streams",
        "warning",
        "The audio track {track} is left out: it is too damaged to be synchronised with the picture.",
        _EXPORT_AGAIN,
    ),
    "sound-after-picture": NoteKind(
        "source", "warning", "The audio track {track} is left out: it starts after the picture ends.", _EXPORT_AGAIN
    ),
    "sound-format-changes": NoteKind(
        "streams",
        "info",
        "The audio track {track} was decoded on its own: it is damaged, or its format changes midway.",
        _EXPORT_AGAIN,
    ),
    "sound-cut": NoteKind(
        "source",
        "warning",
        "The audio track {track} lasts {seconds:.1f} seconds longer than the picture. Its end is left out.",
        _EXPORT_AGAIN,
    ),
    "sound-ends-early": NoteKind(
        "source",
        "info",
        "The audio track {track} ends {seconds:.1f} seconds before the picture. The rest is silent.",
        _EXPORT_AGAIN,
    ),
    "sound-mixed-down": NoteKind(
        "source",
        "info",
        "The audio track {track} has {channels} channels. Viewers hear it in {outputs}.",
        "Upload the sound as stereo or 5.1.",
    ),
    "mono-joined": NoteKind(
        "source",
        "info",
        "The mono audio streams {streams} are taken for the channels of one recording ({layout}).",
        "Export the sound as one track with all its channels.",
    ),
    "mono-left-out": NoteKind(
        "source",
        "warning",
        "Mono audio streams {streams} are left out: of {count} mono streams, the first two are left and right. "
        "The file does not say what the others are.",
        "Export the sound as one track with all its channels, or give each mono track a title.",
    ),
    "mono-kept-apart": NoteKind(
        "source",
        "info",
        "The mono audio streams {streams} are kept as tracks of their own: the file does not say that they are the channels of "
        "one recording.",
        "If they are channels, export them as one track, or give each its place as a title: Left, Right.",
    ),
    "sound-role-guessed": NoteKind(
        "source",
        "info",
        "The audio track {track} is taken for {role}, because of its title.",
        "Set the track's flag in the file, or give it another title.",
    ),
    "sound-not-default": NoteKind(
        "source",
        "info",
        "The audio track {track} is the file's default, but it is {role}: viewers must choose it.",
        "Set the track's flags in the file as you mean them.",
    ),
    "main-sound-missing": NoteKind(
        "source",
        "warning",
        "No audio track is the film's own sound: viewers hear {role} ({track}).",
        "Upload the film with its own sound.",
    ),
    "too-many-sound-tracks": NoteKind(
        "source",
        "warning",
        "Audio stream {index} ({track}) is left out: a title has at most {most} mixes.",
        "Upload a file with fewer audio tracks.",
    ),
    "language-unknown": NoteKind(
        "source", "info", "No language has the tag {tag} of stream {index}. Its language is unknown.", _EXPORT_AGAIN
    ),
}
"""Code -> what its notes have in common, in the order of the page."""
