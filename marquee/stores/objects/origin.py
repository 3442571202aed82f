"""How an edge (nginx) reaches the published bucket: host, path, authorities, and the region that it signs requests for.

Does not import the S3 client unless TLS is used. Each bucket of Amazon has its own host name. A bucket with a dot in its name is
addressed by path instead, because Amazon's certificate does not cover such a host name.
"""

from dataclasses import dataclass
from pathlib import Path

from marquee.ports import bracketed
from marquee.stores.connections.cluster_url import Host, refused
from marquee.stores.objects.bucket_url import DEFAULT_REGION, BucketUrl, parse_bucket

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """The address of the published bucket, for nginx's configuration. `path` is empty or `/bucket`."""

    scheme: str
    name: str
    """The host name that its certificate must contain."""
    port: int
    path: str
    authorities: Path | None
    """The PEM file of authorities to check its certificate with; None without TLS."""
    region: str

    @property
    def address(self) -> str:
        """`host:port`; an IPv6 address is in brackets."""
        return Host(self.name, self.port).address

    @property
    def host(self) -> str:
        """The value of the request's Host header: without the scheme's default port."""
        return bracketed(self.name) if self.port == _DEFAULT_PORTS[self.scheme] else self.address


def origin(published: str, *, setting: str) -> Origin:
    """The origin of the bucket at this URL. Raises `SettingsInvalid` for a URL that an edge cannot read."""
    bucket = parse_bucket(published, setting=setting)
    if bucket.host is None:
        amazon = f"s3.{bucket.region}.amazonaws.com" if bucket.region else "s3.amazonaws.com"
        if "." in bucket.name:
            return Origin("https", amazon, 443, f"/{bucket.name}", *_authorities_and_region(bucket))
        return Origin("https", f"{bucket.name}.{amazon}", 443, "", *_authorities_and_region(bucket))
    if not bucket.secured:
        return Origin("http", *bucket.host, f"/{bucket.name}", None, bucket.region or DEFAULT_REGION)
    if ":" in bucket.host.name or bucket.host.name.replace(".", "").isdecimal():
        raise refused(
            setting,
            "it names an IP address, and edges (nginx) can check a certificate only against a host name; "
            "give a name that its certificate has",
        )
    return Origin("https", *bucket.host, f"/{bucket.name}", *_authorities_and_region(bucket))


def _authorities_and_region(bucket: BucketUrl) -> tuple[Path, str]:
    """Authorities and region, which may come from AWS's own configuration."""
    # Imported here because the S3 client is large, and a platform on one machine reads the bucket without TLS.
    from marquee.stores.objects.s3_client import authorities, region_of

    return authorities(bucket), region_of(bucket)
