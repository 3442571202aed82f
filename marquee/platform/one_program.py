"""`marquee run NAME`: one program of the platform without a supervisor, for containers, systemd and Kubernetes.

This process writes the program's configuration from the settings, then replaces itself by the program (`execve`). The
`Program` is the one that the supervisor would start. The container runtime, systemd or Kubernetes restarts a program that
ends. This command prepares no engine and makes no secret: `marquee prepare` and the settings do that (see `preparation`,
`hosts`).
"""

import os
from typing import NoReturn

from marquee.errors import InputInvalid
from marquee.platform.hosts import check_needed
from marquee.platform.project import PACKAGES
from marquee.platform.state import bootstrap_folders, check_disk
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.supervisord import environment
from marquee.platform.topology import PARTS, present_name
from marquee.settings import Settings


def program(settings: Settings, name: str) -> Program:
    """Return the program of this name and write its configuration into the state folder.

    Of several equal programs (transcode workers) it is the first: each host or container runs one of its own. Raises
    `InputInvalid` for an unknown name.
    """
    part = next((part for part in PARTS if part.name == present_name(name)), None)
    if part is None:
        names = ", ".join(part.name for part in PARTS)
        raise InputInvalid(f"There is no program {name}: choose from {names}.", field="name")
    bootstrap_folders(settings)
    return part.programs(settings.model_copy(update={"transcode_workers": 1}))[0]


def replace_process(settings: Settings, name: str) -> NoReturn:
    """Replace this process by a program. Raises `SettingsInvalid` for a required setting that is not set."""
    name = present_name(name)
    check_needed(settings, {name})
    found = program(settings, name)
    check_disk(settings)
    os.chdir(PACKAGES)
    command = found.launch_command
    os.execvpe(command[0], command, {**os.environ, **environment(settings), **found.environment})  # noqa: S606
