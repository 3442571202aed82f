"""A program for `test_forking`: writes its own state into FILE, then waits for its end. `-m ... FILE [ENDING]`."""

import atexit
import json
import os
import signal
import sys
import threading
from pathlib import Path


def found() -> dict[str, object]:
    return {
        "name": __name__,
        "program": Path(sys.argv[0]).name,
        "arguments": sys.argv[1:],
        "greeting": os.environ.get("GREETING"),
        "mark": os.environ.get("MARQUEE_SUPERVISED"),
        "folder": str(Path.cwd()),
        "first in path": sys.path[0],
        "leads its group": os.getpgid(0) == os.getpid(),
        "threads": threading.active_count(),
        "files": sorted(int(name) for name in os.listdir("/proc/self/fd") if int(name) < 3),
        "handlers": {
            signal.Signals(number).name: str(signal.getsignal(number))
            for number in sorted(signal.valid_signals())
            if number in set(signal.Signals) and callable(signal.getsignal(number))
        },
        "supervisor's": sorted(name for name in sys.modules if name in ("supervisor.supervisord", "decimal")),
    }


def main() -> None:
    report, *ending = sys.argv[1:]
    atexit.register(lambda: Path(report + ".ended").touch())
    Path(report + ".making").write_text(json.dumps(found()))
    threading.Thread(target=lambda: Path(report + ".thread").touch()).start()
    Path(report + ".making").rename(report)
    match ending:
        case ["well"]:
            return
        case ["with words"]:
            sys.exit("this is why")
        case ["by an error"]:
            raise ValueError("what went wrong")
    signal.pause()


if __name__ == "__main__":
    main()
