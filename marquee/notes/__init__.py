"""Notes: what a person is told about a film that was not refused. Import from here only.

Each thing that the chain leaves out, guesses, repairs or finds damaged is one `Note`: a code of the closed list `KINDS`, its
sentence, the stream that it is about, and the figures of the sentence. A stage puts its notes into its document (`notes`).
`assets.ingest.stage` stores them on the version, shows them in Dagster, and refuses the film if a setting
(`MARQUEE_REFUSE_NOTES`) names a code. API, CLI and web client read them from the version.
"""

from marquee.notes.kinds import KINDS
from marquee.notes.note import (
    MAX_NOTES,
    Note,
    NoteStream,
    StreamKind,
    bounded,
    by_severity,
    for_viewers,
    note,
    parse_codes,
    refusal,
)
from marquee.notes.note_kind import NoteKind, Severity

__all__ = [
    "KINDS",
    "MAX_NOTES",
    "Note",
    "NoteKind",
    "NoteStream",
    "Severity",
    "StreamKind",
    "bounded",
    "by_severity",
    "for_viewers",
    "note",
    "parse_codes",
    "refusal",
]
