"""Types that every request and response body uses: base structs, text and id types, and the problem document.

Text may hold no NUL, because PostgreSQL cannot store one; one-line text holds no control character. Every bound stands
in a type: OpenAPI states it, and the decoder refuses values outside it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

from marquee.notes import Note, Severity, StreamKind, by_severity

ID_BODY = "[0-9a-v]{20}"
END = r"$(?!\n)"
"""The end of the text in a pattern. `$` alone also matches before a final newline."""
ONE_LINE = rf"^[^\x00-\x1f\x7f]*{END}"

MovieId: TypeAlias = Annotated[
    str,
    Meta(pattern=rf"^m_{ID_BODY}$", min_length=22, max_length=22, description="A title's id: m_ and 20 characters."),
]
UploadId: TypeAlias = Annotated[str, Meta(pattern=rf"^u_{ID_BODY}$", min_length=22, max_length=22)]
ProfileId: TypeAlias = Annotated[str, Meta(pattern=rf"^p_{ID_BODY}$", min_length=22, max_length=22)]


Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)]
Prose: TypeAlias = Annotated[str, Meta(max_length=5000, pattern=r"^[^\x00]*$")]
Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=60, pattern=ONE_LINE)]
Year: TypeAlias = Annotated[int, Meta(ge=1870, le=2200)]

# Path and query parameters. Litestar reads bounds from its own markers only, not from msgspec's.
MovieIdPath: TypeAlias = Annotated[str, PathParameter(pattern=rf"^m_{ID_BODY}$", min_length=22, max_length=22)]
UploadIdPath: TypeAlias = Annotated[str, PathParameter(pattern=rf"^u_{ID_BODY}$", min_length=22, max_length=22)]
ProfileIdPath: TypeAlias = Annotated[str, PathParameter(pattern=rf"^p_{ID_BODY}$", min_length=22, max_length=22)]
SessionIdPath: TypeAlias = Annotated[str, PathParameter(pattern=rf"^s_{ID_BODY}$", min_length=22, max_length=22)]
TelemetryTokenPath: TypeAlias = Annotated[
    str, PathParameter(min_length=1, max_length=300, description="Of `telemetry_url`: use the URL as it is.")
]
SearchIdPath: TypeAlias = Annotated[
    str, PathParameter(min_length=1, max_length=2000, description="`search_id` of the results, as it is.")
]
RowIdPath: TypeAlias = Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
MovieIdQuery: TypeAlias = Annotated[str, QueryParameter(pattern=rf"^m_{ID_BODY}$", min_length=22, max_length=22)]
PlaybackIdQuery: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        pattern=rf"^v_{ID_BODY}$",
        min_length=22,
        max_length=22,
        description="`session_id` of an earlier answer, to go on with that viewing under fresh addresses. A session of another "
        "profile or title, or one whose `telemetry_url` has expired, is not continued: the answer has a new one.",
    ),
]
CursorQuery: TypeAlias = Annotated[
    str,
    QueryParameter(max_length=1000, description="`next_cursor` of the page before; empty or missing: the first page."),
]
LimitQuery: TypeAlias = Annotated[int, QueryParameter(ge=1, le=50, description="Items on a page.")]
TextQuery: TypeAlias = Annotated[
    str, QueryParameter(min_length=1, max_length=200, pattern=ONE_LINE, description="What was typed.")
]
YearQuery: TypeAlias = Annotated[int | None, QueryParameter(ge=1870, le=2200)]


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request's body. Unknown fields are refused: a misspelled field would otherwise be lost without a word."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A response's body."""


class PictureOut(Output, frozen=True, kw_only=True):
    """One size of a picture, in pixels."""

    url: str
    width: int
    height: int


class NoteStreamOut(Output, frozen=True, kw_only=True):
    """The stream that a note is about. `index` counts the film's streams from 0; of a sidecar, the subtitle files."""

    kind: StreamKind
    index: int
    language: str | None


class NoteOut(Output, frozen=True, kw_only=True):
    """What was left out, guessed, repaired or found damaged. `code` is stable, for programs; `sentence` is for people."""

    code: str
    severity: Severity
    sentence: str
    stream: NoteStreamOut | None
    figures: dict[str, int | float | str]
    """The values in the sentence."""


def notes_out(notes: Iterable[Note]) -> list[NoteOut]:
    """Notes as the API answers them, the most severe first."""
    return msgspec.convert(by_severity(notes), type=list[NoteOut], from_attributes=True)


class FieldProblem(Output, frozen=True, kw_only=True):
    """One input at fault: `field` is its dotted name."""

    field: str
    detail: str


class OpenUploadOfProblem(Output, frozen=True, kw_only=True):
    """An open upload of an account that may not open another one."""

    upload_id: str
    file_name: str
    size_bytes: int
    created_at: datetime


class Problem(Output, frozen=True, kw_only=True, omit_defaults=True):
    """An RFC 9457 problem document. `code` is stable, for programs; `detail` is one sentence, for people."""

    title: str
    status: int
    code: str
    type: str = "about:blank"
    detail: str | None = None
    instance: str | None = None
    field: str | None = None
    errors: list[FieldProblem] = msgspec.field(default_factory=list)
    open_uploads: list[OpenUploadOfProblem] = msgspec.field(default_factory=list)
    """With the code `upload-quota-exceeded`: the account's open uploads, the oldest first, 100 at most."""
