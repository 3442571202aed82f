"""One bucket of an object store; the engine is chosen by the URL's scheme."""

from marquee.stores.objects.contract import Objects
from marquee.stores.urls import scheme_of

SCHEMES = ("s3", "s3+http", "s3+https")


async def open_objects(url: str, *, access_key: str, secret_key: str, public_url: str | None = None) -> Objects:
    """`s3://bucket[?region=...]` is AWS; `s3+http(s)://host:port/bucket` any other S3.

    Without keys, the ordinary AWS credential chain. `public_url` is the S3 address that presigned URLs are signed for.
    """
    scheme_of(url, setting="MARQUEE_OBJECTS_URL or MARQUEE_PUBLISHED_URL", known=SCHEMES)
    from marquee.stores.objects.s3 import S3Objects

    return S3Objects(url, access_key=access_key, secret_key=secret_key, public_url=public_url)
