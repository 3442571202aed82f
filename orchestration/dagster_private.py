"""The names of Dagster that have no public address, for all of `assets` and `orchestration`.

`tests/harness/private_parts.py` says why each is needed, and what to look at when an upgrade of Dagster moves it.
"""

from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData

__all__ = ["CheckRunHealthResult", "ConfigurableClassData", "DagsterUserCodeUnreachableError", "WorkerStatus"]
