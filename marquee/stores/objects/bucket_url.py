"""A bucket by URL, without S3's client, for those who need not load it.

`s3://bucket[?region=r]` is Amazon's, `s3+http(s)://host[:port]/bucket[?region=r&ca=/file.pem]` any other S3's; `ca` is a PEM file
of authorities. Keys are never in the URL.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marquee.stores.connections.cluster_url import Host, parse_cluster_url
from marquee.stores.connections.tls import authorities_of

SCHEMES: Final = ("s3", "s3+http", "s3+https")
DEFAULT_REGION: Final = "us-east-1"
"""What requests are signed for where nobody says a region: Amazon's first, and what other S3s expect."""
_PORTS: Final = {"http": 80, "https": 443}
_PARAMETERS: Final = ("region", "ca")


@dataclass(frozen=True)
class BucketUrl:
    setting: str
    name: str
    host: Host | None
    """None: Amazon's own."""
    secured: bool
    region: str | None
    ca: Path | None

    @property
    def endpoint(self) -> str | None:
        """`http(s)://host:port`; None: Amazon's own."""
        return f"http{'s' * self.secured}://{self.host.address}" if self.host else None


def parse_bucket(url: str, *, setting: str) -> BucketUrl:
    """Raises `SettingsInvalid` that says which part of the setting's URL cannot be used."""
    speaks = "http" if url.lower().startswith("s3+http:") else "https"
    found = parse_cluster_url(url, setting=setting, port=_PORTS[speaks], known=_PARAMETERS)
    if found.user or found.password:
        raise found.refused("a login is not said there: set MARQUEE_S3_ACCESS_KEY and MARQUEE_S3_SECRET_KEY")
    if len(found.hosts) > 1:
        raise found.refused("it names several hosts: give the one address at which S3 is")
    if "ca" in found.parameters and found.scheme != "s3+https":
        raise found.refused("ca goes with s3+https://")
    [host] = found.hosts
    name = host.name if found.scheme == "s3" else found.name
    if not name or "/" in name or (found.scheme == "s3" and found.name):
        raise found.refused("it has to name one bucket: s3://bucket, or s3+https://host:port/bucket")
    return BucketUrl(
        setting=setting,
        name=name,
        host=None if found.scheme == "s3" else host,
        secured=speaks == "https",
        region=found.parameters.get("region"),
        ca=authorities_of(found),
    )
