"""Where an edge reads the published bucket, without S3's client: the host, the path, and the region that it signs for.

Amazon's buckets have a host of their own each, but for those with a dot in their name, of which its certificate does not speak.
"""

from dataclasses import dataclass
from pathlib import Path

from marquee.ports import bracketed
from marquee.stores.connections.cluster_url import Host, refused
from marquee.stores.objects.bucket_url import DEFAULT_REGION, BucketUrl, parse_bucket

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
    region: str

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
            return Origin("https", amazon, 443, f"/{bucket.name}", *_found_by_the_client(bucket))
        return Origin("https", f"{bucket.name}.{amazon}", 443, "", *_found_by_the_client(bucket))
    if not bucket.secured:
        return Origin("http", *bucket.host, f"/{bucket.name}", None, bucket.region or DEFAULT_REGION)
    if ":" in bucket.host.name or bucket.host.name.replace(".", "").isdecimal():
        raise refused(
            setting, "edges (nginx) know a host with TLS by its name alone: give a name that its certificate has"
        )
    return Origin("https", *bucket.host, f"/{bucket.name}", *_found_by_the_client(bucket))


def _found_by_the_client(bucket: BucketUrl) -> tuple[Path, str]:
    """Authorities and region, which AWS's own configuration may say."""
    # Imported here: on one machine the bucket is read plainly, and S3's client is large.
    from marquee.stores.objects.s3_client import authorities, region_of

    return authorities(bucket), region_of(bucket)
