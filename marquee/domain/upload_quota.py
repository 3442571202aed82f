"""How much one account may upload: open uploads at once, and bytes of uploads begun in 24 hours.

The store counts (`marquee.stores.catalogue.postgres.new_uploads`); the rules and the sentences are here. An upload that ended
before a part was asked for counts for nothing. One that ended later is no longer open, and its bytes count until they are a day
old: else an account could begin and cancel without end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from marquee.errors import TooManyRequests

DAY_SECONDS: Final = 24 * 3600
OPEN_RETRY_SECONDS: Final = 60
"""Retry-After when too many uploads are open: a client cannot know when one ends."""
MAX_LISTED: Final = 100
"""Open uploads that an error lists, the oldest first."""
MAX_NAMED: Final = 3
"""Open uploads that its sentence names."""


@dataclass(frozen=True)
class UploadQuota:
    """The limits of one account; 0 means no limit."""

    max_open: int
    max_day_bytes: int


@dataclass(frozen=True)
class OpenUpload:
    """An open upload, for the list in an error."""

    upload_id: str
    file_name: str
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True)
class Usage:
    """What an account has used.

    `open_uploads`: at most MAX_LISTED, the oldest first. `fits_in_seconds`: when the new upload fits the bytes of a day.
    """

    open_total: int
    open_uploads: Sequence[OpenUpload]
    day_bytes: int
    fits_in_seconds: int


class UploadQuotaExceeded(TooManyRequests):
    """The account has too many open uploads, or began too many bytes in 24 hours. `open_uploads` lists what is open."""

    code = "upload-quota-exceeded"
    title = "This account uploads too much at once"

    def __init__(self, detail: str, *, open_uploads: Sequence[OpenUpload], retry_after_seconds: int) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)
        self.open_uploads = open_uploads


def check_quota(quota: UploadQuota, usage: Usage, size_bytes: int) -> None:
    """Raise `UploadQuotaExceeded` if one more upload of this size does not fit."""
    if quota.max_open and usage.open_total >= quota.max_open:
        raise UploadQuotaExceeded(
            f"This account has {usage.open_total} open uploads, and {quota.max_open} is the maximum: {_named(usage)}. "
            "Complete or cancel one of them, or wait until one ends.",
            open_uploads=usage.open_uploads,
            retry_after_seconds=OPEN_RETRY_SECONDS,
        )
    if quota.max_day_bytes and usage.day_bytes + size_bytes > quota.max_day_bytes:
        hours = max(1, round(usage.fits_in_seconds / 3600))
        raise UploadQuotaExceeded(
            f"This account began uploads of {_gigabytes(usage.day_bytes)} in the last 24 hours, and "
            f"{_gigabytes(quota.max_day_bytes)} is the maximum: this file has {_gigabytes(size_bytes)}. "
            f"Wait about {hours} hour{'s' * (hours > 1)}, or ask the operator for a larger MARQUEE_UPLOAD_MAX_DAY_BYTES.",
            open_uploads=usage.open_uploads,
            retry_after_seconds=max(1, usage.fits_in_seconds),
        )


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**3:.1f} GiB"


def _named(usage: Usage) -> str:
    shown = [f"{one.file_name} since {one.created_at:%Y-%m-%d %H:%M} UTC" for one in usage.open_uploads[:MAX_NAMED]]
    more = usage.open_total - len(shown)
    return ", ".join([*shown, *([f"and {more} more"] if more else [])])
