"""Which cluster engines there are, by the name that people type."""

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
"""What `marquee demo --engines distributed` runs on, beside the PostgreSQL and the S3 that every platform has."""


def chosen(names: list[str]) -> list[Engine]:
    """The engines of these names, all of them for none. Raises `InputInvalid` for a name that there is not."""
    if unknown := sorted(set(names) - set(ENGINES)):
        raise InputInvalid(
            f"There is no engine {', '.join(unknown)}: choose from {', '.join(ENGINES)}.", field="engines"
        )
    return [ENGINES[name] for name in names or ENGINES]
