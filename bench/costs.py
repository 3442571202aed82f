"""What one unit of work costs the process that does it, in processor time: what `docs/capacity.md` reckons with.

`python -m bench.costs [NAME ...] [--seconds 5]`, a NAME of `MEASURES`. Processor time of the servers, not a rate: load, servers
and whatever else the machine does share its cores, and a rate would measure all of them. Every server is the real one, started
here; those that come by Maven are left out where it is missing. Each figure is the mean over one run; the last line is one JSON
object.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench import engine_costs, request_costs
from bench.meter import Costs
from marquee.errors import PlatformUnavailable

MEASURES: Final[dict[str, Callable[[Path, float], Costs]]] = {
    "progress": request_costs.progress,
    "positions": engine_costs.positions,
    "home": request_costs.home,
    "edges": request_costs.edge,
    "events": engine_costs.events,
    "search": engine_costs.search,
}


def measure(names: Sequence[str], seconds: float) -> Costs:
    found: Costs = {}
    for name in names:
        with tempfile.TemporaryDirectory(prefix="marquee-costs-") as folder:
            try:
                found |= MEASURES[name](Path(folder), seconds)
            except PlatformUnavailable as error:
                sys.stderr.write(f"{name} is left out: {error.detail}\n")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], default=[])
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    sys.stdout.write(json.dumps(measure(asked.names or list(MEASURES), asked.seconds)) + "\n")


if __name__ == "__main__":
    main()
