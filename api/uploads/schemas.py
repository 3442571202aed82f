"""Bodies of uploads. Sizes are bytes. A part's checksum is its MD5 in hex, as S3's ETag states it."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from api.wire import END, Input, Line, MovieId, NoteOut, Output, Prose, Word, Year
from marquee.domain.lifecycle import FollowedState, UploadState
from marquee.domain.parts import MAX_PARTS

PartNumber = Annotated[int, Meta(ge=1, le=MAX_PARTS)]
Checksum = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$", min_length=32, max_length=32, description="MD5 in hex.")]
FILE_NAME: Final = rf"^[^\x00-\x1f\x7f/\\]*{END}"
FileName = Annotated[str, Meta(min_length=1, max_length=255, pattern=FILE_NAME)]
MediaType = Annotated[str, Meta(max_length=127, pattern=rf"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+{END}")]
Language = Annotated[
    str,
    Meta(max_length=35, pattern=rf"^[A-Za-z]{{2,8}}(-[A-Za-z0-9]{{1,8}})*{END}", description="BCP 47: en, pt-BR, und."),
]
SidecarText = Annotated[str, Meta(min_length=1, max_length=2_000_000, pattern=r"^[^\x00]*$")]
MAX_SIDECAR_CONTENT_BYTES: Final = 3_500_000
SidecarContent = Annotated[
    bytes,
    Meta(min_length=1, max_length=MAX_SIDECAR_CONTENT_BYTES, description="The file's bytes as they are, in base64."),
]
EncodingName = Annotated[
    str,
    Meta(max_length=40, pattern=rf"^[A-Za-z0-9_.:\- ]+{END}", description="Such as windows-1251, shift_jis, utf-16."),
]


class NewUpload(Input, frozen=True, kw_only=True):
    """A film to be ingested: a new title, or with `movie_id` a new version of an existing one.

    Unless `resume` is false, an open upload of the same file name and size by the same account is returned again: with
    `movie_id` one for that title, without it one that made its own title, of which the fields given are changed.
    """

    file_name: FileName
    size_bytes: Annotated[int, Meta(ge=0, le=2**53)]
    content_type: MediaType | None = None
    title: Line | UnsetType | None = UNSET
    """Absent or null: made from the file's name."""
    year: Year | UnsetType | None = UNSET
    genres: Annotated[list[Word], Meta(max_length=20)] | UnsetType = UNSET
    description: Prose | UnsetType | None = UNSET
    hot: bool | UnsetType = UNSET
    """A new release: its chunks are encoded first, and its files are pushed to every edge."""
    movie_id: MovieId | None = None
    resume: bool = True


class UploadOpened(Output, frozen=True, kw_only=True):
    """Cut the file into `part_bytes` (the last part is smaller), ask for part URLs, PUT each part there."""

    upload_id: str
    movie_id: str
    version: int
    part_bytes: int
    parts_total: int
    resumed: bool


class OpenUpload(Output, frozen=True, kw_only=True):
    upload_id: str
    movie_id: str
    version: int
    file_name: str
    size_bytes: int
    part_bytes: int
    parts_total: int
    created_at: datetime


class OpenUploads(Output, frozen=True, kw_only=True):
    uploads: list[OpenUpload]


class PartNumbers(Input, frozen=True, kw_only=True):
    numbers: Annotated[list[PartNumber], Meta(min_length=1, max_length=100)]


class PartUrl(Output, frozen=True, kw_only=True):
    """PUT exactly `size_bytes` to `url`."""

    number: int
    url: str
    size_bytes: int


class PartUrls(Output, frozen=True, kw_only=True):
    parts: list[PartUrl]
    expires_at: datetime


class HeldPart(Output, frozen=True, kw_only=True):
    number: int
    size_bytes: int
    checksum: str


class HeldParts(Output, frozen=True, kw_only=True):
    """What S3 holds already: a part whose checksum is right need not be sent again."""

    parts: list[HeldPart]


class SidecarIn(Input, frozen=True, kw_only=True):
    """A subtitle file beside the film (SRT, WebVTT, ASS, SSA): its bytes as `content`, or its text as `text`.

    Send bytes: the platform finds their encoding out, helped by the language, and refuses a file that it cannot read. What is
    absent or null is read from the file's name: `film.pt-BR.forced.srt`.
    """

    file_name: FileName
    content: SidecarContent | None = None
    text: SidecarText | None = None
    encoding: EncodingName | None = None
    """The encoding of `content`, if it is known."""
    language: Language | None = None
    label: Word | None = None
    """The track's name in players; absent or null: its language's name."""
    forced: bool | None = None
    """Only what must be read: foreign dialogue and signs."""
    hearing_impaired: bool | None = None
    """Also tells of sounds and speakers (SDH, closed captions)."""
    commentary: bool | None = None


class SidecarOut(Output, frozen=True, kw_only=True):
    """How the file was read. If `encoding_guessed`, no mark in the file proves `encoding`: look at `first_line`."""

    file_name: str
    language: str
    label: str
    encoding: str
    encoding_guessed: bool
    forced: bool
    hearing_impaired: bool
    commentary: bool
    first_line: str | None
    """The first words that will be shown; null if the file has no cue."""
    notes: list[NoteOut]
    replaced: str | None = None
    """The name of the file sent before with the same language, label and kind, which this one replaced."""


class SentPart(Input, frozen=True, kw_only=True):
    number: PartNumber
    size_bytes: Annotated[int, Meta(ge=0, le=5 * 1024**3)]
    checksum: Checksum


class Completion(Input, frozen=True, kw_only=True):
    """All parts, in any order."""

    parts: Annotated[list[SentPart], Meta(min_length=1, max_length=MAX_PARTS)]


class UploadStatus(Output, frozen=True, kw_only=True):
    """Where the upload stands. `state` is the version's: follow it until it is playable, refused or failed."""

    upload_id: str
    movie_id: str
    version: int
    file_name: str
    size_bytes: int
    upload_state: UploadState
    state: FollowedState
    stage: str
    percent: float
    speed: float | None
    """Encoding speed as a multiple of real time, while renditions are made."""
    reason: str | None
    playable: bool
    """Whether this version can be played now."""
    notes: list[NoteOut]
    """What was left out, guessed, repaired or found damaged so far."""
