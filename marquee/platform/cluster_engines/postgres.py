"""PostgreSQL as a server apart from the platform: the wheel's 18 on a folder and port of its own.

Stands for any server by URL; the platform asks nothing of it that 15 does not have (`tests/contract` runs on both).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import SecretStr

from marquee.platform import local_engines
from marquee.platform.cluster_engines.engine import Engine, EngineHome, own_password
from marquee.platform.supervisor.program import Program
from marquee.ports import PORT_OFFSETS
from marquee.settings import Settings


def _settings(home: EngineHome) -> Settings:
    """As if it were a platform whose PostgreSQL has the instance's port."""
    return home.settings.model_copy(
        update={
            "port_base": home.ports["postgres"] - PORT_OFFSETS["postgres"],
            "postgres_password": SecretStr(own_password(home)),
        }
    )


def _programs(home: EngineHome) -> Sequence[Program]:
    return (local_engines.postgres(_settings(home)),)


def _urls(home: EngineHome) -> Mapping[str, str]:
    settings = _settings(home)
    return {
        "MARQUEE_DATABASE_URL": settings.postgres_url("marquee"),
        "MARQUEE_DAGSTER_DATABASE_URL": settings.postgres_url("dagster"),
    }


POSTGRES: Final = Engine(name="postgres", port_names=("postgres",), programs=_programs, urls=_urls)
