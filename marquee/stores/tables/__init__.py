"""Every PostgreSQL table of the platform, as Alembic compares them with the migrations: importing this fills `metadata`.

Rows stay inside `marquee.stores`: what crosses a contract is its dataclasses. Nothing here needs a PostgreSQL newer
than 15. After a change, `marquee.migrations` says how the next revision is made.
"""

from marquee.stores.tables.accounts import AccountRow, ProfileRow, RefreshTokenRow
from marquee.stores.tables.captured import ChangeCaptureHeartbeatRow, TitleDocumentRow
from marquee.stores.tables.columns import metadata
from marquee.stores.tables.jobs import JobRow, JobWaiterRow
from marquee.stores.tables.titles import (
    DeletedTitleRow,
    TitleContentRow,
    TitleGenreRow,
    TitleRow,
    TitleVersionRow,
    title_revision,
)
from marquee.stores.tables.uploads import OutboxRow, UploadRow
from marquee.stores.tables.watching import ResumePositionRow, WatchedTitleRow

__all__ = [
    "AccountRow",
    "ChangeCaptureHeartbeatRow",
    "DeletedTitleRow",
    "JobRow",
    "JobWaiterRow",
    "OutboxRow",
    "ProfileRow",
    "RefreshTokenRow",
    "ResumePositionRow",
    "TitleContentRow",
    "TitleDocumentRow",
    "TitleGenreRow",
    "TitleRow",
    "TitleVersionRow",
    "UploadRow",
    "WatchedTitleRow",
    "metadata",
    "title_revision",
]
