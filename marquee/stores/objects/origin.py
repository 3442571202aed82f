"""Where the published bucket is read without a login and without S3's client: what an edge is told of it.

Amazon's buckets have a host of their own each, but for those with a dot in their name, of which its certificate does not speak.
"""

from dataclasses import dataclass
from pathlib import Path

from marquee.ports import bracketed
from marquee.stores.connections.cluster_url import Host, refused
from marquee.stores.objects.bucket_url import BucketUrl, parse_bucket

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    scheme: str
    name: str
    """The host's, as its certificate has it."""
    port: int
    path: str
    authorities: Path | None
    """The PEM file by which its certificate is checked; None without TLS."""

    @property
    def address(self) -> str:
        return Host(self.name, self.port).address

    @property
    def host(self) -> str:
        """As the request's header has it."""
        return bracketed(self.name) if self.port == _PORTS[self.scheme] else self.address


def origin(published: str, *, setting: str) -> Origin:
    """Raises `SettingsInvalid` for a URL that no edge can read."""
    bucket = parse_bucket(published, setting=setting)
    if bucket.host is None:
        amazon = f"s3.{bucket.region}.amazonaws.com" if bucket.region else "s3.amazonaws.com"
        if "." in bucket.name:
            return Origin("https", amazon, 443, f"/{bucket.name}", _authorities(bucket))
        return Origin("https", f"{bucket.name}.{amazon}", 443, "", _authorities(bucket))
    if not bucket.secured:
        return Origin("http", *bucket.host, f"/{bucket.name}", None)
    if ":" in bucket.host.name or bucket.host.name.replace(".", "").isdecimal():
        raise refused(
            setting, "edges (nginx) know a host with TLS by its name alone: give a name that its certificate has"
        )
    return Origin("https", *bucket.host, f"/{bucket.name}", _authorities(bucket))


def _authorities(bucket: BucketUrl) -> Path:
    # Imported here: on one machine the bucket is read plainly, and S3's client is large.
    from marquee.stores.objects.s3_client import authorities

    return authorities(bucket)
