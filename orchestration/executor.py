"""Which executor runs the steps of a run: the setting `MARQUEE_DAGSTER_EXECUTOR`, read when the definitions are loaded.

Default: all in one process, as the heavy work is in the transcode workers and a process a step would cost seconds each. On a
cluster each step may have a pod (`dagster_k8s.k8s_job_executor`), so that a stage that needs a big machine gets one.
"""

import importlib
import json
from typing import Any

import dagster as dg

from marquee.errors import SettingsInvalid
from marquee.settings import Settings


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """Raises `SettingsInvalid` for a name that is no executor of an installed module, or a configuration it does not take."""
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
