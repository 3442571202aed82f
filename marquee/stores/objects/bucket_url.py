"""Parses the URL of a bucket into a `BucketUrl`, without importing the S3 client, whose import is slow.

`s3://bucket[?region=r]` is a bucket of Amazon. `s3+http(s)://host[:port]/bucket[?region=r&ca=/file.pem]` is a bucket of another
S3; `ca` is a PEM file of authorities. A URL with keys is refused: keys are settings of their own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marquee.stores.connections.cluster_url import Host, parse_cluster_url
from marquee.stores.connections.tls import authorities_of

SCHEMES: Final = ("s3", "s3+http", "s3+https")
DEFAULT_REGION: Final = "us-east-1"
"""The region to sign for if none is configured: Amazon's first region, which other S3s expect too."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_PARAMETERS: Final = ("region", "ca")


@dataclass(frozen=True)
class BucketUrl:
    """A parsed URL of one bucket. `name` is the bucket, `setting` the setting of the URL, `secured` whether it uses TLS."""

    setting: str
    name: str
    host: Host | None
    """None: Amazon's S3."""
    secured: bool
    region: str | None
    ca: Path | None

    @property
    def endpoint(self) -> str | None:
        """`http(s)://host:port`; None: Amazon's S3."""
        return f"http{'s' * self.secured}://{self.host.address}" if self.host else None


def parse_bucket(url: str, *, setting: str) -> BucketUrl:
    """Raises `SettingsInvalid`, which names `setting`, the unusable part of the URL, and what to write."""
    protocol = "http" if url.lower().startswith("s3+http:") else "https"
    parsed = parse_cluster_url(url, setting=setting, port=_DEFAULT_PORTS[protocol], known=_PARAMETERS)
    if parsed.user or parsed.password:
        raise parsed.refused("it has a login; remove it, and set MARQUEE_S3_ACCESS_KEY and MARQUEE_S3_SECRET_KEY")
    if len(parsed.hosts) > 1:
        raise parsed.refused("it names several hosts; give the one address of the S3")
    if "ca" in parsed.parameters and parsed.scheme != "s3+https":
        raise parsed.refused("ca goes with s3+https://; use that scheme or remove ca")
    [host] = parsed.hosts
    name = host.name if parsed.scheme == "s3" else parsed.name
    if not name or "/" in name or (parsed.scheme == "s3" and parsed.name):
        raise parsed.refused("it has to name one bucket: s3://bucket, or s3+https://host:port/bucket")
    return BucketUrl(
        setting=setting,
        name=name,
        host=None if parsed.scheme == "s3" else host,
        secured=protocol == "https",
        region=parsed.parameters.get("region"),
        ca=authorities_of(parsed),
    )
