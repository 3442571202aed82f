"""A real client of one machine's S3 for each of its three logins, and an object of every kind that is stored there."""

import contextlib
from typing import Any, Literal

from marquee.documents import keys
from marquee.documents.stages import STAGES
from marquee.settings import Settings
from marquee.stores.objects.bucket_url import parse_bucket
from marquee.stores.objects.s3_client import make_client

MOVIE, UNPUBLISHED = "m_00000000000000000011", "m_00000000000000000012"
INGEST, PUBLISHED = "marquee-ingest", "marquee-published"
BODY = b"only for who has paid " * 100
STREAM_FILES = (
    keys.MASTER_PLAYLIST,
    keys.MPD,
    *(
        f"{keys.track_folder('video', '360p')}/{name}"
        for name in (keys.PLAYLIST, keys.IFRAME_PLAYLIST, keys.INIT_SEGMENT)
    ),
    f"{keys.track_folder('video', '360p')}/seg_00001.m4s",
    f"{keys.track_folder('audio', 'en')}/seg_00001.m4s",
    f"{keys.track_folder('text', 'en')}/{keys.CAPTIONS}",
)
IMAGE_FILES = (keys.poster(640, 360), keys.sprite_sheet(1), keys.sprite_sheet(2), keys.SPRITE_INDEX)
PUBLISHED_KEYS = [
    prefix + name
    for movie in (MOVIE, UNPUBLISHED)
    for prefix, names in ((keys.published_prefix(movie, 1), STREAM_FILES), (keys.images_prefix(movie, 1), IMAGE_FILES))
    for name in names
]
INGEST_KEYS = [
    keys.master_key("u_1"),
    keys.sidecar_key("u_1", "en.vtt"),
    keys.chunk_key(keys.chunk_prefix("j_1"), "1", "360p"),
    *(keys.stage_key(MOVIE, 1, stage) for stage in STAGES),
]
LoginName = Literal["s3", "s3_published", "s3_edge"]
"""As the settings' names begin: who owns the ingest bucket, who owns the published one, the edges."""


def keys_of(settings: Settings, login: LoginName) -> dict[str, str]:
    return {name: getattr(settings, f"{login}_{name}").get_secret_value() for name in ("access_key", "secret_key")}


def s3_client(settings: Settings, login: LoginName) -> Any:
    bucket = parse_bucket(settings.published, setting="MARQUEE_PUBLISHED_URL")
    return make_client(bucket, **keys_of(settings, login))


def store_every_kind(settings: Settings) -> None:
    """Create both buckets, and an object with content `BODY` for each of the keys above."""
    for login, bucket, kept in (("s3", INGEST, INGEST_KEYS), ("s3_published", PUBLISHED, PUBLISHED_KEYS)):
        client = s3_client(settings, login)
        with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            client.create_bucket(Bucket=bucket)
        for key in kept:
            client.put_object(Bucket=bucket, Key=key, Body=BODY)


def public_s3_client(settings: Settings, login: LoginName) -> Any:
    """A client that signs for the public endpoint, as the API does for parts."""
    bucket = parse_bucket(f"s3+{settings.public_s3}/{INGEST}", setting="MARQUEE_PUBLIC_S3_URL")
    return make_client(bucket, **keys_of(settings, login))
