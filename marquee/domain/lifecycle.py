"""States of titles, of their versions and of uploads: what each may become, what it allows, and what people are told.

The words are stored (the tables' CHECKs are made of them) and sent by the API. A title's state follows from its versions
(`derived_title_state`), but an engineer may take a title out of the programme or delete it. The catalogue asks for a
transition by `sources`: a change from any other state is refused or has no effect. SQL takes these sets as constants.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeVar, get_args

TitleState = Literal["announced", "ingesting", "playable", "refused", "failed", "unpublished", "deleted"]
VersionState = Literal["uploading", "ingesting", "playable", "refused", "failed", "superseded", "duplicate"]
UploadState = Literal["open", "completing", "completed", "aborted", "abandoned"]
EndedEarly = Literal["aborted", "abandoned"]
FollowedState = Literal[VersionState, EndedEarly]
"""What a client that follows an upload sees: its version's state, or how the upload ended before there was a film."""

State = TypeVar("State", bound=str)

# --- transitions -----------------------------------------------------------------------------------------
TITLE_BECOMES: Final[Mapping[TitleState, frozenset[TitleState]]] = {
    "announced": frozenset({"ingesting", "unpublished", "deleted"}),
    # Announced again: the upload of an announced title was ended.
    "ingesting": frozenset({"playable", "refused", "failed", "announced", "deleted"}),
    # It stays playable while a newer version is ingested.
    "playable": frozenset({"unpublished", "deleted"}),
    "refused": frozenset({"ingesting", "playable", "failed", "deleted"}),
    "failed": frozenset({"ingesting", "playable", "refused", "deleted"}),
    # Back to what follows from its versions.
    "unpublished": frozenset({"announced", "ingesting", "playable", "refused", "failed", "deleted"}),
    # The same id may be announced anew.
    "deleted": frozenset({"announced"}),
}
VERSION_BECOMES: Final[Mapping[VersionState, frozenset[VersionState]]] = {
    "uploading": frozenset({"ingesting"}),
    "ingesting": frozenset({"playable", "superseded", "refused", "failed"}),
    "playable": frozenset({"superseded"}),
    # A new run may accept what an earlier one refused.
    "refused": frozenset({"ingesting", "failed"}),
    "failed": frozenset({"ingesting", "playable", "superseded", "refused"}),
    "superseded": frozenset(),
    # Of earlier releases: now a copy is ingested, and its reason names the title with the same content.
    "duplicate": frozenset(),
}
UPLOAD_BECOMES: Final[Mapping[UploadState, frozenset[UploadState]]] = {
    "open": frozenset({"completing", "aborted", "abandoned"}),
    # Open again: parts have to be sent again.
    "completing": frozenset({"completed", "open", "aborted", "abandoned"}),
    "completed": frozenset(),
    "aborted": frozenset(),
    "abandoned": frozenset(),
}


def sources(becomes: Mapping[State, frozenset[State]], target: State) -> frozenset[State]:
    """The states that may become `target`, and `target` itself: a change that is repeated does no harm."""
    return frozenset(state for state, following in becomes.items() if target in following or state == target)


def may_become(becomes: Mapping[State, frozenset[State]], state: State, target: State) -> bool:
    return state in sources(becomes, target)


# --- titles ----------------------------------------------------------------------------------------------
PLAYABLE: Final[Literal["playable"]] = "playable"
"""The one state, of titles and of versions, in which viewers get a film."""
TITLES_WITH_FILM: Final[frozenset[TitleState]] = frozenset({"playable", "ingesting"})
"""A film of it is here, or is being prepared."""
VISIBLE_TITLES: Final[frozenset[TitleState]] = TITLES_WITH_FILM | {"announced"}
"""Viewers may know of these; the others are for engineers."""
PUBLISHED_TITLES: Final[frozenset[TitleState]] = frozenset({"playable", "announced"})
"""These may be taken out of the programme."""
DELETED_TITLES: Final[frozenset[TitleState]] = frozenset({"deleted"})
"""Unknown to every call; all others may be edited and deleted."""
WITHDRAWN_TITLES: Final[frozenset[TitleState]] = frozenset({"unpublished", "deleted"})
"""Set by a person: they do not follow from the versions, and search does not find them."""

TITLE_SENTENCES: Final[Mapping[TitleState, str]] = {
    "announced": "This title is announced: there is no film of it here yet.",
    "ingesting": "This title is being prepared; it can be played in a while.",
    "playable": "This title can be played.",
    "refused": "The film of this title could not be used, so it cannot be played.",
    "failed": "Preparing this title failed; it cannot be played yet.",
    "unpublished": "This title was taken out of the programme.",
    "deleted": "This title was deleted.",
}

# --- versions --------------------------------------------------------------------------------------------
UPLOADED_VERSIONS: Final[frozenset[VersionState]] = frozenset(get_args(VersionState)) - {"uploading"}
"""The film has arrived."""
ONGOING_VERSIONS: Final[frozenset[VersionState]] = frozenset({"uploading", "ingesting"})
"""They make their title `ingesting`, unless it plays already."""
SHOWN_VERSIONS: Final[frozenset[VersionState]] = frozenset({"playable", "superseded"})
"""Viewers have this version, or had it: no late fault ends it, and nothing of it is removed."""
PUBLISHABLE_VERSIONS: Final[frozenset[VersionState]] = SHOWN_VERSIONS | sources(VERSION_BECOMES, "playable")
VERSIONS_OF_RUNS: Final[frozenset[VersionState]] = frozenset({"ingesting"})
"""A run works on them, or has to."""
REVIVED_BY_REPORT: Final[frozenset[VersionState]] = frozenset({"failed"})
"""A stage that reports progress sets these back to `ingesting`."""
REVIVED_BY_NEW_RUN: Final[frozenset[VersionState]] = frozenset({"refused"})
"""These only where the report is of another run than the one that refused."""
UNUSED_VERSIONS: Final[frozenset[VersionState]] = frozenset({"refused", "failed", "duplicate"})
"""They ended, and viewers never got them."""
CONTENT_OWNERS: Final[frozenset[VersionState]] = frozenset({"ingesting", "playable"})
"""A version in one of these owns its content: another title's copy is told of it."""
CHUNK_SETTLED_VERSIONS: Final[frozenset[VersionState]] = SHOWN_VERSIONS | {"refused", "duplicate"}
"""They need their chunks no more. A failed version may be retried where it failed, and keeps its chunks for a while."""

# --- uploads ---------------------------------------------------------------------------------------------
PART_UPLOADS: Final[frozenset[UploadState]] = frozenset({"open"})
"""They take parts, and are found again by whoever sends the same file."""
SIDECAR_UPLOADS: Final[frozenset[UploadState]] = frozenset({"open", "completing"})
EARLY_ENDS: Final[frozenset[EndedEarly]] = frozenset(get_args(EndedEarly))

ENDED: Final[frozenset[FollowedState]] = (UPLOADED_VERSIONS - ONGOING_VERSIONS) | EARLY_ENDS
"""Who follows an upload may stop: these do not change by themselves."""
NEVER_PLAYABLE: Final[frozenset[FollowedState]] = ENDED - {PLAYABLE}
"""Not the uploaded film plays; after `superseded` a newer version of the title does."""

FOLLOWED_SENTENCES: Final[Mapping[FollowedState, str]] = {
    "uploading": "The film is being uploaded.",
    "ingesting": "The film is being prepared.",
    "playable": "The film can be played.",
    "refused": "The film was refused.",
    "failed": "Preparing the film failed.",
    "superseded": "A newer version of the title took its place.",
    "duplicate": "This film is here already.",
    "aborted": "The upload was cancelled.",
    "abandoned": "The upload was left alone, and was ended.",
}
"""Of a version or an upload that states no reason of its own."""


def ended_early(state: UploadState) -> EndedEarly | None:
    """How an upload ended before there was a film; None for one that did not."""
    return next((end for end in get_args(EndedEarly) if end == state), None)


def derived_title_state(
    current: TitleState, versions: Sequence[VersionState], *, has_active_version: bool
) -> TitleState:
    """The state that follows from a title's versions, the oldest first. A withdrawn title keeps its state."""
    if current in WITHDRAWN_TITLES:
        return current
    if has_active_version:
        return "playable"
    if any(version in ONGOING_VERSIONS for version in versions):
        return "ingesting"
    unused = [version for version in versions if version in UNUSED_VERSIONS]
    if not unused:
        return "announced"
    return "failed" if unused[-1] == "failed" else "refused"
