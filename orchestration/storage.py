"""Dagster's storage where the platform's settings say: `MARQUEE_DAGSTER_DATABASE_URL`, else this machine's PostgreSQL.

A run is told of its instance, storage included, in its process's arguments or its pod's; with Dagster's own configuration that
would be a password in the open. Here it is only the state folder, and each process reads its own settings.
"""

from typing import Any

from dagster import Field
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from marquee.settings import load_settings


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
