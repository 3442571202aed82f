"""Dagster's storage in the database of the setting `MARQUEE_DAGSTER_DATABASE_URL`, else in this machine's PostgreSQL.

Dagster passes an instance's configuration to each run in the arguments of its process or pod. With Dagster's own storage
class those arguments would show a password. This class is configured with the state folder alone; each process reads the
settings by itself.
"""

from typing import Any

from dagster import Field
from dagster_postgres import DagsterPostgresStorage

from marquee.settings import load_settings
from orchestration.dagster_private import ConfigurableClassData


class PlatformStorage(DagsterPostgresStorage):
    """`storage: {custom: {module: orchestration.storage, class: PlatformStorage, config: {state: FOLDER}}}`."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"state": Field(str, description="The platform's state folder.")}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "PlatformStorage":
        url = load_settings(state=config_value["state"]).dagster_database
        # SQLAlchemy's own choice for postgresql:// is psycopg 3, whose connections Dagster closes by `with`.
        return cls(postgres_url=url.replace("postgresql://", "postgresql+psycopg2://", 1), inst_data=inst_data)
