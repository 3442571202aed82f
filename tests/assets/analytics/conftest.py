"""A database and a state folder for each test module's platform; dbt and Great Expectations are the real ones."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from marquee.settings import Settings
from marquee.stores.schema.migrate import migrate
from orchestration.analytics import analytics_definitions
from tests.harness.chain import write_environment
from tests.harness.databases import own_database

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def own_settings(postgres_server: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a migrated database and a state folder of this test only; no row cache answers."""
    with own_database(postgres_server) as url:
        migrate(url)
        lake = tmp_path / "lake"
        settings = postgres_server.model_copy(
            update={"state": tmp_path, "database_url": url, "lake_url": f"file://{lake}"}
        )
        write_environment(settings)
        yield settings


@pytest.fixture
def connection(own_settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_settings.database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def run(own_settings: Settings) -> Iterator[Run]:
    """Run assets of the location, with the checks on them, in this process."""
    definitions = analytics_definitions(own_settings)
    with dg.DagsterInstance.ephemeral() as instance:

        def start(
            job: str, *, day: str | None = None, only: Sequence[str] | None = None, **options: object
        ) -> dg.ExecuteInProcessResult:
            return definitions.resolve_job_def(job).execute_in_process(
                partition_key=day,
                instance=instance,
                raise_on_error=False,
                asset_selection=[dg.AssetKey(name.split("/")) for name in only] if only else None,
                **options,  # type: ignore[arg-type]
            )

        yield start


def failed_checks(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Name of each failed check -> its description."""
    return {each.check_name: each.description or "" for each in result.get_asset_check_evaluations() if not each.passed}


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
