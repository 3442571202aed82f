"""A job's process ends when it is told to, and its JVM with it: SIGTERM, SIGTERM that is lost, SIGKILL, a full disk.

The jobs here are the real main with work of this test. They run at the same time, because each starts a JVM.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(900)]

SECONDS = 300
MAIN = """
from jobs.spark.job import run_job
{work}
raise SystemExit(run_job("test", work, ["--day", "2026-01-01"], day_option="day"))
"""
ENDLESS = """
def work(job):
    (job.settings.state / "begun").touch()
    job.spark.range(10**15).selectExpr("sum(id * id % 7)").collect()
"""
DEAF = """
import time
def work(job):
    (job.settings.state / "begun").touch()
    while True:
        try:
            time.sleep(600)
        except SystemExit:
            pass
"""
LARGE = """
def work(job):
    job.spark.range(5 * 10**5).selectExpr("id", "uuid() AS text").repartition(3).selectExpr("sum(hash(text))").collect()
    return {}
"""
ON_A_SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


class Started:
    """A job's process, and the JVM that it has started by `begun`."""

    def __init__(self, folder: Path, work: str, *, before: str = "") -> None:
        self.state = folder
        folder.mkdir()
        main = [sys.executable, "-c", MAIN.format(work=work)]
        command = [*ON_A_SMALL_DISK, f'{before} && exec "$0" "$@"', *main] if before else main
        self._log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            command, env={**os.environ, "MARQUEE_STATE": str(folder)}, stdout=self._log, stderr=self._log
        )
        self.jvm: list[psutil.Process] = []

    def begin(self) -> None:
        until(lambda: (self.state / "begun").exists() or self.process.poll() is not None, "Spark did not start")
        assert self.process.poll() is None, self.said()
        self.jvm = psutil.Process(self.process.pid).children(recursive=True)
        assert [child for child in self.jvm if "java" in child.name()], "the job has no JVM"

    def ended(self) -> int:
        code = self.process.wait(SECONDS)
        until(lambda: not any(is_alive(child) for child in self.jvm), "the JVM outlived the job")
        return code

    def said(self) -> str:
        return (self.state / "log").read_text()

    @property
    def left(self) -> list[Path]:
        return list((self.state / "spark" / "work").iterdir())


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    started: list[Started] = []

    def of(name: str, work: str, **options: str) -> Started:
        started.append(Started(tmp_path / name, work, **options))
        return started[-1]

    yield of
    for each in started:
        with contextlib.suppress(ProcessLookupError):
            each.process.kill()
        each.process.wait(SECONDS)


def can_mount() -> bool:
    """Whether this user may have a file system of its own, as in a container without the rights it may not."""
    if shutil.which("unshare") is None:
        return False
    tried = [*ON_A_SMALL_DISK, "mount -t tmpfs none /mnt"]
    return subprocess.run(tried, capture_output=True, timeout=60, check=False).returncode == 0


def test_a_job_that_is_told_to_stop_or_killed_leaves_no_jvm(start: Callable[..., Started]) -> None:
    asked, deaf, killed = start("asked", ENDLESS), start("deaf", DEAF), start("killed", ENDLESS)
    for each, ending in ((asked, signal.SIGTERM), (deaf, signal.SIGTERM), (killed, signal.SIGKILL)):
        each.begin()
        each.process.send_signal(ending)
    # On a machine that is too busy the alarm may end the first one too.
    assert asked.ended() in (128 + signal.SIGTERM, -signal.SIGALRM), asked.said()
    assert deaf.ended() == -signal.SIGALRM, "a job whose SystemExit was lost went on"
    assert killed.ended() == -signal.SIGKILL
    if asked.process.returncode > 0:
        assert asked.left == []
    assert len(killed.left) == 1, "the next run removes it"


def test_a_full_disk_is_told_in_a_sentence(start: Callable[..., Started], tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("this user may not mount a file system of its own")
    (tmp_path / "small").mkdir()
    spark = tmp_path / "job" / "spark"
    job = start("job", LARGE, before=f"mkdir -p {spark} && mount -t tmpfs -o size=4m none {spark}")
    assert job.ended() == 1, job.said()
    told = [line for line in job.said().splitlines() if "job failed" in line]
    assert len(told) == 1, job.said()
    assert re.search(r"The disk of \S+spark is full: make room", told[0]), told[0]
    assert "Traceback" not in job.said()


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("MARQUEE_SPARK_MASTER", "spark://127.0.0.1:1", "No master of Spark answers (127.0.0.1:1: "),
        ("MARQUEE_SPARK_MASTER", "spark://nowhere.invalid:7077", "No master of Spark answers (nowhere.invalid:7077: "),
        ("MARQUEE_JAVA_17", "/nowhere/java", "MARQUEE_JAVA_17 is /nowhere/java, which is not a Java 17"),
        ("", "2999-01-01", "2999-01-01 has not begun: today is "),
    ],
)
def test_what_cannot_work_is_told_in_a_sentence(tmp_path: Path, setting: str, value: str, sentence: str) -> None:
    day = "2026-01-01" if setting else value
    code = MAIN.format(work="def work(job): raise AssertionError('Spark started')").replace("2026-01-01", day)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MARQUEE_STATE": str(tmp_path), **({setting: value} if setting else {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert sentence in said
    assert "Traceback" not in said
    work = tmp_path / "spark" / "work"
    assert not work.exists() or list(work.iterdir()) == []
