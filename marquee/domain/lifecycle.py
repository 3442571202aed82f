"""States of titles, of their versions and of uploads: what each may become, what it allows, and what people are told.

The words are stored (the tables' CHECKs are made from them) and sent by the API. A title's state follows from its
versions (`derived_title_state`), except that an engineer may unpublish or delete a title. Before a transition the
catalogue asks `sources` for the states that may make it; a change from another state is refused or has no effect. SQL
gets these sets as constants, and the web client gets the sentences by `api/web_rules.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeVar, get_args

TitleState = Literal["announced", "ingesting", "playable", "refused", "failed", "cancelled", "unpublished", "deleted"]
VersionState = Literal[
    "uploading", "ingesting", "playable", "refused", "failed", "cancelled", "superseded", "duplicate"
]
UploadState = Literal["open", "completing", "completed", "aborted", "abandoned"]
EndedEarly = Literal["aborted", "abandoned"]
FollowedState = Literal[VersionState, EndedEarly]
"""What a client that follows an upload sees: its version's state, or how the upload ended before it had a film."""

State = TypeVar("State", bound=str)

# --- transitions -----------------------------------------------------------------------------------------
TITLE_BECOMES: Final[Mapping[TitleState, frozenset[TitleState]]] = {
    "announced": frozenset({"ingesting", "unpublished", "deleted"}),
    # Announced again: the upload of an announced title was ended.
    "ingesting": frozenset({"playable", "refused", "failed", "cancelled", "announced", "deleted"}),
    # It stays playable while a newer version is ingested.
    "playable": frozenset({"unpublished", "deleted"}),
    "refused": frozenset({"ingesting", "playable", "failed", "deleted"}),
    "failed": frozenset({"ingesting", "playable", "refused", "deleted"}),
    "cancelled": frozenset({"ingesting", "deleted"}),
    # Republished: the title gets the state that follows from its versions.
    "unpublished": frozenset({"announced", "ingesting", "playable", "refused", "failed", "cancelled", "deleted"}),
    # A title with the same id may be announced again.
    "deleted": frozenset({"announced"}),
}
VERSION_BECOMES: Final[Mapping[VersionState, frozenset[VersionState]]] = {
    "uploading": frozenset({"ingesting"}),
    "ingesting": frozenset({"playable", "superseded", "refused", "failed", "cancelled"}),
    "playable": frozenset({"superseded"}),
    # A new run may accept what an earlier one refused.
    "refused": frozenset({"ingesting", "failed"}),
    "failed": frozenset({"ingesting", "playable", "superseded", "refused"}),
    # By a person, or because a newer version's film was accepted before this one was published.
    "cancelled": frozenset(),
    "superseded": frozenset(),
    # Set by earlier releases only. Now a copy is ingested, and its reason names the title with the same content.
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
    """The states that may become `target`, and `target` itself: repeating a change is harmless."""
    return frozenset(state for state, following in becomes.items() if target in following or state == target)


def may_become(becomes: Mapping[State, frozenset[State]], state: State, target: State) -> bool:
    """Whether a change from `state` to `target` is allowed. `becomes` is one of the three tables above."""
    return state in sources(becomes, target)


# --- titles ----------------------------------------------------------------------------------------------
PLAYABLE: Final[Literal["playable"]] = "playable"
"""The one state, of titles and of versions, in which viewers get a film."""
TITLES_WITH_FILM: Final[frozenset[TitleState]] = frozenset({"playable", "ingesting"})
"""The title's film plays or is being prepared."""
VISIBLE_TITLES: Final[frozenset[TitleState]] = TITLES_WITH_FILM | {"announced"}
"""Viewers may see these titles. Titles in other states are for engineers only."""
PUBLISHED_TITLES: Final[frozenset[TitleState]] = sources(TITLE_BECOMES, "unpublished") - {"unpublished"}
"""These titles may be unpublished."""
DELETED_TITLES: Final[frozenset[TitleState]] = frozenset({"deleted"})
"""Every call answers `TitleUnknown` for these titles. All others may be edited and deleted."""
WITHDRAWN_TITLES: Final[frozenset[TitleState]] = frozenset({"unpublished", "deleted"})
"""States that a person set. They do not follow from the versions, and search does not find such titles."""

TITLE_SENTENCES: Final[Mapping[TitleState, str]] = {
    "announced": "This title is announced. It can be played once its film has arrived.",
    "ingesting": "This title is being prepared. Try again in a little while.",
    "playable": "This title can be played.",
    "refused": "This title cannot be played: its film could not be used. It can be played once a new film has arrived.",
    "failed": "This title cannot be played yet: something went wrong while it was prepared.",
    "cancelled": "This title cannot be played: its ingest was cancelled. It can be played once a new film has arrived.",
    "unpublished": "This title is not offered at the moment.",
    "deleted": "This title is no longer offered.",
}

# --- versions --------------------------------------------------------------------------------------------
UPLOADED_VERSIONS: Final[frozenset[VersionState]] = frozenset(get_args(VersionState)) - {"uploading"}
"""Versions whose film has arrived."""
CANCELLED: Final[Literal["cancelled"]] = "cancelled"
"""No run may work on such a version. Nothing of it is kept, except the master of one that a newer film overtook."""
RELEASED: Final[Literal["failed"]] = "failed"
"""An overtaken version was cancelled because a newer film was accepted. If that one ends unplayed, the overtaken one gets this
state: its master is kept, and a new run may work on it. It is the only change of a cancelled version."""
RUNNABLE_VERSIONS: Final[frozenset[VersionState]] = UPLOADED_VERSIONS - {CANCELLED}
"""A run that a person starts works on the newest of these versions."""
ONGOING_VERSIONS: Final[frozenset[VersionState]] = frozenset({"uploading", "ingesting"})
"""Versions that make their title `ingesting`, unless the title plays already."""
SHOWN_VERSIONS: Final[frozenset[VersionState]] = frozenset({"playable", "superseded"})
"""Viewers have this version, or had it. A late fault does not change its state, and its files are not removed."""
PUBLISHABLE_VERSIONS: Final[frozenset[VersionState]] = SHOWN_VERSIONS | sources(VERSION_BECOMES, "playable")
VERSIONS_OF_RUNS: Final[frozenset[VersionState]] = frozenset({"ingesting"})
"""Versions that a run works on, or must still work on."""
REVIVED_BY_REPORT: Final[frozenset[VersionState]] = frozenset({"failed"})
"""A stage that reports progress sets these versions back to `ingesting`."""
REVIVED_BY_NEW_RUN: Final[frozenset[VersionState]] = frozenset({"refused"})
"""A report sets these versions back to `ingesting` only if its run is not the one that refused the version."""
UNUSED_VERSIONS: Final[frozenset[VersionState]] = frozenset({"refused", "failed", "duplicate", "cancelled"})
"""Versions that ended without ever being shown to viewers."""
CONTENT_OWNERS: Final[frozenset[VersionState]] = frozenset({"ingesting", "playable"})
"""A version in one of these states owns its content: the reason of another title's copy names its title."""
REMARKED_VERSIONS: Final[frozenset[VersionState]] = frozenset({"ingesting", "playable"})
"""They did not fail: the reason of such a version is a remark, which stays when the version is published."""
CHUNK_SETTLED_VERSIONS: Final[frozenset[VersionState]] = SHOWN_VERSIONS | {"refused", "duplicate", "cancelled"}
"""These versions no longer need their chunks.

A failed version may be retried from its failure, so it keeps them for a while.
"""

# --- uploads ---------------------------------------------------------------------------------------------
PART_UPLOADS: Final[frozenset[UploadState]] = frozenset({"open"})
"""These uploads take parts. A client that sends the same file again resumes them."""
SIDECAR_UPLOADS: Final[frozenset[UploadState]] = frozenset({"open", "completing"})
"""These uploads take subtitle files."""
UNFINISHED_UPLOADS: Final[frozenset[UploadState]] = frozenset({"open", "completing"})
"""These uploads count as open in an account's quota."""
EARLY_ENDS: Final[frozenset[EndedEarly]] = frozenset(get_args(EndedEarly))

ENDED: Final[frozenset[FollowedState]] = (UPLOADED_VERSIONS - ONGOING_VERSIONS) | EARLY_ENDS
"""States that do not change by themselves: a client may stop following the upload."""
NEVER_PLAYABLE: Final[frozenset[FollowedState]] = ENDED - {PLAYABLE}
"""End states in which the uploaded film does not play. After `superseded` a newer version of the title plays."""

FOLLOWED_SENTENCES: Final[Mapping[FollowedState, str]] = {
    "uploading": "The film is being uploaded.",
    "ingesting": "The film is being prepared.",
    "playable": "The film can be played.",
    "refused": "The film was refused.",
    "failed": "Preparing the film failed.",
    "cancelled": "Preparing the film was cancelled.",
    "superseded": "A newer version of the title took its place.",
    "duplicate": "This film is here already.",
    "aborted": "The upload was cancelled, or its title was deleted.",
    "abandoned": "The upload made no progress for too long, so it was removed. Upload the film again.",
}
"""The sentence for a version or an upload without a reason of its own."""


def ended_early(state: UploadState) -> EndedEarly | None:
    """How an upload ended before it had a film. None if it did not."""
    return next((end for end in get_args(EndedEarly) if end == state), None)


def derived_title_state(
    current: TitleState, versions: Sequence[VersionState], *, has_active_version: bool, announced: bool
) -> TitleState:
    """The state that follows from a title's versions, oldest first. A withdrawn title keeps its state.

    A cancelled version counts only where no other version ended: the title is then announced again, or `cancelled` if it
    never was announced.
    """
    if current in WITHDRAWN_TITLES:
        return current
    if has_active_version:
        return "playable"
    if is_in_work(versions):
        return "ingesting"
    unused = [version for version in versions if version in UNUSED_VERSIONS]
    ended = [version for version in unused if version != CANCELLED]
    if ended:
        return "failed" if ended[-1] == "failed" else "refused"
    return CANCELLED if unused and not announced else "announced"


def is_in_work(versions: Sequence[VersionState]) -> bool:
    """Whether one of a title's versions is uploaded or ingested, also while another one plays."""
    return any(version in ONGOING_VERSIONS for version in versions)
