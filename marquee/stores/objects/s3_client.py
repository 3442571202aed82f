"""How an S3 is reached: the bucket its URL names, a client for us, a client that signs for the public address.

Path-style addresses for any S3 but AWS's own. Checksums only where S3 requires them: the newer optional ones are unknown
to most other S3s and would be signed into presigned URLs. botocore's own retries are off; `s3_calls` repeats calls.
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
CONNECTIONS = 24


def authorities(bucket: BucketUrl) -> Path:
    """The PEM file by which the endpoint's certificate is checked: the URL's, else AWS_CA_BUNDLE's, else the machine's.

    Raises `SettingsInvalid` for an AWS_CA_BUNDLE that is no file.
    """
    if bucket.ca is not None:
        return bucket.ca
    asked = get_session().get_config_variable("ca_bundle")
    if asked and not Path(asked).is_file():
        raise SettingsInvalid(f"AWS_CA_BUNDLE is {asked!r}; it has to be a PEM file.", field="AWS_CA_BUNDLE")
    return Path(asked or ssl.get_default_verify_paths().cafile or get_cert_path(True)).absolute()


def region_of(bucket: BucketUrl) -> str:
    """The region that requests are signed for: the URL's, else for Amazon's buckets AWS_REGION's or the profile's."""
    asked = None if bucket.endpoint else get_session().get_config_variable("region")
    return bucket.region or asked or DEFAULT_REGION


def read_service_model() -> None:
    """Do ahead what the first client of a process costs: 0.15 s, and 40 MB that forks then share."""
    none = parse_bucket("s3+http://127.0.0.1/none", setting="none")
    make_client(none, access_key="none", secret_key="none")  # noqa: S106


_one_at_a_time = threading.Lock()


@functools.cache
def _session() -> Any:
    """One session a process: it reads S3's service model, 0.15 s of computing, once. Making clients from it needs a lock."""
    return boto3.session.Session()


def make_client(bucket: BucketUrl, *, access_key: str, secret_key: str, endpoint: str | None = None) -> Any:
    """A client for the bucket's endpoint, or for another `endpoint` of the same S3 (to sign for the public one)."""
    with _one_at_a_time:
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
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                max_pool_connections=CONNECTIONS,
                retries={"total_max_attempts": 1},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
