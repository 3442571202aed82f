"""One Spark session for all tests of the jobs, in one of pytest's processes: each test module carries `xdist_group("spark")`."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from jobs.spark.session import spark_session, work_folder
from marquee.settings import Settings, load_settings
from marquee.stores.schema.migrate import migrate
from tests.jobs.spark.frames import DAY

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from jobs.spark.job import Figures, Job

Run = Callable[..., dict[str, Any]]
FOR_SMALL_FRAMES: Final = {
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    # Spark compiles a class for each query, and Java compiles it again: for a few rows that is most of the time.
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss4m",
}


@pytest.fixture(scope="session")
def spark_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of that session."""
    return tmp_path_factory.mktemp("spark")


@pytest.fixture(scope="session")
def spark(spark_folder: Path) -> Iterator["SparkSession"]:
    pytest.importorskip("pyspark")
    settings = load_settings(
        state=spark_folder, spark_memory_bytes=512 * 1024**2, spark_properties=json.dumps(FOR_SMALL_FRAMES)
    )
    with work_folder(settings) as folder, spark_session(settings, "tests", folder) as session:
        yield session


@pytest.fixture
def platform(postgres_server: Settings, empty_database: str, tmp_path: Path) -> Settings:
    migrate(empty_database)
    lake = tmp_path / "lake"
    return postgres_server.model_copy(
        update={"database_url": empty_database, "lake_url": f"file://{lake}", "lake_days": 0}
    )


@pytest.fixture
def run(platform: Settings, spark: "SparkSession", tmp_path: Path) -> Run:
    """Runs a job's work for a day, in the Spark of the tests."""

    def of(
        work: "Callable[[Job], Figures]", day: date = DAY, *, settings: Settings = platform, **options: Any
    ) -> "Figures":
        from jobs.spark.events import spark_errors
        from jobs.spark.job import Job

        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        with spark_errors(tmp_path):
            return work(Job(settings, spark, folder, day, options))

    return of
