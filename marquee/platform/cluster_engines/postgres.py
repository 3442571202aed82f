"""PostgreSQL as a server outside the platform: the wheel's version 18 with a folder and a port of its own.

It stands for any external server that a URL names. The platform uses no feature newer than PostgreSQL 15; `tests/contract` runs
on both versions.
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
    """Settings of a platform whose own PostgreSQL would have the instance's port and password."""
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
