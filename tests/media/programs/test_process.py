"""Programs run by `process`: limits, time-outs, cancellation, progress; no program is left running."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from marquee.errors import ProcessFailed, ProcessLost, ProcessTimedOut
from marquee.media.programs import binaries, process
from marquee.platform.project import FIXTURES


def pids_with(marker: str) -> list[int]:
    """The pids of running processes whose command line contains `marker`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if marker.encode() in command and state != "Z":
                found.append(int(entry.name))
    return found


async def becomes(marker: str, *, running: bool) -> bool:
    """Whether, within 30 seconds, a program with `marker` runs (`running`) or no such program runs any more."""
    deadline = time.monotonic() + 30
    for _ in iter(lambda: time.monotonic() < deadline, False):
        if bool(pids_with(marker)) is running:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_output_and_cost_come_back() -> None:
    finished = await process.run([sys.executable, "-c", "print(sum(range(3_000_000)))"], timeout_seconds=30)
    assert finished.stdout.strip() == b"4499998500000"
    assert 0 < finished.cpu_seconds < 10, "the kernel's CPU time of the program did not come back"


async def test_input_is_handed_over() -> None:
    finished = await process.run(["/bin/cat"], timeout_seconds=10, input=b"x" * 300_000)
    assert finished.stdout == b"x" * 300_000


async def test_failure_carries_the_programs_own_words() -> None:
    with pytest.raises(ProcessFailed, match=r"No such file or directory"):
        await process.run([binaries.picture_ffmpeg(), "-v", "error", "-i", "no-such-film.mp4"], timeout_seconds=30)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
async def test_a_program_that_the_machine_ends_did_not_fail(by: signal.Signals) -> None:
    with pytest.raises(ProcessLost, match=by.name):
        await process.run(["/bin/sh", "-c", f"kill -{by.value} $$"], timeout_seconds=30)


async def test_a_program_that_cannot_be_started_did_not_fail(tmp_path: Path) -> None:
    with pytest.raises(ProcessLost, match="No such file or directory"):
        await process.run([tmp_path / "ffmpeg"], timeout_seconds=30)


async def test_a_program_past_its_time_is_killed_with_its_children() -> None:
    with pytest.raises(ProcessTimedOut, match="stopped after"):
        await process.run(["/bin/sh", "-c", "sleep 611 & sleep 611"], timeout_seconds=0.3)
    assert await becomes("sleep\x00611", running=False), "a child of the program outlived it"


async def test_cancelling_the_caller_kills_the_program() -> None:
    task = asyncio.create_task(process.run(["/bin/sleep", "612"], timeout_seconds=60))
    assert await becomes("sleep\x00612", running=True)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not pids_with("sleep\x00612")


async def test_a_killed_worker_leaves_no_program() -> None:
    code = (
        "import asyncio; from marquee.media.programs import process;"
        "asyncio.run(process.run(['/bin/sleep', '613'], timeout_seconds=60))"
    )
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await becomes("/bin/sleep\x00613\x00", running=True)
    worker.kill()
    await worker.wait()
    assert await becomes("/bin/sleep\x00613\x00", running=False), "the program outlived its worker's SIGKILL"


async def test_memory_is_limited() -> None:
    hungry = [sys.executable, "-c", "len(bytearray(2 * 1024**3))"]
    with pytest.raises(ProcessFailed, match="MemoryError"):
        await process.run(hungry, timeout_seconds=30, memory_bytes=512 * 1024**2)


async def test_no_secret_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_POSTGRES_PASSWORD", "secret")
    finished = await process.run(["/usr/bin/env"], timeout_seconds=10)
    assert b"secret" not in finished.stdout


async def test_no_core_file_and_lower_priority() -> None:
    code = "import os, resource; print(resource.getrlimit(resource.RLIMIT_CORE), os.nice(0))"
    finished = await process.run([sys.executable, "-c", code], timeout_seconds=10, nice=7)
    assert finished.stdout.decode().strip() == f"(0, 0) {min(19, os.nice(0) + 7)}"


async def test_stderr_is_bounded() -> None:
    code = "import sys; sys.stderr.write('begin\\n' + 'word ' * 100_000 + '\\n' + 'x\\n' * 50_000 + 'end\\n')"
    finished = await process.run([sys.executable, "-c", code], timeout_seconds=30)
    assert finished.stderr_tail.endswith("end")
    assert len(finished.stderr_tail) <= 2 * process.STDERR_TAIL_BYTES


async def test_progress_is_read() -> None:
    reports: list[process.Progress] = []
    film = FIXTURES / "bikes_640x272_silent.mp4"
    argv = [binaries.picture_ffmpeg(), "-v", "error", "-i", film, "-f", "null", "-"]
    await process.run(argv, timeout_seconds=60, on_progress=reports.append)
    assert reports[-1].frame == 250
    assert reports[-1].out_seconds == pytest.approx(10.0, abs=0.1)


async def test_an_error_in_a_callback_ends_the_program() -> None:
    def refuse(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="enough"):
        await process.run(["/bin/sh", "-c", "echo enough; exec sleep 614"], timeout_seconds=60, on_stdout_line=refuse)
    assert not pids_with("sleep\x00614")
