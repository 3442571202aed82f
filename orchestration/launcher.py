"""A run launcher that notices when a run's process is gone. Run monitoring then fails the run, and Dagster retries it.

Dagster's default launcher starts each run as a process of the code server and never looks at it again: a run killed with
SIGKILL would stay "started" for ever. The run's own events say its pid. The run is alive if a process has that pid, is
older than that event (pids are reused) and is no zombie. The events alone are enough, so runs that another daemon or code
server started are known too. A dead run is reported only while the code server answers: Dagster tries a retry only once and
at once, and without a code server that retry would be lost. For one machine; Dagster's launchers of clusters do the same.
"""

import os
import signal
from dataclasses import dataclass
from typing import Final

import dagster as dg
import psutil

from orchestration.dagster_private import CheckRunHealthResult, DagsterUserCodeUnreachableError, WorkerStatus

_CLOCK_SECONDS: Final = 5.0
"""Largest difference between the kernel's start time of a process and the event's wall clock."""


@dataclass(frozen=True)
class _RunProcess:
    """A run's process, as the run's events name it."""

    pid: int
    logged_at: float

    def is_alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= self.logged_at + _CLOCK_SECONDS
        except psutil.NoSuchProcess:
            return False


class WatchfulRunLauncher(dg.DefaultRunLauncher):
    """`run_launcher: {module: orchestration.launcher, class: WatchfulRunLauncher}` in dagster.yaml."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        seen = self.process_of_run(run.run_id)
        if seen is None or seen.is_alive():
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if not self._code_server_answers(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "its process is gone; waiting for the code server")
        return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {seen.pid} is gone", run_worker_id=str(seen.pid))

    def _code_server_answers(self, run_id: str) -> bool:
        client = self._get_grpc_client_for_termination(run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return True
        try:
            client.ping("")
        except DagsterUserCodeUnreachableError:
            return False
        return True

    def terminate(self, run_id: str) -> bool:
        """Ask the code server that started the run. If it is gone, send the run's process a signal."""
        if super().terminate(run_id):  # type: ignore[no-untyped-call]
            return True
        seen = self.process_of_run(run_id)
        if seen is None or not seen.is_alive():
            return False
        os.kill(seen.pid, signal.SIGINT)
        return True

    def process_of_run(self, run_id: str) -> _RunProcess | None:
        for entry in self._instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            metadata = entry.get_dagster_event().engine_event_data.metadata
            if "pid" in metadata:
                return _RunProcess(int(str(metadata["pid"].value)), entry.timestamp)
        return None
