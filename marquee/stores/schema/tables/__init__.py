"""Every PostgreSQL table of the platform, as Alembic compares them with the migrations: importing this fills `metadata`.

Rows stay inside `marquee.stores`: what crosses a contract is its dataclasses. Nothing here needs a PostgreSQL newer
than 15. After a change, `marquee.stores.schema.migrations` says how the next revision is made.
"""

from marquee.stores.schema.tables.accounts import AccountRow, ProfileRow, RefreshTokenRow
from marquee.stores.schema.tables.captured import ChangeCaptureHeartbeatRow, TitleDocumentRow
from marquee.stores.schema.tables.columns import metadata
from marquee.stores.schema.tables.jobs import JobRow, JobWaiterRow
from marquee.stores.schema.tables.titles import (
    DeletedTitleRow,
    TitleContentRow,
    TitleGenreRow,
    TitleRow,
    TitleVersionRow,
    title_revision,
)
from marquee.stores.schema.tables.uploads import OutboxRow, UploadRow
from marquee.stores.schema.tables.watching import ResumePositionRow, WatchedTitleRow

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
