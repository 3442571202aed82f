"""What an abuser costs everybody else: latencies of honest callers before and during each abuse, and who was refused.

`python -m bench.abuse [NAME ...] [--seconds 60] [--rounds 2] [--callers 32] [--pause 0.2]`, with names from
`bench.abuses.NAMES`. It starts the engines, the API, the gateway and the public S3 endpoint of one machine, with the limits of
their defaults. 32 callers with accounts of their own ask for home, stream, progress and search in turn, from 127.0.0.1; each
pauses between two requests (`--pause 0`: as fast as answers come, which loads the machine to its limit). In each round they are
measured alone and during the abuse, for the same time, in the one order and in the next round in the other. Both times an owner
logs in every second on a known device. In each round another owner's account is attacked from another address: nothing that
an earlier round has counted makes the abuse cheaper.

The abuser is on the same machine, which it would not be in life. Its process is scheduled only on idle cores (SCHED_IDLE), so
that the ratio shows the platform's work and not the abuser's own; `abuser_cpu` says how much of a core it took. A percentile is
of all rounds together; `ratio_rounds` has the ratio of each round. The last line is one JSON object; times are milliseconds.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from api.auth.passwords import Passwords
from bench.abuses import NAMES, Target, run
from bench.honest_callers import PASSWORD, ROUTES, Honest, Measured, Owner, log_in
from bench.raw_client import RawClient, request_bytes
from marquee.platform.supervisor.supervision import start, stop
from marquee.platform.topology import PARTS
from marquee.settings import Settings
from marquee.stores.opened import Stores, open_stores
from tests.harness.api.seeding import Seeder
from tests.harness.servers import make_test_settings

GENRES: Final = ("Drama", "Comedy", "Action", "Horror", "Crime", "War", "Western", "Fantasy")
OWNER: Final = "owner-{}@example.org"
ABUSER: Final = "abuser@example.org"
SEARCHABLE_SECONDS: Final = 60.0
NEEDED: Final = (
    *("postgres", "valkey-cache", "valkey-log", "seaweedfs", "s3-pace", "s3-proxy"),
    *("search-sync", "change-capture", "api", "gateway"),
)


async def _prepare(settings: Settings, stores: Stores, callers: int, owners: int) -> tuple[list[str], list[Owner]]:
    """The callers' tokens, the abuser's last, and the owners; the accounts are made directly in the store."""
    password_hash = await Passwords().hash(PASSWORD)
    client, sessions = RawClient(settings.public, "127.0.0.1"), {}
    for email in (
        *(OWNER.format(number) for number in range(owners)),
        *(f"caller-{number}@example.org" for number in range(callers)),
        ABUSER,
    ):
        await stores.accounts.create(email, password_hash, role="viewer", profile_names=["Bench"])
        for _ in range(60):
            answer = await log_in(client, email)
            if answer.status == 201:
                break
            await asyncio.sleep(float(answer.header("retry-after") or 1))
        sessions[email] = json.loads(answer.body)
    client.close()
    emails = list(sessions)
    return (
        [sessions[email]["access_token"] for email in emails[owners:]],
        [Owner(email, sessions[email].get("device_token")) for email in emails[:owners]],
    )


async def _searchable(client: RawClient, token: str) -> None:
    """Wait until the platform's own search sync has made the titles findable."""
    until = time.perf_counter() + SEARCHABLE_SECONDS
    while b'"movie_id"' not in (await client.send(request_bytes("GET", "/api/v1/search?q=film", token=token))).body:
        if time.perf_counter() > until:
            raise RuntimeError(f"nothing was found for {SEARCHABLE_SECONDS} s")
        await asyncio.sleep(0.5)


async def _measure(settings: Settings, names: Sequence[str], asked: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {key: getattr(asked, key) for key in ("seconds", "rounds", "callers", "pause")}
    totals = {"failed_requests": 0, "tried": 0, "refused": 0}
    async with open_stores(settings) as stores:
        seeder = Seeder(stores)
        movies = [await seeder.playable(f"Film {n}", genres=[GENRES[n % len(GENRES)]]) for n in range(80)]
        (*tokens, abusers_token), owners = await _prepare(settings, stores, asked.callers, len(names) * asked.rounds)
        client = RawClient(settings.public, "127.0.0.1")
        await _searchable(client, tokens[0])
        page = await client.send(request_bytes("GET", "/api/v1/home?limit=10", token=tokens[0]))
        client.close()
        rows = page.body.count(b'"items":')
        honest = Honest(settings, tokens, movies, rows, asked.pause)
        await honest.measure(min(3.0, asked.seconds), owners[0])  # warm-up
        attacked = iter(enumerate(owners))
        for name in names:
            rounds: list[tuple[Measured, Measured, dict[str, float]]] = []
            for _ in range(asked.rounds):
                number, owner = next(attacked)
                address = f"127.0.{1 + number // 250}.{1 + number % 250}"
                target = Target(settings.public, settings.public_s3, owner.email, abusers_token, address)
                rounds.append(await _round(honest, owner, target, name, asked.seconds, abuse_first=number % 2 == 1))
            found = _figures(name, rounds)
            figures |= found
            for key in totals:
                totals[key] += found[f"{key}_{name}"]
            sys.stderr.write(json.dumps(found) + "\n")
    return {**figures, **totals}


async def _round(
    honest: Honest, owner: Owner, target: Target, name: str, seconds: float, *, abuse_first: bool
) -> tuple[Measured, Measured, dict[str, float]]:
    """What was measured alone, what during the abuse, and the abuser's counts."""
    before = None if abuse_first else await honest.measure(seconds, owner)
    during, counts = await _abused(honest, owner, target, name, seconds)
    # The buckets of the gateway are full again, and no connection of the abuser is left.
    await asyncio.sleep(2)
    return before or await honest.measure(seconds, owner), during, counts


async def _abused(
    honest: Honest, owner: Owner, target: Target, name: str, seconds: float
) -> tuple[Measured, dict[str, float]]:
    process = _start_abuser(name, target, seconds + 1)
    try:
        assert process.stdout is not None
        # It says when it has imported everything and begins.
        await asyncio.to_thread(process.stdout.readline)
        during = await honest.measure(seconds, owner)
        async with asyncio.timeout(60):
            counts = json.loads(await asyncio.to_thread(process.stdout.read))
    finally:
        process.kill()
        process.wait()
    return during, counts


def _start_abuser(name: str, target: Target, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.abuse", "--abuser", name, "--seconds", str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(vars(target)) + "\n")
    process.stdin.close()
    return process


def _figures(name: str, rounds: Sequence[tuple[Measured, Measured, dict[str, float]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    before, during, counts = Measured(), Measured(), Counter[str]()
    for alone, abused, counted in rounds:
        before.add(alone)
        during.add(abused)
        counts.update(counted)  # type: ignore[arg-type]
    cpu = counts.pop("cpu", 0) / len(rounds)
    for route in ROUTES:
        for percent in (50, 99):
            one, two = before.percentile(route, percent), during.percentile(route, percent)
            found[f"{route}_p{percent}_before_{name}"], found[f"{route}_p{percent}_{name}"] = one, two
            found[f"{route}_p{percent}_ratio_{name}"] = round(two / one, 2) if one else None
            pairs = [
                (alone.percentile(route, percent), abused.percentile(route, percent)) for alone, abused, _ in rounds
            ]
            ratios = sorted(round(two / one, 2) for one, two in pairs if one)
            found[f"{route}_p{percent}_ratio_rounds_{name}"] = ratios
    found[f"failed_requests_{name}"] = sum(during.failed.values()) + sum(before.failed.values())
    found[f"failed_{name}"] = during.failed
    found[f"tried_{name}"] = sum(count for key, count in counts.items() if key != "ended by the server")
    found[f"refused_{name}"] = counts.get("429", 0) + counts.get("ended by the server", 0)
    found[f"answers_{name}"] = dict(counts)
    found[f"abuser_cpu_{name}"] = round(cpu, 3)
    found[f"owner_logins_before_{name}"] = len(before.owner_ms)
    found[f"owner_login_p50_before_{name}"] = round(statistics.median(before.owner_ms), 1) if before.owner_ms else None
    found[f"owner_logins_{name}"] = len(during.owner_ms)
    found[f"owner_refused_{name}"] = during.owner_refused
    found[f"owner_login_p50_{name}"] = round(statistics.median(during.owner_ms), 1) if during.owner_ms else None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--pause", type=float, default=0.2)
    parser.add_argument("--abuser", choices=NAMES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.abuser:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        target = Target(**json.loads(sys.stdin.readline()))
        sys.stdout.write("begins\n")
        sys.stdout.flush()
        begun = time.process_time()
        counts = asyncio.run(run(asked.abuser, target, asked.seconds))
        cpu = (time.process_time() - begun) / asked.seconds
        sys.stdout.write(json.dumps({**counts, "cpu": cpu}) + "\n")
        return
    without = ",".join(part.name for part in PARTS if part.name not in NEEDED)
    with tempfile.TemporaryDirectory(prefix="marquee-abuse-") as folder:
        settings = asyncio.run(start(make_test_settings(Path(folder) / "state", without=without), tied=True))
        try:
            figures = asyncio.run(_measure(settings, asked.names or NAMES, asked))
        finally:
            asyncio.run(stop(settings))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
