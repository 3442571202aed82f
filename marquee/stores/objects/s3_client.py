"""How an S3 is reached: the bucket its URL names, a client for us, a client that signs for the public address.

Path-style addresses for any S3 but AWS's own. Checksums only where S3 requires them: the newer optional ones are unknown
to most other S3s and would be signed into presigned URLs. botocore's own retries are off; `s3.S3Objects` repeats calls.
"""

import functools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.config import Config
from botocore.httpsession import get_cert_path
from botocore.session import get_session

from marquee.errors import SettingsInvalid
from marquee.stores.cluster_url import refused

SETTING: Final = "MARQUEE_OBJECTS_URL or MARQUEE_PUBLISHED_URL"
CONNECT_SECONDS = 2.0
READ_SECONDS = 20.0
CONNECTIONS = 24
REGION = "us-east-1"


@dataclass(frozen=True)
class Bucket:
    name: str
    endpoint: str | None
    """None: AWS's own."""
    region: str | None
    ca: str | None = None
    """A PEM file of authorities; None: as AWS's own programs find it (AWS_CA_BUNDLE), else those that botocore trusts."""


def parse_bucket(url: str) -> Bucket:
    """`s3://bucket[?region=r]` or `s3+http(s)://host:port/bucket[?region=r&ca=/file.pem]`. Raises `SettingsInvalid`."""
    parts = urlsplit(url)
    parameters = dict(parse_qsl(parts.query))
    if unknown := sorted(set(parameters) - {"region", "ca"}):
        raise refused(SETTING, f"there is no parameter {', '.join(unknown)}; known are region, ca")
    region, ca = parameters.get("region"), parameters.get("ca")
    if ca and parts.scheme == "s3+http":
        raise refused(SETTING, "ca goes with s3+https://")
    if ca and not Path(ca).is_file():
        raise refused(SETTING, f"ca is {ca!r}, and there is no such file")
    if parts.scheme == "s3":
        name, endpoint = parts.netloc, None
    else:
        name, endpoint = parts.path.strip("/"), f"{parts.scheme.removeprefix('s3+')}://{parts.netloc}"
        region = region or REGION
    if not name or "/" in name:
        raise SettingsInvalid(f"The object store's URL {url!r} does not name one bucket.", field=SETTING)
    return Bucket(name, endpoint, region, ca)


def authorities(bucket: Bucket) -> str:
    """The PEM file by which the endpoint's certificate is checked: what boto3 takes, for those who are not boto3."""
    return bucket.ca or get_session().get_config_variable("ca_bundle") or get_cert_path(True)


def read_service_model() -> None:
    """Do ahead what the first client of a process costs: 0.15 s, and 40 MB that forks then share."""
    make_client(Bucket("none", "http://127.0.0.1", REGION), access_key="none", secret_key="none")  # noqa: S106


_one_at_a_time = threading.Lock()


@functools.cache
def _session() -> Any:
    """One session a process: it reads S3's service model, 0.15 s of computing, once. Making clients from it needs a lock."""
    return boto3.session.Session()


def make_client(bucket: Bucket, *, access_key: str, secret_key: str, endpoint: str | None = None) -> Any:
    """A client for the bucket's endpoint, or for another `endpoint` of the same S3 (to sign for the public one)."""
    with _one_at_a_time:
        return _session().client(
            "s3",
            endpoint_url=endpoint or bucket.endpoint,
            region_name=bucket.region,
            verify=bucket.ca,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                max_pool_connections=CONNECTIONS,
                retries={"total_max_attempts": 1},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
