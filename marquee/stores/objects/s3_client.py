"""Makes boto3 clients: one for a bucket's own address, and one that signs URLs for the public address.

Also decides the authorities and the region. Addresses are path-style, except for Amazon's S3. Checksums are sent only where S3
requires them: most other S3s do not know the newer optional ones, and presigned URLs would include them. botocore's own
retries are off, because `s3_calls` repeats calls.
"""

import functools
import ssl
import threading
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.httpsession import get_cert_path
from botocore.session import get_session

from marquee.errors import SettingsInvalid
from marquee.stores.objects.bucket_url import DEFAULT_REGION, BucketUrl, parse_bucket

CONNECT_SECONDS = 2.0
READ_SECONDS = 20.0
BRIEF_SECONDS = 2.0
"""Time-out of each read of a client whose callers have a deadline: a thread must not hang long after its caller gave up."""
CONNECTIONS = 24


def authorities(bucket: BucketUrl) -> Path:
    """The PEM file of authorities that checks the endpoint's certificate: the URL's, else AWS_CA_BUNDLE, else the machine's.

    Raises `SettingsInvalid` if AWS_CA_BUNDLE is not a file.
    """
    if bucket.ca is not None:
        return bucket.ca
    configured = get_session().get_config_variable("ca_bundle")
    if configured and not Path(configured).is_file():
        raise SettingsInvalid(
            f"AWS_CA_BUNDLE is {configured!r}, which is not a file; give the path of a PEM file.", field="AWS_CA_BUNDLE"
        )
    return Path(configured or ssl.get_default_verify_paths().cafile or get_cert_path(True)).absolute()


def region_of(bucket: BucketUrl) -> str:
    """The region to sign requests for: the URL's; for Amazon else AWS_REGION or the profile's; else `DEFAULT_REGION`."""
    configured = None if bucket.endpoint else get_session().get_config_variable("region")
    return bucket.region or configured or DEFAULT_REGION


def read_service_model() -> None:
    """Make a first client before the process forks: reading S3's service model takes 0.15 s and 40 MB, which forks share."""
    no_bucket = parse_bucket("s3+http://127.0.0.1/none", setting="none")
    make_client(no_bucket, access_key="none", secret_key="none")  # noqa: S106


_CLIENT_LOCK = threading.Lock()


@functools.cache
def _session() -> Any:
    """One session for each process, so that S3's service model is read once (0.15 s). Making clients from it needs a lock."""
    return boto3.session.Session()


def make_client(
    bucket: BucketUrl,
    *,
    access_key: str,
    secret_key: str,
    endpoint: str | None = None,
    read_seconds: float = READ_SECONDS,
) -> Any:
    """A client of the bucket's address, or of another address `endpoint` of the same S3, to sign URLs for it.

    Empty keys: AWS's own credential chain is used.
    """
    with _CLIENT_LOCK:
        return _session().client(
            "s3",
            endpoint_url=endpoint or bucket.endpoint,
            region_name=region_of(bucket),
            verify=str(authorities(bucket)) if bucket.secured else None,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
                connect_timeout=min(CONNECT_SECONDS, read_seconds),
                read_timeout=read_seconds,
                max_pool_connections=CONNECTIONS,
                retries={"total_max_attempts": 1},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
