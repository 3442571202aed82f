"""One bucket of an object store (S3). The URL's scheme chooses the engine."""

from marquee.stores.connections.urls import scheme_of
from marquee.stores.objects.bucket_url import SCHEMES, parse_bucket
from marquee.stores.objects.contract import Objects


def open_objects(url: str, *, setting: str, access_key: str, secret_key: str, public_url: str | None = None) -> Objects:
    """The bucket at this URL (see `bucket_url`); connects at the first call. Raises `SettingsInvalid`, naming `setting`.

    Empty keys: AWS's own credential chain is used. `public_url`: the S3 address that presigned URLs are signed for; None means
    the bucket's own address.
    """
    scheme_of(url, setting=setting, known=SCHEMES)
    from marquee.stores.objects.s3 import S3Objects

    bucket = parse_bucket(url, setting=setting)
    return S3Objects(bucket, access_key=access_key, secret_key=secret_key, public_url=public_url)
