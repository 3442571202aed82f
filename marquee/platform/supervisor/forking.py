"""`python -m marquee.platform.supervisor.forking -c FILE`: supervisord, whose Python programs are forks of it.

A Python that imports Dagster, Litestar or SQLAlchemy computes for 1 to 3 s before its own first line, and shares its modules with
no other process. Here the supervisor imports them once, while the engines start (`marquee.preload`). A program whose command is
`python -m MODULE ...` then becomes that module in the child that supervisord has forked. Every other program is exec'd, and so is
a Python program until its modules are imported. All the rest is supervisord's: pids, signals, logs, restarts. The supervisor
never has a second thread: a lock that one held would stay locked in every fork.
"""

import atexit
import gc
import importlib
import os
import resource
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from supervisor import supervisord
from supervisor.options import ServerOptions
from supervisor.xmlrpc import Faults, RPCError

from marquee.platform.supervisor import launch
from marquee.platform.supervisor.program import launcher

PYTHON: Final = (sys.executable, "-m")
OPEN_FILES: Final = 16384
"""What each program may open, where the hard limit permits it."""


class ForkingOptions(ServerOptions):  # type: ignore[misc]
    """Supervisord's calls to the system; one of them is ours."""

    def __init__(self) -> None:
        super().__init__()
        self.preloaded: set[str] = set()
        """Programs that are forked, by their names."""

    def execve(self, filename: str, argv: Sequence[str], environment: dict[str, str]) -> None:
        """In the forked child, whose group, descriptors, folder and umask are set: become the program."""
        if environment["SUPERVISOR_PROCESS_NAME"] in self.preloaded:
            options, command = launch.split(argv[len(launcher()) :])
            become(options, command[len(PYTHON) :], environment)
        super().execve(filename, argv, environment)


def become(options: Sequence[str], module: Sequence[str], environment: dict[str, str]) -> NoReturn:
    """Do what the launcher and a new Python would do with `-m MODULE ARGUMENTS...`, and end as it would."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    launch.name_process(environment["SUPERVISOR_PROCESS_NAME"])
    launch.enter(options)
    sys.argv = list(module)
    # What the parent imported is run anew: it is another program's main.
    sys.modules.pop(module[0], None)
    status = 1
    try:
        runpy.run_module(module[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as stop:
        status = _exit_status(stop.code)
    except BaseException:
        traceback.print_exc()
    finally:
        # As an interpreter's end, and `multiprocessing`, do it. The stack below is supervisord's and must not unwind: what
        # it holds are descriptors by number, which are this program's by now.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _exit_status(code: object) -> int:
    if code is None or isinstance(code, int):
        return code or 0
    sys.stderr.write(f"{code}\n")
    return 1


class Preloading:
    """What the supervisor answers to beside supervisord's own calls: `marquee.preload`."""

    def __init__(self, options: ForkingOptions) -> None:
        self._options = options

    def preload(self, program: str, modules: list[str]) -> bool:
        """Import what a `python -m` program needs; from then on that program is forked.

        In one turn of the supervisor's loop: a turn between two modules would wait up to a second for whatever else there
        is to do, which is nothing. Faults with the name of a module that cannot be imported.
        """
        for module in modules:
            _import(module)
        if len(os.listdir("/proc/self/task")) == 1:
            self._options.preloaded.add(program)
        return program in self._options.preloaded


def _import(name: str) -> None:
    """Import MODULE, and call its function where the name is MODULE:FUNCTION."""
    module, _, function = name.partition(":")
    # What is imported stays: the collector need not look through it again and again, neither here nor in a fork, where its
    # look alone would make the pages the fork's own.
    gc.disable()
    try:
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    except Exception as error:
        raise RPCError(Faults.FAILED, f"{name} cannot be imported: {error!r}") from error
    finally:
        gc.freeze()
        gc.enable()


def make_preloading(supervisor: Any) -> Preloading:
    """For `rpcinterface:marquee` in supervisord.conf."""
    return Preloading(supervisor.options)


def main() -> None:
    # Here and not by `minfds`: supervisord closes so many descriptors, one by one, in each program that it starts.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    allowed = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    options = ForkingOptions()
    options.realize(sys.argv[1:], doc=__doc__)
    options.first, options.test = True, False
    supervisord.go(options)
    options.close_httpservers()
    options.close_logger()


if __name__ == "__main__":
    main()
