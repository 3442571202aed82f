"""The figures of analytics, each by the benchmark of its own part. The last line is one JSON object.

`python -m bench.analytics [PART ...] [--large] [--kills 20]`. A part is a process of its own: its memory is its own too. The last
line of what it prints is one JSON object. A part that fails, or whose module is not there, is named on stderr and in `failed`,
and the exit code is 1. `--large` measures Spark with 10 million events too. 100 million are not measured: `bench.spark` names
those figures as extrapolated.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

PARTS: Final[Mapping[str, str]] = {
    "telemetry": "bench.telemetry",
    "sink": "bench.sink",
    "spark": "bench.spark",
    "taste": "jobs.spark.evaluate",
}
"""Part -> the module that measures it: events of one API core; rows into the lake, and what kills lose or double; Spark and
DuckDB on the same files; recall on MovieLens."""
PART_SECONDS: Final = 3 * 3600.0


def arguments_of(part: str, *, large: bool, kills: int) -> list[str]:
    match part:
        case "spark":
            return ["--duckdb", "--events", "1000000", *(["10000000"] if large else [])]
        case "sink":
            return ["--kills", str(kills)]
        case _:
            return []


def measure(part: str, arguments: Sequence[str]) -> dict[str, Any]:
    """The figures of a part. Raises `RuntimeError` with what it said last."""
    module = PARTS[part]
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise RuntimeError(f"there is no module {module}")
    command = [sys.executable, "-m", module, *arguments]
    sys.stderr.write(f"{part}: python {' '.join(command[1:])}\n")
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=PART_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"it has not ended after {PART_SECONDS / 3600:.0f} hours") from error
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise RuntimeError(f"it ended with {done.returncode}: {' '.join(lines[-3:])[-300:]}")
    try:
        figures = json.loads(lines[-1])
    except ValueError as error:
        raise RuntimeError(f"its last line is no JSON object: {lines[-1][:200]}") from error
    return dict(figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--large", action="store_true", help="Spark with 10 million events too")
    parser.add_argument("--kills", type=int, default=20, help="SIGKILLs of the sink at each of its steps")
    asked = parser.parse_args()
    figures: dict[str, Any] = {}
    failed: list[str] = []
    for part in asked.parts or PARTS:
        try:
            figures |= measure(part, arguments_of(part, large=asked.large, kills=asked.kills))
        except RuntimeError as error:
            failed.append(part)
            sys.stderr.write(f"{part} is left out: {error}\n")
    sys.stdout.write(json.dumps({**figures, **({"failed": failed} if failed else {})}) + "\n")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
