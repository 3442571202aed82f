"""The one main of all processes, started as one: its exit code, and what its log says of a failure."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BEGINNING = """
import asyncio
from marquee.errors import SettingsInvalid, StoreUnavailable
from marquee.processes.runner import Process, run_process
"""
ENDING = "\nraise SystemExit(run_process('a-process', run))\n"


def start(body: str, state: Path, **environment: str) -> subprocess.Popen[str]:
    """A process whose job is `run` as `body` defines it."""
    return subprocess.Popen(
        [sys.executable, "-c", BEGINNING + body + ENDING],
        env={**os.environ, "MARQUEE_STATE": str(state), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, object]]]:
    """The exit code and the log's lines."""
    _, logged = process.communicate(timeout=60)
    return process.returncode, [json.loads(line) for line in logged.splitlines()]


def test_a_job_that_ends_by_itself_ends_well(tmp_path: Path) -> None:
    code, lines = outcome(start("async def run(process: Process) -> None: pass", tmp_path))
    assert code == 0
    assert [(line["process"], line["event"]) for line in lines] == [("a-process", "stopped")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_job_in_order(number: signal.Signals, tmp_path: Path) -> None:
    body = """
async def run(process: Process) -> None:
    print("begun", flush=True)
    await process.stop.wait()
"""
    process = start(body, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    code, lines = outcome(process)
    assert (code, lines[-1]["event"]) == (0, "stopped")


@pytest.mark.parametrize(
    ("raised", "reasons"),
    [
        ("SettingsInvalid('the URL has no host')", ["the URL has no host"]),
        ("ExceptionGroup('', [StoreUnavailable('one'), SettingsInvalid('two')])", ["one", "two"]),
    ],
)
def test_a_failure_of_ours_is_told_in_its_own_words(raised: str, reasons: list[str], tmp_path: Path) -> None:
    code, lines = outcome(start(f"async def run(process: Process) -> None: raise {raised}", tmp_path))
    assert code == 1
    assert (lines[-1]["event"], lines[-1]["reasons"]) == ("failed", reasons)
    assert "exception" not in lines[-1], "a sentence for people comes with a traceback"


def test_a_fault_is_told_with_its_traceback(tmp_path: Path) -> None:
    code, lines = outcome(start("async def run(process: Process) -> None: raise LookupError('never seen')", tmp_path))
    assert code == 1
    assert lines[-1]["reasons"] == ["never seen"]
    assert "Traceback" in str(lines[-1]["exception"])


def test_settings_that_are_invalid_are_told_and_fail_the_job(tmp_path: Path) -> None:
    code, lines = outcome(start("async def run(process: Process) -> None: pass", tmp_path, MARQUEE_PORT_BASE="none"))
    assert code == 1
    assert "MARQUEE_PORT_BASE" in str(lines[-1]["reasons"])


def test_a_job_that_is_stopped_while_its_store_is_away_has_not_failed(tmp_path: Path) -> None:
    body = """
class Away:
    async def ping(self) -> None:
        print("asked", flush=True)
        raise StoreUnavailable("away")

async def run(process: Process) -> None:
    await process.ready(Away())
"""
    process = start(body, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "asked\n"
    process.terminate()
    code, lines = outcome(process)
    assert (code, lines[-1]["event"]) == (0, "stopped")
    assert "ready" not in [line["event"] for line in lines]
