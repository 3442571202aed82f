"""What the catalogue's methods take and return: frozen values of titles, versions, uploads and positions in a row.

`marquee.domain.lifecycle` defines their states. Moments have a time zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from marquee.documents import BackdropPicture, OfferedTracks
from marquee.domain.lifecycle import TitleState, UploadState, VersionState
from marquee.notes import Note

UNKNOWN_LANGUAGE: Final = "und"


@dataclass(frozen=True)
class TitleDetails:
    """What an engineer may state and edit."""

    title: str
    year: int | None = None
    description: str | None = None
    genres: Sequence[str] = field(default_factory=tuple)
    people: Sequence[str] = field(default_factory=tuple)
    aka: Sequence[str] = field(default_factory=tuple)
    votes: int | None = None


@dataclass(frozen=True)
class Title:
    movie_id: str
    details: TitleDetails
    state: TitleState
    hot: bool
    revision: int
    active_version: int | None
    duration_seconds: float | None
    poster: str | None
    """Key below the edge's public images path."""
    sprite_vtt: str | None
    manifest: str | None
    dash: str | None
    created_at: datetime
    published_at: datetime | None
    backdrop: Sequence[BackdropPicture] = ()
    """The smallest size first. Empty for titles that an earlier release published."""
    tracks: OfferedTracks | None = None
    """Of the active version; None as above."""


@dataclass(frozen=True)
class TitleCard:
    """A title as a row shows it."""

    movie_id: str
    title: str
    year: int | None
    poster: str | None
    duration_seconds: float | None
    genres: Sequence[str]
    backdrop: Sequence[BackdropPicture] = ()
    """Of the first cards of a shared row only: the page's large picture is one of them."""


@dataclass(frozen=True)
class Version:
    movie_id: str
    version: int
    upload_id: str
    state: VersionState
    stage: str
    percent: float
    speed: float | None
    """Seconds of film encoded in a second, while renditions are made."""
    reason: str | None
    run_id: str | None
    notes: Sequence[Note]
    """In the order of the stages."""
    updated_at: datetime
    profile: str | None = None
    """The encoding profile by which it was planned. None: not planned yet, or by an earlier release."""
    profile_hash: str | None = None


@dataclass(frozen=True)
class EndedVersion:
    movie_id: str
    version: int
    ended_at: datetime


@dataclass(frozen=True)
class ListedTitle:
    """A title as engineers see it in the list: with the version that was uploaded last, and who uploaded that."""

    title: Title
    changed_at: datetime
    """The last change of its details, its state or its versions' states. Progress and notes do not count."""
    newest: Version | None
    uploaded_by: str | None
    """The account's address; None if there is no such account any more."""
    notes: Sequence[Note]
    """Of the version that plays, else of the newest one."""


@dataclass(frozen=True)
class TitleQuery:
    """Which titles the list holds. Deleted titles are listed only if `state` asks for them."""

    state: TitleState | None = None
    text: str = ""
    """Each word of it begins a word of the title, without case and accents."""
    with_notes: bool = False
    in_work: bool = False


@dataclass(frozen=True)
class TitlePosition:
    """Where a title stands in the list, which is ordered by (`changed_at`, `movie_id`), the newest first."""

    changed_at: datetime
    movie_id: str


@dataclass(frozen=True)
class Sidecar:
    """A subtitle file uploaded beside the film, already stored under `key` in the ingest bucket."""

    key: str
    file_name: str
    language: str
    label: str | None
    """A name that the uploader chose; None: the language's name."""
    encoding: str | None = None
    """The encoding of the stored bytes; None for uploads of an earlier release: UTF-8."""
    encoding_guessed: bool = False
    forced: bool = False
    hearing_impaired: bool = False
    commentary: bool = False

    def replaces(self, other: "Sidecar") -> bool:
        """Whether this is the same track, sent again: players would list it twice.

        Two files of an unknown language are the same track if they have the same name.
        """
        same = ("language", "label", "forced", "hearing_impaired", "commentary")
        if any(getattr(self, name) != getattr(other, name) for name in same):
            return False
        return self.language != UNKNOWN_LANGUAGE or self.file_name == other.file_name


@dataclass(frozen=True)
class Upload:
    upload_id: str
    movie_id: str
    version: int
    account_id: str
    file_name: str
    content_type: str
    size_bytes: int
    part_bytes: int
    key: str
    multipart_id: str
    state: UploadState
    hot: bool
    sidecars: Sequence[Sidecar]
    created_at: datetime
    touched_at: datetime


@dataclass(frozen=True)
class OutboxEntry:
    entry_id: int
    topic: str
    key: str
    value: bytes


@dataclass(frozen=True)
class Publication:
    """What the `title` stage publishes, in one transaction."""

    movie_id: str
    version: int
    duration_seconds: float
    manifest: str
    dash: str
    poster: str
    sprite_vtt: str
    backdrop: Sequence[BackdropPicture] = ()
    tracks: OfferedTracks | None = None


@dataclass(frozen=True)
class RowPosition:
    """Where an item stands in its row. Rows are ordered by (`sort_value`, `movie_id`); a page begins behind a position."""

    sort_value: float
    movie_id: str
