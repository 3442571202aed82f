"""The cluster engines by the names that `marquee engines` takes, and the set that the distributed demo uses."""

from typing import Final

from marquee.errors import InputInvalid
from marquee.platform.cluster_engines.cassandra import CASSANDRA
from marquee.platform.cluster_engines.elasticsearch import ELASTICSEARCH
from marquee.platform.cluster_engines.engine import Engine
from marquee.platform.cluster_engines.kafka import KAFKA
from marquee.platform.cluster_engines.postgres import POSTGRES
from marquee.platform.cluster_engines.redis_cluster import REDIS_CLUSTER

ENGINES: Final[dict[str, Engine]] = {
    engine.name: engine for engine in (POSTGRES, KAFKA, CASSANDRA, ELASTICSEARCH, REDIS_CLUSTER)
}

DISTRIBUTED: Final = ("kafka", "cassandra", "elasticsearch", "redis-cluster")
"""Engines of `marquee demo --engines distributed`, in addition to every platform's PostgreSQL and S3."""


def chosen(names: list[str]) -> list[Engine]:
    """The engines with these names; all engines for an empty list. Raises `InputInvalid` for an unknown name."""
    if unknown := sorted(set(names) - set(ENGINES)):
        raise InputInvalid(
            f"There is no engine {', '.join(unknown)}: choose from {', '.join(ENGINES)}.", field="engines"
        )
    return [ENGINES[name] for name in names or ENGINES]
