"""Where the published bucket is read without a login and without S3's client: what an edge is told of it.

By the bucket's URL: scheme, host, path, and by what the host's certificate is checked. Amazon's buckets have a host of their
own each, but for those with a dot in their name, of which its certificate does not speak.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from marquee.errors import SettingsInvalid


@dataclass(frozen=True)
class Origin:
    """Where an edge fetches from, by the published bucket's URL."""

    scheme: str
    name: str
    """The host's, as its certificate has it."""
    port: int
    path: str
    authorities: str | None
    """The PEM file by which its certificate is checked; None without TLS."""

    @property
    def address(self) -> str:
        return f"{_bracketed(self.name)}:{self.port}"

    @property
    def host(self) -> str:
        """As the request's header has it."""
        return _bracketed(self.name) if self.port == {"https": 443, "http": 80}[self.scheme] else self.address


def origin(published: str) -> Origin:
    """Raises `SettingsInvalid` for a URL that no edge can read."""
    parts = urlsplit(published)
    path = parts.path.rstrip("/")
    if parts.scheme == "s3+http" and parts.hostname:
        return Origin("http", parts.hostname, parts.port or 80, path, None)
    if parts.scheme in ("s3", "s3+https") and parts.hostname:
        # Imported here: on one machine the bucket is read plainly, and S3's client is large.
        from marquee.stores.objects.s3_client import authorities, parse_bucket

        bucket = parse_bucket(published)
        if parts.scheme == "s3+https":
            return Origin("https", parts.hostname, parts.port or 443, path, authorities(bucket))
        amazon = f"s3.{bucket.region}.amazonaws.com" if bucket.region else "s3.amazonaws.com"
        if "." in bucket.name:  # of which Amazon's certificate does not speak as of a host
            return Origin("https", amazon, 443, f"/{bucket.name}", authorities(bucket))
        return Origin("https", f"{bucket.name}.{amazon}", 443, "", authorities(bucket))
    raise SettingsInvalid(
        "MARQUEE_PUBLISHED_URL cannot be used: it must be s3://bucket or s3+http://host:port/bucket.",
        field="MARQUEE_PUBLISHED_URL",
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
