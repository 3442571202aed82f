"""One bucket of an object store; the engine is chosen by the URL's scheme."""

from marquee.stores.connections.urls import scheme_of
from marquee.stores.objects.bucket_url import SCHEMES, parse_bucket
from marquee.stores.objects.contract import Objects


def open_objects(url: str, *, setting: str, access_key: str, secret_key: str, public_url: str | None = None) -> Objects:
    """As `bucket_url` says; `setting` is what the URL is set by.

    Without keys, the ordinary AWS credential chain. `public_url` is the S3 address that presigned URLs are signed for.
    """
    scheme_of(url, setting=setting, known=SCHEMES)
    from marquee.stores.objects.s3 import S3Objects

    bucket = parse_bucket(url, setting=setting)
    return S3Objects(bucket, access_key=access_key, secret_key=secret_key, public_url=public_url)
