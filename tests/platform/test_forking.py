"""A Python program that the supervisor forks behaves like one that was started by exec, and is supervised like any other."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from marquee.errors import PlatformUnavailable
from marquee.platform.project import PROJECT
from marquee.platform.state import bootstrap, run_folder
from marquee.platform.supervisor import leftovers
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.supervision import Supervisor, run_programs, stop
from marquee.platform.topology import platform_programs
from marquee.settings import Settings
from tests.harness.servers import make_test_settings

IMPORTS = ("decimal",)
"""Something that a program does not import by itself, so that one that has it was forked."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return bootstrap(make_test_settings(tmp_path / "state"))


def program(name: str, report: Path, *ending: str, imports: Sequence[str] = IMPORTS, one_shot: bool = False) -> Program:
    async def ready() -> None:
        json.loads(report.read_text())

    return Program(
        name=name,
        command=(sys.executable, "-m", "tests.harness.forked_program", str(report), *ending),
        ready=ready,
        stage=20,
        environment={"GREETING": f"hello {name}"},
        imports=tuple(imports),
        one_shot=one_shot,
    )


@asynccontextmanager
async def running(settings: Settings, *programs: Program) -> AsyncIterator[Supervisor]:
    await run_programs(settings, lambda: programs, check=lambda: None)
    try:
        yield Supervisor(settings)
    finally:
        await stop(settings)
        assert leftovers.of_platform(run_folder(settings)) == [], "no process may be left after a stop"


def told(report: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.read_text())
    return found


async def eventually(what: str, holds: Callable[[], bool], *, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - made by other processes
            await asyncio.sleep(0.05)
    assert holds(), what


async def test_a_forked_program_finds_itself_as_if_started_anew(settings: Settings, tmp_path: Path) -> None:
    forked, anew = tmp_path / "forked", tmp_path / "anew"
    async with running(settings, program("forked", forked), program("anew", anew, imports=())) as supervisor:
        pids = {process.name: process.pid for process in await supervisor.processes()}
        names = {name: Path(f"/proc/{pid}/comm").read_text().strip() for name, pid in pids.items()}
        parents = {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1] for pid in pids.values()}
    seen, expected = told(forked), told(anew)
    assert seen.pop("supervisor's") == ["decimal", "supervisor.supervisord"], "it has what the supervisor imported"
    assert expected.pop("supervisor's") == []
    assert seen["greeting"] == "hello forked"
    assert seen["mark"] == str(run_folder(settings) / "forked")
    own = {"arguments": [str(forked)], "greeting": "hello forked", "mark": str(run_folder(settings) / "forked")}
    assert seen == expected | own
    assert names["forked"] == "forked", "so that `ps` tells the forks apart"
    assert len(parents) == 1, "both are the supervisor's own children"


async def test_a_killed_fork_comes_back_as_a_fork(settings: Settings, tmp_path: Path) -> None:
    report = tmp_path / "report"
    async with running(settings, program("forked", report)) as supervisor:
        before = (await supervisor.process("forked")).pid
        report.unlink()
        os.kill(before, signal.SIGKILL)
        await eventually("it is back", report.exists)
        assert (await supervisor.process("forked")).pid != before
        assert "decimal" in told(report)["supervisor's"]


async def test_a_fork_ends_as_an_interpreter_does(settings: Settings, tmp_path: Path) -> None:
    report = tmp_path / "report"
    async with running(settings, program("ends", report, "well", one_shot=True)) as supervisor:
        ended = await supervisor.process("ends")
        assert (ended.state, ended.exit_code) == ("exited", 0)
    assert Path(f"{report}.ended").exists(), "what it wanted done at its exit is done"
    assert Path(f"{report}.thread").exists(), "its threads are waited for"


@pytest.mark.parametrize(
    ("ending", "words"), [("with words", "this is why"), ("by an error", "ValueError: what went wrong")]
)
async def test_a_fork_that_fails_says_why(settings: Settings, tmp_path: Path, ending: str, words: str) -> None:
    with pytest.raises(PlatformUnavailable, match=words):
        async with running(settings, program("fails", tmp_path / "report", ending, one_shot=True)):
            pass
    assert Path(f"{tmp_path / 'report'}.ended").exists()
    assert leftovers.of_platform(run_folder(settings)) == [], "a start that failed leaves nothing running"


async def test_a_module_that_is_missing_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(PlatformUnavailable, match=r"no_such_module cannot be imported.*make install"):
        async with running(settings, program("forked", tmp_path / "report", imports=("no_such_module",))):
            pass


async def test_a_killed_supervisor_leaves_no_fork(settings: Settings, tmp_path: Path) -> None:
    async with running(settings, program("forked", tmp_path / "report")) as supervisor:
        pid = await supervisor.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await eventually("every program is gone", lambda: not leftovers.of_platform(run_folder(settings)))


def test_what_the_platform_imports_starts_no_thread(settings: Settings) -> None:
    """A fork has only the thread that forked. A lock that another thread held would stay locked for ever."""
    modules = list(dict.fromkeys(module for each in platform_programs(settings) for module in each.imports))
    code = (
        "import os, sys, types\n"
        "from marquee.platform.supervisor.forking import _import\n"
        "for name in sys.argv[1:]: _import(name)\n"
        "print(len(os.listdir('/proc/self/task')))\n"
        "print(','.join(name for name in ('pandas', 'matplotlib', 'numpy', 'playwright') if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *modules], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    threads, heavy = done.stdout.split("\n")[:2]
    assert threads == "1"
    assert heavy == "", "what only some runs need is not for every process"
