"""The lake: viewing events, and what is derived from them, as immutable Parquet files. The URL's scheme chooses where they lie.

    lake = open_lake(settings)
    for file in await lake.live_files("events", start, end):
        pyarrow.parquet.read_table(file.uri)

`file:///folder`, or a bucket of its own: `s3://bucket`, `s3+http(s)://host:port/bucket`. The list of live files is in PostgreSQL.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from marquee.errors import SettingsInvalid
from marquee.settings import Settings
from marquee.stores.connections.urls import scheme_of
from marquee.stores.lake.contract import EVENTS, SETTING, Lake, LakeFile, LakeFiles
from marquee.stores.objects import open_objects
from marquee.stores.objects.bucket_url import SCHEMES, parse_bucket

__all__ = ["EVENTS", "Lake", "LakeFile", "LakeFiles", "open_lake", "open_lake_files"]


def open_lake(settings: Settings) -> Lake:
    """Call it inside a running loop. Connects at the first call. Raises `SettingsInvalid` for MARQUEE_LAKE_URL."""
    # Imported here: a process loads the client of the engine that it uses, and no other.
    from marquee.stores.lake.postgres import PostgresLake

    return PostgresLake(settings.database, open_lake_files(settings))


def open_lake_files(settings: Settings) -> LakeFiles:
    """The place of the files without their list. Raises `SettingsInvalid`."""
    url = settings.lake
    if scheme_of(url, setting=SETTING, known=("file", *SCHEMES)) == "file":
        from marquee.stores.lake.folder import FolderFiles

        return FolderFiles(_folder(url))
    from marquee.stores.lake.bucket import BucketFiles

    access_key, secret_key = settings.s3_lake_access_key, settings.s3_lake_secret_key
    if not access_key.get_secret_value():
        access_key, secret_key = settings.s3_access_key, settings.s3_secret_key
    objects = open_objects(
        url,
        setting=SETTING,
        access_key=access_key.get_secret_value(),
        secret_key=secret_key.get_secret_value(),
    )
    return BucketFiles(objects, parse_bucket(url, setting=SETTING).name)


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc or not parts.path.startswith("/") or parts.path == "/":
        raise SettingsInvalid(
            f"{SETTING} is {url!r}; a folder is named with three slashes, such as file:///var/lib/marquee/lake.",
            field=SETTING,
        )
    return Path(unquote(parts.path))
