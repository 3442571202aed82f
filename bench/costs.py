"""Processor time of one unit of work in the process that does it: the inputs of `docs/capacity.md`.

`python -m bench.costs [NAME ...] [--seconds 5]`, with names from `MEASURES`. It measures processor time and not a rate,
because clients, servers and other programs share the machine's cores: a rate would measure all of them. Every server is
the real one and is started here. Engines that come by Maven are left out if they are not installed. Each figure is the
mean of one run. The last line is one JSON object.
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
    """The costs of the named measures, each in microseconds unless its name says otherwise."""
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
