"""Settings of uploads: a group of `marquee.settings.groups`, in a module of its own for its length."""

from pydantic import BaseModel, Field


class Uploads(BaseModel):
    """Uploads"""

    upload_max_bytes: int = Field(200 * 1024**3, ge=1, description="Bytes. Larger files are refused.")
    upload_part_bytes: int = Field(8 * 1024**2, ge=5 * 1024**2, description="Bytes of each part of an upload.")
    upload_abandoned_seconds: int = Field(
        24 * 3600,
        ge=1,
        description="Seconds. An upload whose client is silent for so long ends, and its parts are removed.",
    )
    part_url_seconds: int = Field(3600, ge=60, description="Seconds for which the presigned URL of a part is valid.")
    upload_max_open: int = Field(20, ge=0, description="Number of open uploads that one account may have. 0: no limit.")
    upload_max_day_bytes: int = Field(
        2 * 1024**4,
        ge=0,
        description="Bytes of all uploads that one account may begin in 24 hours. 0: no limit.",
    )
