"""The main of every Spark job, once: arguments, log, Spark, what the job cost, and its figures for Dagster.

`python -m jobs.spark.NAME --day 2026-11-30` from a shell prints one JSON object with the figures. Started by Dagster Pipes, the
same figures become the metadata of the materialized asset. A job ends with 0, or with 1 and the reason in its last log line, and
then it has written nothing. SIGTERM ends it within `STOP_SECONDS`, and Spark with it.
"""

import argparse
import errno
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
from dagster_pipes import PipesContext, PipesEnvVarParamsLoader, open_dagster_pipes

from jobs.spark.session import check_installed, disk_full, spark_session, work_folder
from marquee.errors import InputInvalid, MarqueeError
from marquee.logs import configure_logging, get_logger
from marquee.settings import Settings, load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Figures = dict[str, Any]
STOP_SECONDS: Final = 8
"""From SIGTERM on. The kernel ends a job that is not over by then, and the JVM with it."""
log = get_logger()


@dataclass(frozen=True)
class Job:
    """What a job has: its settings, Spark, a folder for files of its run, its day or its last day, and further options."""

    settings: Settings
    spark: "SparkSession"
    folder: Path
    day: date
    options: Mapping[str, Any]
    report: Callable[[str, Figures], None] = lambda _asset, _figures: None
    """Tells Dagster at once that an asset is made. From a shell it does nothing."""


def run_job(
    name: str,
    work: Callable[[Job], Figures],
    arguments: Sequence[str] | None = None,
    *,
    day_option: str,
    flags: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
    takes_several: bool = False,
) -> int:
    """Run `work` with Spark. Returns the exit code. `flags`: option without a value -> its help; `values`: with one.

    `takes_several`: with `--first DAY` the work is done for each day from that one to the last, one after the other.
    """
    parser = argparse.ArgumentParser(prog=f"python -m jobs.spark.{name}")
    parser.add_argument(
        f"--{day_option}", dest="day", type=date.fromisoformat, required=True, help="a day (UTC): 2026-11-30"
    )
    if takes_several:
        parser.add_argument("--first", type=date.fromisoformat, help="do every day from this one on, with one Spark")
    for flag, told in (flags or {}).items():
        parser.add_argument(f"--{flag}", action="store_true", help=told)
    for option, told in (values or {}).items():
        parser.add_argument(f"--{option}", help=told)
    options = vars(parser.parse_args(arguments))
    configure_logging(f"spark-{name}")
    signal.signal(signal.SIGTERM, _end)
    try:
        if PipesEnvVarParamsLoader().is_dagster_pipes_process():  # type: ignore[no-untyped-call]
            with open_dagster_pipes() as context:
                figures = _run(name, work, options, context)
                if len(context.asset_keys) == 1:
                    context.report_asset_materialization(metadata=figures)
        else:
            figures = _run(name, work, options)
            sys.stdout.write(json.dumps(figures) + "\n")
    except MarqueeError as error:
        log.error("job failed", reason=error.detail, code=error.code)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        full = disk_full(load_settings().state, error.filename)
        log.error("job failed", reason=full.detail, code=full.code)
        return 1
    return 0


def _end(signal_number: int, _: object) -> None:
    """Leaves by the ordinary way out, so that Spark ends and the run's folder goes.

    Python drops an exception that is raised while it destroys an object, as py4j's do. So the kernel's alarm is set too: it
    ends this process, and the JVM dies with its parent (`spark_java`).
    """
    signal.signal(signal_number, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(STOP_SECONDS)
    raise SystemExit(128 + signal_number)


def _run(
    name: str, work: Callable[[Job], Figures], options: dict[str, Any], pipes: PipesContext | None = None
) -> Figures:
    check_installed()
    from jobs.spark.events import spark_errors

    settings = load_settings()
    day, days = options["day"], days_of(options)
    began = time.monotonic()

    def report(asset: str, figures: Figures) -> None:
        if pipes is not None:
            pipes.report_asset_materialization(asset_key=asset, metadata=figures)

    log.info("job started", day=str(day), master=settings.spark_master)
    with work_folder(settings) as folder, spark_session(settings, name, folder) as spark:
        with spark_errors(settings.state):
            each = [work(Job(settings, spark, folder, one, options, report)) for one in days]
        used = cost()
    figures = each[0] if len(each) == 1 else added_up(each)
    figures = {"day": str(day), **figures, "spark_seconds": round(time.monotonic() - began, 2), **used}
    log.info("job ended", **figures)
    return figures


def days_of(options: Mapping[str, Any]) -> list[date]:
    """The days to work on, in order. Raises `InputInvalid` where the first is after the last, or the last has not begun."""
    last: date = options["day"]
    first: date = options.get("first") or last
    if last > (today := datetime.now(UTC).date()):
        raise InputInvalid(f"{last} has not begun: today is {today} (UTC). Nothing was written.", field="day")
    if first > last:
        raise InputInvalid(f"--first is {first}, after the last day {last}: exchange them.", field="first")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def added_up(each: Sequence[Figures]) -> Figures:
    """The figures of several days: their number, and the sums of what can be added."""
    sums = {name: sum(one[name] for one in each) for name, value in each[0].items() if isinstance(value, int)}
    return {"days": len(each), **sums}


def cost() -> Figures:
    """Processor seconds, and the largest resident memory, of this process and the JVM that it started."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    seconds, peak = own.ru_utime + own.ru_stime, own.ru_maxrss * 1024
    for child in psutil.Process().children(recursive=True):
        try:
            seconds += sum(child.cpu_times()[:2])
            peak += _peak_bytes(child)
        except psutil.NoSuchProcess:
            continue
    return {"spark_cpu_seconds": round(seconds, 2), "spark_memory_bytes": peak}


def _peak_bytes(process: psutil.Process) -> int:
    """Linux notes a process's largest resident memory; elsewhere, what it has now."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)


def start_of(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
