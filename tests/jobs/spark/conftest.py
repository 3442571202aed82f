"""One Spark session for all tests of the jobs, in one of pytest's processes: each test module carries `xdist_group("spark")`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from jobs.spark.session import spark_session, work_folder
from marquee.settings import load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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
