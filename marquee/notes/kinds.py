"""The closed list of notes: every code with its severity, its sentence, and what the uploader can do.

- `info`: the platform chose, guessed or converted something; nothing of the film is missing.
- `warning`: a part is left out or damaged, and viewers may miss it.
- `serious`: a main part of the film is missing.

A code never changes its meaning: clients and `MARQUEE_REFUSE_NOTES` name it. The table of docs/operating/notes.md is made from
this list (`python -m marquee.notes.page`).
"""

from collections.abc import Mapping
from typing import Final

from marquee.notes.kinds_of_sound import KINDS_OF_SOUND
from marquee.notes.kinds_of_text import KINDS_OF_TEXT
from marquee.notes.note_kind import NoteKind, Severity

_EXPORT_AGAIN: Final = "Export the film again."
_COPY_AGAIN: Final = "Copy the film again."
_ONE_STREAM: Final = "Upload a file without this stream."
_FEWER_DETAILS: Final = "Upload a larger picture, or one with less noise."


def _change(severity: Severity, what: str, *, fitted: bool = False) -> NoteKind:
    """The picture changes `what` midway. `kept` is the title's own."""
    done = "fitted, with black bars, into the frame that" if fitted else "converted to what"
    sentence = f"The picture changes {what}. All of it is {done} is shown longest: {{kept}}."
    return NoteKind("source", severity, sentence, _EXPORT_AGAIN)


KINDS: Final[Mapping[str, NoteKind]] = {
    # --- the file ------------------------------------------------------------------------------------------
    "file-cut-off": NoteKind("source", "warning", "The file ends before its last packet.", _COPY_AGAIN),
    "length-not-believed": NoteKind(
        "source",
        "info",
        "The file claims to last {claimed:.0f} seconds, which its size cannot hold. Its picture lasts {seconds:.1f} seconds.",
        _EXPORT_AGAIN,
    ),
    "clock-repaired": NoteKind("source", "info", "The file's clock jumps. The jumps were removed.", _EXPORT_AGAIN),
    "clock-replaced": NoteKind(
        "source",
        "warning",
        "The file's clock goes back or is missing. Its frames are shown at an even {rate:.3f} a second.",
        _EXPORT_AGAIN,
    ),
    "clock-guessed": NoteKind(
        "streams",
        "warning",
        "The first picture could not be timed. Sound and subtitles follow the file's own clock, and may be out of step.",
        _EXPORT_AGAIN,
    ),
    "index-unusable": NoteKind(
        "source",
        "info",
        "Decoding cannot start at the places that the file's index names. Every chunk is decoded from the film's start, which "
        "takes longer.",
        _EXPORT_AGAIN,
    ),
    "data-left-out": NoteKind(
        "source", "info", "Stream {index} ({format}) is left out: it is data, which players cannot show.", _ONE_STREAM
    ),
    "attachment-left-out": NoteKind(
        "source", "info", "The attached file {name} is left out: players cannot show it.", _ONE_STREAM
    ),
    "stream-unknown": NoteKind(
        "source", "warning", "Stream {index} is left out: its kind ({format}) is unknown to this platform.", _ONE_STREAM
    ),
    "programme-left-out": NoteKind(
        "source",
        "warning",
        "The file has {count} programmes. Programme {used} is used, and programme {programme} ({what}) is left out.",
        "Upload each programme as a film of its own.",
    ),
    "stream-of-no-programme": NoteKind(
        "source",
        "warning",
        "Stream {index} ({format}) is left out: the file has several programmes, and the stream belongs to none of them.",
        "Upload each programme as a film of its own.",
    ),
    # --- the picture ---------------------------------------------------------------------------------------
    "picture-damaged": NoteKind(
        "source",
        "warning",
        "{damaged} of {frames} frames are damaged: {seconds:.2f} seconds in all, {longest:.2f} in the longest run.",
        _COPY_AGAIN,
        "Parts of this film's picture are damaged.",
    ),
    "picture-ends-early": NoteKind(
        "source",
        "warning",
        "The picture ends after {seconds:.2f} of the {claimed:.2f} seconds that the file claims.",
        _COPY_AGAIN,
    ),
    "picture-undecodable": NoteKind(
        "source",
        "warning",
        "Picture stream {index} ({format}) is left out: nothing of it can be decoded.",
        "Export the film as H.264.",
    ),
    "picture-left-out": NoteKind(
        "source",
        "warning",
        "The file has {count} picture streams. Stream {used} is used, and stream {index} ({format}, {size}) is left out.",
        "Upload each picture as a film of its own.",
    ),
    "cover-left-out": NoteKind(
        "source", "info", "The cover (stream {index}) is left out: the poster is cut from the film.", _ONE_STREAM
    ),
    "cover-shown": NoteKind(
        "source", "info", "The film is its cover (stream {index}), shown for {seconds:.1f} seconds.", "Upload a film."
    ),
    "picture-held": NoteKind(
        "source", "info", "The last picture is held for {seconds:.1f} seconds, until {until} ends.", _EXPORT_AGAIN
    ),
    "picture-size-changes": _change("warning", "its size ({sizes})", fitted=True),
    "pixel-shape-changes": _change("warning", "the shape of its pixels ({shapes})", fitted=True),
    "picture-format-changes": _change("info", "its pixel format ({formats})"),
    "range-changes": _change("info", "the range of its values ({ranges})"),
    "light-changes": NoteKind(
        "source", "info", "The picture changes between {lights}. Each part is converted by its own.", _EXPORT_AGAIN
    ),
    "light-not-converted": NoteKind(
        "source",
        "warning",
        "The picture changes between HDR and SDR too often. All of it is shown as {kept}: the colours of other parts are wrong.",
        _EXPORT_AGAIN,
    ),
    "rotation-changes": NoteKind(
        "source",
        "warning",
        "The picture is turned midway (by {turns} degrees). Every part is shown upright, with black bars where it does not fill "
        "the frame of the parts that are turned by {kept} degrees.",
        _EXPORT_AGAIN,
    ),
    "rotation-not-done": NoteKind(
        "source",
        "warning",
        "The picture is turned midway (by {turns} degrees). All of it is turned by {kept} degrees: other parts stand askew.",
        _EXPORT_AGAIN,
    ),
    "colours-change": _change("info", "its colours ({colours})"),
    "pixel-shape-not-believed": NoteKind(
        "source",
        "info",
        "The file claims pixels of {claimed}. That is not believed: they are shown square.",
        _EXPORT_AGAIN,
    ),
    "rotation-rounded": NoteKind(
        "source", "info", "The picture is turned by an oblique angle. It is shown at {degrees} degrees.", _EXPORT_AGAIN
    ),
    "frame-rate-variable": NoteKind(
        "source",
        "info",
        "The picture has a variable frame rate. It is shown at an even {rate:.3f} frames a second.",
        "Export the film at a constant frame rate.",
    ),
    "frame-rate-reduced": NoteKind(
        "plan",
        "info",
        "The film has {rate:.3f} frames a second. {kept:.3f} of them are kept.",
        "Export the film at 60 frames a second or fewer.",
    ),
    "picture-reduced": NoteKind(
        "plan",
        "info",
        "The film's picture is {size}. The largest rendition is {kept}.",
        "Export the film at the size of the largest rendition.",
    ),
    "fields-merged": NoteKind(
        "plan", "info", "The picture is interlaced. Two fields become one frame.", "Export the film progressive."
    ),
    "dolby-vision-base": NoteKind(
        "source", "info", "The picture is Dolby Vision {profile}. Only its base layer ({base}) is shown.", _EXPORT_AGAIN
    ),
    "hdr-converted": NoteKind(
        "plan", "info", "The picture is HDR ({transfer}). It is shown in SDR.", "Export the film in SDR (BT.709)."
    ),
    "colours-guessed": NoteKind(
        "plan", "info", "The picture's colours are guessed ({why}). {guess} is assumed.", _EXPORT_AGAIN
    ),
    "ladder-not-analysed": NoteKind(
        "analysis",
        "info",
        "No trial encode of the film could be made ({why}). It has the fixed ladder.",
    ),
    "chunks-decoded-again": NoteKind(
        "renditions",
        "info",
        "{again} of {chunks} chunks did not show the right pictures after a seek. They were decoded from the film's start.",
        _EXPORT_AGAIN,
    ),
    "poster-poor": NoteKind(
        "images",
        "info",
        "No picture of the film is bright and sharp enough for a poster. The one at {seconds:.1f} seconds is used.",
        "Upload a film with a bright picture.",
    ),
    "backdrop-left-out": NoteKind(
        "images",
        "info",
        "No picture could be cut that is large, bright and sharp enough to stand wide behind the title. The poster stands there.",
        "Upload a film with a bright picture.",
    ),
    # --- the sound -----------------------------------------------------------------------------------------
    **KINDS_OF_SOUND,
    # --- the renditions ------------------------------------------------------------------------------------
    "bitrate-raised": NoteKind(
        "renditions",
        "info",
        "Rung {rung} scored VMAF {score} at {rate}, below the floor of {floor}. It was encoded again with {raised}.",
    ),
    "codec-left-out": NoteKind(
        "renditions",
        "warning",
        "The renditions in {codec} are left out, because {why}. Viewers get the title in H.264.",
    ),
    "rung-off-expectation": NoteKind(
        "quality",
        "info",
        "Rung {rung} scores VMAF {score}. Its trial encodes let {expected} expect: the film's other scenes differ from those.",
    ),
    "rung-no-better": NoteKind(
        "quality",
        "warning",
        "Rung {rung} ({rate}, VMAF {score}) is no better than rung {below} ({below_rate}, VMAF {below_score}).",
        "Upload the film again under a profile with `ladder: fixed`.",
    ),
    "quality-below-floor": NoteKind(
        "quality",
        "warning",
        "The best rendition ({rung}) scores VMAF {score}, below the floor of {floor}: this picture needs more bits.",
        _FEWER_DETAILS,
    ),
    **KINDS_OF_TEXT,
    # --- the platform --------------------------------------------------------------------------------------
    "edge-not-filled": NoteKind(
        "prewarm", "info", "The edge {edge} holds {hits} of {files} files. Viewers' requests fill it."
    ),
    "rows-not-refreshed": NoteKind(
        "title", "info", "The row cache did not answer: the home page may show the title up to {seconds} seconds late."
    ),
    "notes-left-out": NoteKind("source", "info", "{count} more notes are left out."),
    "earlier-release": NoteKind("source", "warning", "{sentence}"),
}
"""Code -> what its notes have in common, in the order of the page."""
