"""The engines of one machine start from their wheels and answer a real client."""

import psycopg
import redis

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
