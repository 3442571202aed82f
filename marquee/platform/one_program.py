"""One program of the platform without a supervisor, for containers, systemd and Kubernetes: `marquee run NAME`.

The same `Program` that the supervisor would start, with the same configuration from the same settings, in the place of this
process. Whoever starts it starts it again; nothing is prepared and no secret is made here (see `hosts`, `preparation`).
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
    """The program of this name; of several alike (transcode workers) the first, as each host or container has its own.

    Writes its configuration into the state folder. Raises `InputInvalid` for a name that no program has.
    """
    part = next((part for part in PARTS if part.name == present_name(name)), None)
    if part is None:
        names = ", ".join(part.name for part in PARTS)
        raise InputInvalid(f"There is no program {name}: choose from {names}.", field="name")
    bootstrap_folders(settings)
    return part.programs(settings.model_copy(update={"transcode_workers": 1}))[0]


def become(settings: Settings, name: str) -> NoReturn:
    """Replace this process by a program. Raises `SettingsInvalid` for what the program was not told."""
    name = present_name(name)
    check_needed(settings, {name})
    found = program(settings, name)
    check_disk(settings)
    os.chdir(PACKAGES)
    command = found.launch_command
    os.execvpe(command[0], command, {**os.environ, **environment(settings), **found.environment})  # noqa: S606
