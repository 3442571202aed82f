"""`python -m marquee.platform.supervisor.forking -c FILE`: a supervisord that forks its Python programs from itself.

Importing Dagster, Litestar or SQLAlchemy takes 1 to 3 s of cpu, and a process started by exec shares no memory with others.
Here the supervisor imports the modules once, while the engines start (`marquee.preload`). A program whose command is `python
-m MODULE ...` then runs that module in the child that supervisord has forked. Every other program is exec'd, and so is a
Python program whose modules are not imported yet. Pids, signals, logs and restarts remain supervisord's. The supervisor must
never start a second thread: a lock held by that thread at the fork would stay locked in the child.
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
"""Limit of open files for each program, unless the hard limit is lower."""


class ForkingOptions(ServerOptions):  # type: ignore[misc]
    """Supervisord's system calls, with `execve` replaced: it runs preloaded programs in the forked child."""

    def __init__(self) -> None:
        super().__init__()
        self.preloaded: set[str] = set()
        """Names of the programs whose modules are imported. These are forked, not exec'd."""

    def execve(self, filename: str, argv: Sequence[str], environment: dict[str, str]) -> None:
        """Turn the forked child into the program. Supervisord has set its process group, descriptors, folder and umask."""
        if environment["SUPERVISOR_PROCESS_NAME"] in self.preloaded:
            options, command = launch.split(argv[len(launcher()) :])
            run_module(options, command[len(PYTHON) :], environment)
        super().execve(filename, argv, environment)


def run_module(options: Sequence[str], module: Sequence[str], environment: dict[str, str]) -> NoReturn:
    """Do in this process what `launch OPTIONS -- python -m MODULE ARGUMENTS...` does, then exit with its status.

    `module` is the module's name followed by its arguments.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    launch.name_process(environment["SUPERVISOR_PROCESS_NAME"])
    launch.apply_options(options)
    sys.argv = list(module)
    # The parent has imported this module, perhaps under its own name. It must run again, as __main__.
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
        # The same steps as at an interpreter's end and in `multiprocessing`. `os._exit` keeps supervisord's frames below from
        # unwinding: they would close descriptors by number, and these numbers belong to this program now.
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
    """The XML-RPC method that this project adds to supervisord's own: `marquee.preload`."""

    def __init__(self, options: ForkingOptions) -> None:
        self._options = options

    def preload(self, program: str, modules: list[str]) -> bool:
        """Import the modules of a `python -m` program. From then on this program is forked. Returns whether it is.

        All modules are imported in one turn of the supervisor's loop, because each further turn may wait up to a second. The
        result is False if an import has started a thread: then forking is unsafe. An import that fails is an XML-RPC fault
        that names the module.
        """
        for module in modules:
            _import(module)
        if len(os.listdir("/proc/self/task")) == 1:
            self._options.preloaded.add(program)
        return program in self._options.preloaded


def _import(name: str) -> None:
    """Import MODULE, or import it and call the function for a name MODULE:FUNCTION. A failure is an XML-RPC fault."""
    module, _, function = name.partition(":")
    # Imported modules stay, so the garbage collector need not visit them. In a fork a visit would also write to their pages
    # and so copy memory that is otherwise shared.
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
    """Factory named by `[rpcinterface:marquee]` in supervisord.conf."""
    return Preloading(supervisor.options)


def main() -> None:
    """Raise the limit of open files and run supervisord."""
    # Not by the option `minfds`: supervisord closes that many descriptors, one by one, in each program that it starts.
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
