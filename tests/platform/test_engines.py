"""The engines of one machine start from their wheels and answer a real client."""

import contextlib

import boto3
import psycopg
import redis
from botocore.config import Config

from marquee.settings import Settings


def test_postgres_runs_logical_replication(postgres_server: Settings) -> None:
    url = postgres_server.database.removesuffix("marquee") + "postgres"
    with psycopg.connect(url) as connection:
        row = connection.execute("show wal_level").fetchone()
    assert row == ("logical",)


def test_the_cache_evicts_and_the_log_does_not(valkey_cache_server: Settings, valkey_log_server: Settings) -> None:
    cache = redis.Redis(port=valkey_cache_server.port("cache"), decode_responses=True)
    log = redis.Redis(port=valkey_log_server.port("log"), decode_responses=True)
    assert cache.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
    assert log.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert log.config_get("appendfsync") == {"appendfsync": "always"}


def test_s3_keeps_the_ingest_bucket_private(s3_server: Settings) -> None:
    import httpx

    client = boto3.client(
        "s3",
        endpoint_url=s3_server.loopback("s3"),
        aws_access_key_id=s3_server.s3_access_key.get_secret_value(),
        aws_secret_access_key=s3_server.s3_secret_key.get_secret_value(),
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    for bucket in ("marquee-ingest", "marquee-published"):
        with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="a", Body=b"1")
    base = s3_server.loopback("s3")
    assert httpx.get(f"{base}/marquee-published/a").status_code == 200, "edges read the published bucket"
    assert httpx.get(f"{base}/marquee-ingest/a").status_code == 403, "nobody reads a master without a login"
    assert httpx.put(f"{base}/marquee-published/b", content=b"1").status_code == 403, "nobody writes without a login"
