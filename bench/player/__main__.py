"""Our player beside stock hls.js, Shaka Player and dash.js, on lines of several bandwidths.

    python -m bench.player [--seconds 60] [--rounds 3] [--profile NAME ...] [--player NAME ...] [--late]
                           [--film FILE] [--state FOLDER] [--port-base 21400]

A real platform with its edges serves one film; Chromium reaches it through `tests.harness.paced_line`, the same for every
player. In each round the players take turns on every profile. What is measured is what a viewer sees: frames shown by the
video element, from the click on. `--late` counts the scripts too: they are loaded after the click. The medians of the
rounds are printed, and the last line is one JSON object: measure -> player -> profile. It needs a quiet machine.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.player.figures import Figures
from bench.player.film import platform, rungs_of, stream_of
from bench.player.profiles import PROFILES, Profile
from bench.player.viewing import PLAYERS, Viewer, pages
from marquee.demo.browser import open_browser
from marquee.demo.report import CheckSkipped
from marquee.platform.project import PROJECT
from tests.harness.paced_line import paced_line

MEASURES = (
    "startup_seconds",
    "recovery_seconds",
    "rebuffer_ratio",
    "quality",
    "switches",
    "bytes",
    "ahead_seconds",
    "first_height",
)


def main(argv: Sequence[str] | None = None) -> int:
    asked = _arguments().parse_args(argv)
    chosen = [profile for profile in PROFILES if not asked.profile or profile.name in asked.profile]
    try:
        seen = asyncio.run(_measure(asked, chosen, asked.player or list(PLAYERS)))
    except CheckSkipped as skipped:
        print(f"skipped: {skipped}")  # noqa: T201
        return 0
    result: dict[str, Any] = {name: {} for name in MEASURES}
    for (player, profile), viewings in seen.items():
        for name in MEASURES:
            result[name].setdefault(player, {})[profile] = _median([getattr(one, name) for one in viewings])
    print(json.dumps({"bench": "player", "late": asked.late, "rounds": asked.rounds, **result}))  # noqa: T201
    return 0


async def _measure(
    asked: argparse.Namespace, chosen: Sequence[Profile], players: Sequence[str]
) -> dict[tuple[str, str], list[Figures]]:
    seen: dict[tuple[str, str], list[Figures]] = {}
    async with (
        platform(asked.state, asked.port_base, asked.film) as (settings, movie_id),
        paced_line() as line,
        open_browser() as browser,
    ):
        rungs = await rungs_of((await stream_of(settings, movie_id))["stream_url"])
        _say("rungs: " + ", ".join(f"{rung.height}p {rung.bits_per_second / 1e6:.2f} Mbit/s" for rung in rungs))
        _say(f"{'profile':9}{'player':9}" + "".join(f"{name:>17}" for name in MEASURES))
        with pages() as pages_url:
            viewer = Viewer(browser, line, settings, movie_id, pages_url)
            for number in range(asked.rounds):
                for profile in chosen:
                    # Each round begins with another player.
                    for player in [*players[number % len(players) :], *players[: number % len(players)]]:
                        seconds = profile.seconds(asked.seconds)
                        one = await viewer.watch(player, profile, seconds, rungs, late=asked.late)
                        seen.setdefault((player, profile.name), []).append(one)
                        cells = "".join(f"{getattr(one, name)!s:>17}" for name in MEASURES)
                        _say(f"{profile.name:9}{player:9}{cells}")
    return seen


def _median(values: Sequence[float | None]) -> float | None:
    """None, a film that never started or a line without a dip, stays None if it is so in most rounds."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if len(known) * 2 > len(values) else None


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each viewing, from the click on")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--profile", action="append", choices=[profile.name for profile in PROFILES])
    parser.add_argument("--player", action="append", choices=PLAYERS)
    parser.add_argument("--late", action="store_true", help="load the scripts after the click")
    parser.add_argument("--film", type=Path, default=None, help="another film; at least as long as a viewing")
    parser.add_argument("--state", type=Path, default=PROJECT / ".marquee" / "bench-player")
    parser.add_argument("--port-base", type=int, default=21_400)
    return parser


if __name__ == "__main__":
    sys.exit(main())
