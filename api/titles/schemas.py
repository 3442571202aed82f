"""Bodies of titles. `revision` grows with every change of a title and is also its ETag."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from api.rows.schemas import RowItem
from api.wire import Input, Line, NoteOut, Output, PictureOut, Prose, Word, Year
from marquee.documents import AudioRole, Codec
from marquee.domain.lifecycle import TitleState, VersionState


class TitleVersionOut(Output, frozen=True, kw_only=True):
    """A version of a title: how far its ingest is, or how it ended."""

    version: int
    upload_id: str
    state: VersionState
    stage: str
    percent: float
    speed: float | None
    """Encoding speed as a multiple of real time, while renditions are made."""
    reason: str | None
    """Why it was refused, failed or was cancelled; or a remark on its film."""
    uploaded_by: str | None
    """The account's address; null if the account is gone."""
    updated_at: datetime


class QualityOut(Output, frozen=True, kw_only=True):
    """The best picture of a title. `name` is its rung: `1080p`. Titles are always in SDR.

    `codecs`: what the title is offered in, H.264 first; empty for one of an earlier release, which has H.264 alone.
    """

    name: str
    width: int
    height: int
    codecs: list[Codec]


class SoundOut(Output, frozen=True, kw_only=True):
    """A sound track. `language` is a BCP 47 tag, `und` if it is unknown; `label` is the name in a player's menu."""

    language: str
    label: str
    channels: int
    role: AudioRole


class SubtitleOut(Output, frozen=True, kw_only=True):
    """A subtitle track. `hearing_impaired`: it also tells of sounds and speakers (SDH)."""

    language: str
    label: str
    forced: bool
    hearing_impaired: bool
    commentary: bool


class TracksOut(Output, frozen=True, kw_only=True):
    """What the version that plays offers, in the order in which players list it."""

    picture: QualityOut | None
    sound: list[SoundOut]
    text: list[SubtitleOut]


class TitleOut(Output, frozen=True, kw_only=True):
    """`playable` is what to offer a play button by; `state` says why not."""

    movie_id: str
    title: str
    state: TitleState
    playable: bool
    year: int | None
    description: str | None
    genres: list[str]
    people: list[str]
    aka: list[str]
    duration_seconds: float | None
    poster_url: str | None
    backdrop: list[PictureOut]
    """The wide picture (16:9), the smallest size first. Empty for titles that an earlier release published."""
    tracks: TracksOut | None
    """None for titles that do not play, and for those that an earlier release published."""
    hot: bool
    revision: int
    active_version: int | None
    created_at: datetime
    published_at: datetime | None
    changed_at: datetime
    """The last change of its details, its state or one of its versions' states."""
    reason: str | None
    """For engineers: why a title that is refused, failed or cancelled does not play. For viewers null."""
    newest_version: TitleVersionOut | None
    """For engineers: the version that was uploaded last, which may be in work while an older one plays. For viewers null."""
    notes: list[NoteOut]
    """For engineers: all notes of the version that plays, else of the newest one. For viewers: what concerns them."""


class TitlePage(Output, frozen=True, kw_only=True):
    titles: list[TitleOut]
    next_cursor: str | None


class SimilarOut(Output, frozen=True, kw_only=True):
    items: list[RowItem]


class TitleEdit(Input, frozen=True, kw_only=True):
    """Only the fields given change; null clears `year`, `description` and `votes`. `revision`: as it was read."""

    title: Line | UnsetType = UNSET
    year: Year | UnsetType | None = UNSET
    description: Prose | UnsetType | None = UNSET
    genres: Annotated[list[Word], Meta(max_length=20)] | UnsetType = UNSET
    people: Annotated[list[Word], Meta(max_length=100)] | UnsetType = UNSET
    aka: Annotated[list[Line], Meta(max_length=50)] | UnsetType = UNSET
    votes: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType | None = UNSET
    revision: Annotated[int, Meta(ge=0, le=2**53)] | UnsetType = UNSET
