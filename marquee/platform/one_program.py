"""`marquee run NAME`: one program of the platform without a supervisor, for containers, systemd and Kubernetes.

This process writes the program's configuration from the settings, then replaces itself by the program (`execve`). The
`Program` is the one that the supervisor would start. The container runtime, systemd or Kubernetes restarts a program that
ends. This command prepares no engine and makes no secret: `marquee prepare` and the settings do that (see `preparation`,
`hosts`).
"""

import os
from typing import NoReturn

from marquee.platform.hosts import check_needed
from marquee.platform.project import PACKAGES
from marquee.platform.state import bootstrap_folders, check_disk
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.supervisord import environment
from marquee.platform.topology import FAMILIES, part_of
from marquee.settings import Settings


def program(settings: Settings, name: str) -> Program:
    """Return the program of this name and write its configuration into the state folder.

    The name of a family (api, transcode) means its first program: each host or container runs one of its own. A second one on
    the same host is `api-2`. Raises `InputInvalid` for an unknown name.
    """
    part, number = part_of(name)
    bootstrap_folders(settings)
    if part.name in FAMILIES:
        settings = settings.model_copy(update={f"{part.name}_workers": number})
    return part.programs(settings)[number - 1]


def replace_process(settings: Settings, name: str) -> NoReturn:
    """Replace this process by a program. Raises `SettingsInvalid` for a required setting that is not set."""
    check_needed(settings, {part_of(name)[0].name})
    found = program(settings, name)
    check_disk(settings)
    os.chdir(PACKAGES)
    command = found.launch_command
    os.execvpe(command[0], command, {**os.environ, **environment(settings), **found.environment})  # noqa: S606
