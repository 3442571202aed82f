"""Starts Spark for one job and ends it: nothing of Spark stays when the job is over, also after SIGKILL.

The JVM runs on the Java of the wheel (`marquee.platform.programs.spark_java`). The kernel ends it with this process, and a job
that fails kills it at once: what it still works on is wanted by nobody, and nothing of it is written. What Spark spills lies in
a folder of this run below the state folder. The run removes it, and the next run removes what a killed one left: a lock that
the kernel lets go of tells which runs are alive.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from marquee.analytics_extra import missing_packages, told_missing
from marquee.errors import PlatformUnavailable
from marquee.platform.programs.spark_java import spark_java_home
from marquee.settings import Settings
from marquee.settings.cores import cores

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PARTITIONS_PER_CORE: Final = 4
"""Of a shuffle. Enough that the sort of 10 million events spills little in 1 GiB; small ones are joined at run time."""
JAVA_OPTIONS: Final = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError -Xss4m"
"""One collector thread, and Java's first compiler alone: its code is slower and costs little to make. A million events took 48
processor seconds so, and a hundred thousand took 51 with both compilers. The setting can bring back the second one."""
END_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 10.0
EXECUTOR_SECONDS: Final = 120.0
"""How long a cluster may take to give the first executor."""
MAX_RESULT_BYTES: Final = 1024**3
"""What one query may bring to the driver: a day's sessions, some 5 million. Beyond it Spark refuses."""


def check_installed() -> None:
    """Raises `PlatformUnavailable`, saying what to install, where PySpark or pyarrow is missing."""
    if missing := missing_packages(("pyspark", "pyarrow")):
        raise PlatformUnavailable(f"Spark cannot run: {told_missing(missing)}")


def disk_full(state: Path, file_name: object = None) -> PlatformUnavailable:
    """The error of a full disk under the folder of Spark's files or under the lake."""
    place = file_name or state / "spark"
    return PlatformUnavailable(f"The disk of {place} is full: make room, and run the job again. Nothing was changed.")


def is_local(master: str) -> bool:
    """Whether the job's own JVM does the work."""
    return master.startswith("local")


def bounded_master(master: str) -> str:
    """`local[*]` with the number of cores that this process may use, which may be fewer than the machine has."""
    return f"local[{cores()}]" if master == "local[*]" else master


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """A folder for the files of this run. Folders of runs that were killed are removed first."""
    parent = settings.state / "spark" / "work"
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        _remove_if_left(left)
    folder = parent / secrets.token_hex(6)
    folder.mkdir()
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_if_left(folder: Path) -> None:
    """A living run holds the lock of its folder. A folder without a lock file is being made, or being removed."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def properties(settings: Settings, folder: Path) -> dict[str, str]:
    """Every property of Spark that a job sets; those of the setting `spark_properties` come last."""
    master = bounded_master(settings.spark_master)
    local = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # Task threads and blocks: one process does everything, so no copy of a block is needed elsewhere.
        "spark.sql.shuffle.partitions": str(PARTITIONS_PER_CORE * _parallelism(master)),
    }
    return {
        "spark.master": master,
        "spark.driver.memory": f"{settings.spark_memory_bytes // 1024**2}m",
        "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Djava.io.tmpdir={folder}",
        "spark.driver.maxResultSize": str(MAX_RESULT_BYTES),
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "false",
        "spark.log.level": "ERROR",
        # Files are named one by one and never listed; a damaged or missing one is an error.
        "spark.sql.files.ignoreCorruptFiles": "false",
        "spark.sql.files.ignoreMissingFiles": "false",
        **(local if is_local(master) else {}),
        **json.loads(settings.spark_properties),
    }


def _parallelism(master: str) -> int:
    number = re.search(r"\[(\d+)\]", master)
    return int(number[1]) if number else cores()


@contextmanager
def spark_session(settings: Settings, name: str, folder: Path) -> Iterator["SparkSession"]:
    """Spark for one job, named `name` on a cluster's page. Its JVM has ended when the block ends.

    Raises `PlatformUnavailable` without PySpark, Java or the cluster.
    """
    check_installed()
    if not is_local(settings.spark_master):
        check_reachable(settings.spark_master)
    # Spark's launcher and PySpark read these from the environment only.
    os.environ["JAVA_HOME"] = str(spark_java_home(settings))
    os.environ["SPARK_LOCAL_DIRS"] = str(folder)
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = SparkConf().setAppName(f"marquee {name}").setAll(list(properties(settings, folder).items()))
    refused = f"Spark did not start on {settings.spark_master}"
    try:
        gateway = launch_gateway(conf)  # type: ignore[no-untyped-call]
    except (PySparkException, RuntimeError, OSError) as error:
        raise PlatformUnavailable(f"{refused} ({error}): look at the log above.") from error
    try:
        try:
            spark = SparkSession(SparkContext(gateway=gateway, conf=conf))
        except Exception as error:
            reason = reason_of(error)
            raise PlatformUnavailable(f"{refused} ({reason}): check MARQUEE_SPARK_MASTER.") from error
        if not is_local(settings.spark_master):
            _await_executor(spark, settings.spark_master)
        yield spark
    except BaseException:
        gateway.proc.kill()
        gateway.proc.wait()
        raise
    with contextlib.suppress(Exception):  # The JVM may be gone, which is what is wanted.
        spark.stop()
    _end(gateway)


def check_reachable(master: str) -> None:
    """Raises `PlatformUnavailable` where no master listens. Spark itself would try for a minute and then not say why."""
    reasons = []
    for each in master.removeprefix("spark://").split(","):
        host, _, port = each.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
                return
        except OSError as error:
            reasons.append(f"{each}: {error.strerror or error}")
    raise PlatformUnavailable(f"No master of Spark answers ({'; '.join(reasons)}): check MARQUEE_SPARK_MASTER.")


def reason_of(error: Exception) -> str:
    """The line that says what is wrong: py4j's first one says only which call failed, the next one is Java's."""
    lines = [line.strip(": ") for line in str(error).strip().splitlines()]
    return next(
        (line for line in lines if line and not line.startswith("An error occurred while calling")), "no reason"
    )


def _await_executor(spark: "SparkSession", master: str) -> None:
    """Wait until the cluster works for this job: one row is counted. Without a free worker Spark itself would wait for ever."""
    failed: list[Exception] = []

    def count() -> None:
        try:
            spark.range(1).count()
        except Exception as error:
            failed.append(error)

    trial = threading.Thread(target=count, name="first executor", daemon=True)
    trial.start()
    trial.join(EXECUTOR_SECONDS)
    if failed:
        raise PlatformUnavailable(f"The cluster {master} does not work: {reason_of(failed[0])}.") from failed[0]
    if trial.is_alive():
        raise PlatformUnavailable(
            f"The cluster {master} gave no executor within {EXECUTOR_SECONDS:.0f} s: check that it has a worker with free "
            "cores and memory (spark.executor.memory in MARQUEE_SPARK_PROPERTIES), and that it reaches this host."
        )


def _end(gateway: Any) -> None:
    """The JVM ends by itself when its standard input closes; one that hangs is killed."""
    process = gateway.proc
    with contextlib.suppress(Exception):
        gateway.shutdown()
    process.stdin.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
