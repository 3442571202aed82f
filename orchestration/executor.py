"""Which executor runs the steps of a run. The setting `MARQUEE_DAGSTER_EXECUTOR` is read when a code location is loaded.

Default: all steps in one process. The heavy work is in the transcode workers, and a process for each step would cost 3 to
5 s each. On a cluster each step may have its own pod (`dagster_k8s.k8s_job_executor`), for stages that need a big machine.
"""

import importlib
import json
from typing import Any

import dagster as dg

from marquee.errors import SettingsInvalid
from marquee.settings import Settings


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """Raises `SettingsInvalid` if the name is no executor of an installed module, or does not take the configuration."""
    setting = "MARQUEE_DAGSTER_EXECUTOR"
    module, _, name = settings.dagster_executor.rpartition(".")
    try:
        found: Any = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        found = None
    if not isinstance(found, dg.ExecutorDefinition):
        raise SettingsInvalid(
            f"{setting} cannot be used: {settings.dagster_executor!r} is no executor of a module that is installed here.",
            field=setting,
        )
    try:
        config = json.loads(settings.dagster_executor_config)
        return found.configured(config) if config else found
    except (ValueError, dg.DagsterInvalidDefinitionError, dg.DagsterInvalidConfigError) as error:
        raise SettingsInvalid(f"{setting}_CONFIG cannot be used: {error}", field=f"{setting}_CONFIG") from error
