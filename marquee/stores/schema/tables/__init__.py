"""Every PostgreSQL table of the platform. To import this fills `metadata`, which Alembic compares with the migrations.

Row classes stay inside `marquee.stores`; a contract's methods take and return its dataclasses. PostgreSQL 15 is enough for all
tables. After a change, `marquee.stores.schema.migrations` says how to make the next revision.
"""

from marquee.stores.schema.tables.accounts import AccountRow, EndedSessionRow, ProfileRow, RefreshTokenRow, SessionRow
from marquee.stores.schema.tables.analytics import (
    AnalyticsBatchRow,
    DailyFailureRow,
    DailyProfileRow,
    DailyQualityRow,
    DailySearchRow,
    DailyTitleRow,
    GenreTasteRow,
    PopularityRow,
    ReencodeCandidateRow,
    SimilarTitleRow,
    SuggestionRow,
)
from marquee.stores.schema.tables.captured import ChangeCaptureHeartbeatRow, TitleDocumentRow
from marquee.stores.schema.tables.columns import metadata
from marquee.stores.schema.tables.jobs import JobRow, JobWaiterRow
from marquee.stores.schema.tables.lake import LakeErasureRow, LakeFileRow, LakePositionRow
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
    "AnalyticsBatchRow",
    "ChangeCaptureHeartbeatRow",
    "DailyFailureRow",
    "DailyProfileRow",
    "DailyQualityRow",
    "DailySearchRow",
    "DailyTitleRow",
    "DeletedTitleRow",
    "EndedSessionRow",
    "GenreTasteRow",
    "JobRow",
    "JobWaiterRow",
    "LakeErasureRow",
    "LakeFileRow",
    "LakePositionRow",
    "OutboxRow",
    "PopularityRow",
    "ProfileRow",
    "ReencodeCandidateRow",
    "RefreshTokenRow",
    "ResumePositionRow",
    "SessionRow",
    "SimilarTitleRow",
    "SuggestionRow",
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
